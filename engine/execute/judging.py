"""Judging what a search found: its memberships, and its statistics on both halves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.population import Population
from misread.discover import (
    Confirmation,
    LossConfirmation,
    Rule,
    confirm,
    confirm_losses,
    counted_interval,
    judged_together,
    mean_loss,
)
from misread.schemas.values import CONFIRMATION, SIGNIFICANCE, error_kind_of

from .judged_rows import Booleans, JudgedRows, codes, people
from .steps import FoundSlice, FusedSamples, Members

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidate:
    """A rule found for one population and true class. `search_p`, `stability`: NaN where they were left out."""

    population: Population
    true_class: int | None
    rule: Rule
    search_p: float
    stability: float = math.nan


class Judge:
    """Judges the candidates of one audit; what they have in common is worked out once."""

    def __init__(self, fused: FusedSamples, audit_id: str) -> None:
        self._fused, self._audit_id, self._seed = fused, audit_id, fused.below.seed
        self._kept = fused.samples["left_out"].is_null().to_numpy()
        self._held_out = self._kept & (fused.samples["half"] == CONFIRMATION).fill_null(False).to_numpy()
        self._held_patients = codes(fused.samples["patient"].filter(pl.Series(self._held_out)))
        self._held_rows = np.bincount(self._held_patients)
        self._known: tuple[Population, JudgedRows] | None = None

    def judge(self, candidates: Sequence[Candidate]) -> tuple[FoundSlice, ...]:
        """The slices that candidates are, in their order, tested together: rows of the slices table, and members."""
        each = [self._judged(candidate, place) for place, candidate in enumerate(candidates, start=1)]
        verdicts = judged_together([verdict for _, verdict in each])
        return tuple(
            replace(found, row={**found.row, **told(verdict), "q_value": q, "confirmed": q <= SIGNIFICANCE})
            for (found, _), (verdict, q) in zip(each, verdicts, strict=True)
        )

    def _judged(self, candidate: Candidate, place: int) -> tuple[FoundSlice, Confirmation | LossConfirmation]:
        """One of them by itself, and what held-out rows say of it, which is not yet in its row."""
        judged, rule, true_class = candidate.population, candidate.rule, candidate.true_class
        slice_id = f"{self._audit_id}-{place:02d}"
        taken = rule.takes(self._fused.vectors) & self._kept
        counts, verdict = self._counts(self._rows_of(judged), true_class, taken)
        row = {
            "audit_id": self._audit_id,
            "slice_id": slice_id,
            "model": judged.model,
            "target": judged.target,
            "true_class": true_class,
            "error_kind": error_kind_of(true_class),
            "scan_statistic": rule.statistic,
            "search_p_value": number(candidate.search_p),
            "stability": number(candidate.stability),
            **counts,
            **self._share(taken),
            "direction": rule.direction.tolist(),
            "cut": rule.cut,
            "class_direction": rule.model.direction.tolist(),
            "class_offset": rule.model.offset,
        }
        members = Members(self._audit_id, slice_id, judged, rule, self._fused.vectors, np.packbits(taken))
        return FoundSlice(judged, true_class, row, members), verdict

    def _rows_of(self, judged: Population) -> JudgedRows:
        """Of one population at a time: its candidates come one after the other."""
        if self._known is None or self._known[0] is not judged:
            self._known = judged, JudgedRows.of(judged)
        return self._known[1]

    def _counts(
        self, rows: JudgedRows, true_class: int | None, taken: Booleans
    ) -> tuple[dict[str, object], Confirmation | LossConfirmation]:
        """The columns on rows of the slice's class, in the discovery half, and on held-out rows of other classes; what
        held-out rows of the class say."""
        inside, own = taken[rows.places], rows.of_class(true_class)
        found, held = own & ~rows.held_out, own & rows.held_out
        mine, others = found & inside, found & ~inside
        counts: dict[str, object] = {
            "discovery_rows": int(mine.sum()),
            "discovery_patients": people(rows.patients[mine]),
            "baseline_patients": people(rows.patients[held & ~inside]),
            "other_class_rows": int((inside & ~own & rows.held_out).sum()),
        }
        if true_class is None:
            counts |= _found_losses(rows.values[mine], rows.values[others])
            return counts, confirm_losses(inside[held], rows.values[held], rows.patients[held], self._seed)
        counts |= _found_errors(rows.values[mine], rows.values[others])
        return counts, confirm(inside[held], rows.values[held], rows.patients[held], self._seed)

    def _share(self, taken: Booleans) -> dict[str, float | None]:
        """How much of the confirmation half's samples a rule takes, with its interval."""
        inside = taken[self._held_out]
        events = np.asarray(np.bincount(self._held_patients, inside, len(self._held_rows)), float)
        low, high = counted_interval(events, self._held_rows)
        return {"share": _mean(inside), "share_low": number(low), "share_high": number(high)}


def _found_errors(mine: Booleans, others: Booleans) -> dict[str, object]:
    """The columns on errors of discovery rows inside and outside."""
    return {
        "discovery_errors": int(mine.sum()),
        "discovery_error_rate": _mean(mine),
        "discovery_baseline_rate": _mean(others),
    }


def _found_losses(mine: Floats, others: Floats) -> dict[str, object]:
    """The same on losses."""
    return {
        "discovery_mean_loss": number(mean_loss(mine)),
        "discovery_baseline_loss": number(mean_loss(others)),
    }


def told(verdict: Confirmation | LossConfirmation) -> dict[str, object]:
    """The columns of the slices table on held-out rows of the class."""
    counts: dict[str, object] = {"confirmation_rows": verdict.rows, "confirmation_patients": verdict.patients}
    if isinstance(verdict, Confirmation):
        return counts | {"confirmation_errors": verdict.errors, **rates(verdict)}
    return counts | {
        "mean_loss": number(verdict.mean),
        "mean_loss_low": number(verdict.low),
        "mean_loss_high": number(verdict.high),
        "baseline_loss": number(verdict.baseline),
        "lift": number(verdict.lift),
        "p_value": verdict.p_value,
    }


def rates(verdict: Confirmation) -> dict[str, float | None]:
    """The columns of a confirmation that are no counts."""
    return {
        "error_rate": number(verdict.rate),
        "error_rate_low": number(verdict.low),
        "error_rate_high": number(verdict.high),
        "baseline_rate": number(verdict.baseline),
        "lift": number(verdict.lift),
        "p_value": verdict.p_value,
    }


def _mean(values: Booleans) -> float | None:
    return float(values.mean()) if len(values) else None


def number(value: float) -> float | None:
    """The value as tables hold it: NULL for NaN."""
    return None if math.isnan(value) else value
