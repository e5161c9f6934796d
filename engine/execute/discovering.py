"""The discover step: searches every population, confirms what was found, and numbers it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from misread.audit.population import Population
from misread.discover import SIGNIFICANCE, ClassRows, Rule, confirm, q_values, rate_interval, search, search_p_values
from misread.plan import Discover
from misread.progress import Progress
from misread.schemas.values import CONFIRMATION, DISCOVERY, error_kind_of

from .inputs import codes
from .steps import Discovered, FoundSlice, FusedSamples

CLASSES = (1, 0)


@dataclass(frozen=True)
class _Candidate:
    population: Population
    true_class: int
    rule: Rule
    search_p: float


def discover(
    node: Discover, fused: FusedSamples, populations: Sequence[Population], audit_id: str, progress: Progress
) -> Discovered:
    """Memberships and statistics of every slice, over all populations together."""
    each = len(CLASSES) * node.permutations + 1
    steps = len(populations) * each
    candidates: list[_Candidate] = []
    notes: dict[tuple[str, str], str] = {}
    for number, judged in enumerate(populations):
        done = number * each

        def tick(shuffles: int, done: int = done) -> None:
            progress(done + shuffles, steps, "searching for slices")

        found, note = _search(node, fused, judged, tick)
        candidates += found
        if note:
            notes[judged.model, judged.target] = note
        if node.threshold is not None and judged.threshold.source == "column":
            kept = f"the predictions bring the threshold {judged.threshold.value:g}; {node.threshold:g} was not used"
            notes[judged.model, judged.target] = "; ".join(filter(None, [note, kept]))
    progress(steps, steps, "searching for slices")
    slices = [_judge(fused, c, audit_id, number) for number, c in enumerate(candidates, start=1)]
    return Discovered(fused, audit_id, tuple(populations), tuple(_with_q_values(slices)), notes)


def _search(
    node: Discover, fused: FusedSamples, judged: Population, tick: Callable[[int], None]
) -> tuple[list[_Candidate], str]:
    """The slices of one population that chance alone seldom gives, best first; a note where there are none."""
    classes = [_class_rows(fused, judged, true_class) for true_class in CLASSES]
    found: list[_Candidate] = []
    for number, rows in enumerate(classes):
        rules = search(rows.vectors, rows.errors, rows.patients, smallest=node.min_size, most=node.most)
        p_values = search_p_values(
            rows,
            [rule.statistic for rule in rules],
            smallest=node.min_size,
            permutations=node.permutations,
            seed=fused.below.scan.seed,
            tick=partial(_tick_from, tick, number * node.permutations),
        )
        found += [_Candidate(judged, rows.true_class, rule, float(p)) for rule, p in zip(rules, p_values, strict=True)]
    found.sort(key=lambda c: (-c.rule.statistic, -c.true_class))
    kept = [c for c in found if node.permutations == 0 or c.search_p <= SIGNIFICANCE]
    return kept, "" if kept else _why_none(node, judged, classes, found)


def _tick_from(tick: Callable[[int], None], before: int, done: int) -> None:
    tick(before + done)


def _why_none(
    node: Discover,
    judged: Population,
    classes: Sequence[ClassRows],
    found: Sequence[_Candidate],
) -> str:
    """The first of the reasons that holds."""
    rows, errors = sum(len(c.errors) for c in classes), sum(int(c.errors.sum()) for c in classes)
    best = f"{min(c.search_p for c in found):.2f}" if found else ""
    reasons = (
        (bool(found), f"no group of errors stands out more than chance gives (best candidate: p = {best})"),
        (
            judged.threshold.source == "none",
            "no threshold can be chosen: the discovery rows do not hold both labels; give --threshold",
        ),
        (rows == 0, "no row with a prediction and a label in the discovery half"),
        (errors == 0, "the model makes no error on the discovery rows"),
        (errors == rows, "the model is wrong on every discovery row: no group stands out"),
        (
            all(len(c.errors) < 2 * node.min_size for c in classes),
            f"no class has {2 * node.min_size} discovery rows (twice the minimum size of a slice)",
        ),
    )
    return next((text for holds, text in reasons if holds), "no group of errors stands out")


def _class_rows(fused: FusedSamples, judged: Population, true_class: int) -> ClassRows:
    rows = judged.rows.filter(
        (pl.col("half") == DISCOVERY) & (pl.col("label") == true_class) & pl.col("error").is_not_null()
    )
    vectors = fused.vectors[_positions(fused, rows["sample_id"])]
    return ClassRows(true_class, vectors, rows["error"].to_numpy().astype(bool), codes(rows["patient"]))


def _positions(fused: FusedSamples, samples: pl.Series) -> np.ndarray:
    return fused.samples["sample_id"].search_sorted(samples).to_numpy()


def _judge(fused: FusedSamples, candidate: _Candidate, audit_id: str, number: int) -> FoundSlice:
    judged, rule, true_class = candidate.population, candidate.rule, candidate.true_class
    slice_id = f"{audit_id}-{number:02d}"
    memberships = _memberships(fused, rule, audit_id, slice_id)
    rows = judged.rows.filter(pl.col("error").is_not_null()).with_columns(
        inside=pl.col("sample_id").is_in(memberships["sample_id"].to_list())
    )
    own = rows.filter(pl.col("label") == true_class)
    found, held = own.filter(pl.col("half") == DISCOVERY), own.filter(pl.col("half") == CONFIRMATION)
    verdict = confirm(
        held["inside"].to_numpy(),
        held["error"].to_numpy().astype(bool),
        codes(held["patient"]),
        fused.below.scan.seed,
    )
    inside = found.filter("inside")
    others = (pl.col("half") == CONFIRMATION) & (pl.col("label") != true_class) & pl.col("inside")
    row = {
        "audit_id": audit_id,
        "slice_id": slice_id,
        "model": judged.model,
        "target": judged.target,
        "true_class": true_class,
        "error_kind": error_kind_of(true_class),
        "discovery_rows": inside.height,
        "discovery_errors": int(inside["error"].sum()),
        "discovery_patients": inside["patient"].n_unique(),
        "discovery_error_rate": inside["error"].mean(),
        "discovery_baseline_rate": found.filter(~pl.col("inside"))["error"].mean(),
        "scan_statistic": rule.statistic,
        "search_p_value": _number(candidate.search_p),
        "confirmation_rows": verdict.rows,
        "confirmation_errors": verdict.errors,
        "confirmation_patients": verdict.patients,
        "other_class_rows": rows.filter(others).height,
        **_share(fused, memberships),
        "error_rate": _number(verdict.rate),
        "error_rate_low": _number(verdict.low),
        "error_rate_high": _number(verdict.high),
        "baseline_rate": _number(verdict.baseline),
        "lift": _number(verdict.lift),
        "p_value": verdict.p_value,
        "direction": rule.direction.tolist(),
        "cut": rule.cut,
    }
    return FoundSlice(judged, true_class, rule, row, memberships)


def _share(fused: FusedSamples, memberships: pl.DataFrame) -> dict[str, float | None]:
    """How much of the confirmation half's samples a rule takes, with its interval."""
    held = fused.samples.filter(pl.col("left_out").is_null() & (pl.col("half") == CONFIRMATION))
    inside = held["sample_id"].is_in(memberships["sample_id"].to_list()).to_numpy()
    low, high = rate_interval(inside, codes(held["patient"]), fused.below.scan.seed)
    share = float(inside.mean()) if len(inside) else math.nan
    return {"share": _number(share), "share_low": _number(low), "share_high": _number(high)}


def _memberships(fused: FusedSamples, rule: Rule, audit_id: str, slice_id: str) -> pl.DataFrame:
    """Every scanned sample the rule takes; ties in score are ranked by sample id."""
    frame = fused.samples.select("sample_id", "half", "left_out").with_columns(
        score=pl.Series(rule.scores(fused.vectors))
    )
    taken = frame.filter(pl.col("left_out").is_null() & (pl.col("score") >= rule.cut)).sort(
        ["score", "sample_id"], descending=[True, False]
    )
    return taken.select(
        audit_id=pl.lit(audit_id),
        slice_id=pl.lit(slice_id),
        sample_id="sample_id",
        half="half",
        score="score",
        rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
    )


def _with_q_values(slices: Sequence[FoundSlice]) -> list[FoundSlice]:
    """q-values over every slice of every population audited together."""
    q = q_values(np.array([found.row["p_value"] for found in slices], float))
    return [
        replace(
            found,
            row={**found.row, "q_value": float(value), "confirmed": bool(value <= SIGNIFICANCE)},
        )
        for found, value in zip(slices, q, strict=True)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
