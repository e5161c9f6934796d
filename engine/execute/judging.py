"""Judging what a search found: its memberships, and its statistics on both halves."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from misread.audit.population import Population
from misread.discover import SIGNIFICANCE, Rule, confirm, q_values, rate_interval
from misread.schemas.values import CONFIRMATION, DISCOVERY, error_kind_of

from .inputs import codes
from .steps import FoundSlice, FusedSamples


@dataclass(frozen=True)
class Candidate:
    """A rule found for one population and true class. `search_p`, `stability`: NaN where they were left out."""

    population: Population
    true_class: int
    rule: Rule
    search_p: float
    stability: float = math.nan


def judge(fused: FusedSamples, candidate: Candidate, audit_id: str, place: int) -> FoundSlice:
    """The slice that a candidate is: its row of the slices table (without q-value) and its memberships."""
    judged, rule, true_class = candidate.population, candidate.rule, candidate.true_class
    slice_id = f"{audit_id}-{place:02d}"
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
        "search_p_value": number(candidate.search_p),
        "stability": number(candidate.stability),
        "confirmation_rows": verdict.rows,
        "confirmation_errors": verdict.errors,
        "confirmation_patients": verdict.patients,
        "other_class_rows": rows.filter(others).height,
        **_share(fused, memberships),
        "error_rate": number(verdict.rate),
        "error_rate_low": number(verdict.low),
        "error_rate_high": number(verdict.high),
        "baseline_rate": number(verdict.baseline),
        "lift": number(verdict.lift),
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
    return {"share": number(share), "share_low": number(low), "share_high": number(high)}


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


def with_q_values(slices: Sequence[FoundSlice]) -> list[FoundSlice]:
    """q-values over every slice of every population audited together."""
    q = q_values(np.array([found.row["p_value"] for found in slices], float))
    return [
        replace(
            found,
            row={**found.row, "q_value": float(value), "confirmed": bool(value <= SIGNIFICANCE)},
        )
        for found, value in zip(slices, q, strict=True)
    ]


def number(value: float) -> float | None:
    """The value as tables hold it: NULL for NaN."""
    return None if math.isnan(value) else value
