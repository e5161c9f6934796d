"""How an audit's slices moved: their share and error rate among some rows, against the confirmation half."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.thresholds import Threshold, with_errors
from misread.discover import difference, rate_interval
from misread.store import TableStore

from .frozen import FrozenAudit
from .inputs import codes, read_predictions
from .judging import number

Booleans = NDArray[np.bool_]

_TEXTS = ("slice_id", "model", "target", "error_kind")
_COUNTS = ("samples", "rows", "labelled_rows", "errors")
_RATES = ("share", "error_rate")
_PARTS = ("", "_low", "_high", "_audited", "_change", "_change_low", "_change_high")
MOVED: Mapping[str, Any] = {
    **dict.fromkeys(_TEXTS, pl.String),
    "true_class": pl.Int8,
    **dict.fromkeys(_COUNTS, pl.Int64),
    **{f"{rate}{part}": pl.Float64 for rate in _RATES for part in _PARTS},
    "baseline_rate": pl.Float64,
}
"""Columns of the comparison.

`samples`: how many were assigned; `rows`: those the slice takes, of any class; `share`: rows / samples.
`labelled_rows`, `errors`, `error_rate`: its rows of the slice's true class that have a label and a prediction,
judged at the audit's threshold; `baseline_rate`: the same outside. `…_audited`: the confirmation half's.
`…_change`: now less then.
"""


def moved(store: TableStore, audit: FrozenAudit, samples: pl.DataFrame, inside: Booleans) -> pl.DataFrame:
    """One row a slice, in the columns of `MOVED`.

    `samples`: sample_id and patient, one row an assigned sample; `inside` (n, s): who is in which slice.
    """
    patients = codes(samples["patient"])
    errors = _errors(store, audit, samples)
    rows = []
    for place, found in enumerate(audit.slices.iter_rows(named=True)):
        members = inside[:, place]
        judged, wrong = errors.get((found["model"], found["target"], found["true_class"]), _nothing(len(members)))
        mine, others = members & judged, ~members & judged
        rows.append(
            {
                **{name: found[name] for name in (*_TEXTS, "true_class")},
                "samples": len(members),
                "rows": int(members.sum()),
                "labelled_rows": int(mine.sum()),
                "errors": int(wrong[mine].sum()),
                **_compared("share", members, patients, found, audit.seed),
                **_compared("error_rate", wrong[mine], patients[mine], found, audit.seed),
                "baseline_rate": number(_mean(wrong[others])),
            }
        )
    return pl.DataFrame(rows, schema=MOVED)


def _errors(
    store: TableStore, audit: FrozenAudit, samples: pl.DataFrame
) -> dict[tuple[str, str, int], tuple[Booleans, Booleans]]:
    """By model, target and class: which samples (n,) are of that class and judged, and which of them are wrong."""
    found: dict[tuple[str, str, int], tuple[Booleans, Booleans]] = {}
    wanted = audit.slices.select("model", "target").unique()
    if not wanted.height or not samples.height or not store.has("predictions"):
        return found
    predictions = read_predictions(store, wanted["model"].to_list(), wanted["target"].to_list())
    for row in audit.targets.join(wanted, on=["model", "target"]).iter_rows(named=True):
        mine = predictions.filter((pl.col("model") == row["model"]) & (pl.col("target") == row["target"]))
        judged = with_errors(mine, Threshold(row["threshold"], row["threshold_source"]))
        joined = samples.join(judged, on="sample_id", how="left", maintain_order="left")
        wrong = joined["error"].fill_null(False).to_numpy()
        for true_class in (0, 1):
            of_class = ((joined["label"] == true_class) & joined["error"].is_not_null()).fill_null(False).to_numpy()
            found[row["model"], row["target"], true_class] = of_class, wrong
    return found


def _nothing(n: int) -> tuple[Booleans, Booleans]:
    return np.zeros(n, bool), np.zeros(n, bool)


def _compared(
    name: str, hits: Booleans, patients: NDArray[np.intp], then: Mapping[str, Any], seed: int
) -> dict[str, float | None]:
    """A rate with its interval, the audit's, and the change with its interval."""
    rate, (low, high) = _mean(hits), rate_interval(hits, patients, seed)
    old = tuple(math.nan if then[f"{name}{end}"] is None else then[f"{name}{end}"] for end in ("", "_low", "_high"))
    values = (rate, low, high, old[0], *difference((rate, low, high), (old[0], old[1], old[2])))
    return {f"{name}{part}": number(value) for part, value in zip(_PARTS, values, strict=True)}


def _mean(values: Booleans) -> float:
    return float(values.mean()) if len(values) else math.nan
