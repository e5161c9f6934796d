"""How an audit's slices moved: their share, and error rate or mean loss, against the confirmation half."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.halves import patient_unit
from misread.audit.thresholds import Threshold, with_errors
from misread.discover import Estimate, difference, mean_interval, mean_loss, rate_interval
from misread.schemas.values import CLASSES, CONFIRMATION, DISCOVERY, HIGH_LOSS, is_small_cell
from misread.store import TableStore

from .frozen import FrozenAudit, judged_samples
from .inputs import read_predictions
from .judged_rows import codes, people
from .judging import number

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]


class _Truth(NamedTuple):
    """(n,) each: which samples are judged, which of them are wrong, and what their losses are (NaN for none)."""

    judged: Booleans
    wrong: Booleans
    losses: Floats


_TEXTS = ("slice_id", "model", "target", "error_kind")
_COUNTS = ("samples", "rows", "patients", "labelled_rows", "errors", "loss_rows", "judged_patients")
_RATES = ("share", "error_rate", "mean_loss")
_PARTS = ("", "_low", "_high", "_audited", "_change", "_change_low", "_change_high")
MOVED: Mapping[str, Any] = {
    **dict.fromkeys(_TEXTS, pl.String),
    "true_class": pl.Int8,
    **dict.fromkeys(_COUNTS, pl.Int64),
    **{f"{rate}{part}": pl.Float64 for rate in _RATES for part in _PARTS},
    "baseline_rate": pl.Float64,
    "baseline_loss": pl.Float64,
}
"""Columns of the comparison.

`samples`: how many were assigned; `rows`: those the slice takes, of any class, from `patients` different patients;
`share`: rows / samples. `labelled_rows`, `errors`, `error_rate`: its rows of the slice's true class that have a label
and a prediction, of `judged_patients`, judged at the audit's threshold; `baseline_rate`: the same outside. In an
audit of losses these are NULL, and `loss_rows`, `mean_loss` (its rows that have a loss) and `baseline_loss` are not.
`…_audited`: the confirmation half's. `…_change`: now less then; its interval takes the two for different patients, see
`shared_patients`.
"""
_BEHIND: Mapping[str, Any] = dict.fromkeys(
    ("assigned_patients", "patients_outside", "judged_outside", "audited_patients"), pl.Int64
)
"""Columns that tell whose numbers the others come from, for `without_small_cells`."""
_OF_PATIENTS: Mapping[str, tuple[str, ...]] = {
    "^samples$": ("assigned_patients",),
    "^(rows|patients|share|share_low|share_high|share_change.*)$": (
        "patients",
        "patients_outside",
        "assigned_patients",
    ),
    "^(labelled_rows|errors|loss_rows|judged_patients)$": ("judged_patients",),
    "^(error_rate|mean_loss)(_low|_high|_change.*)?$": ("judged_patients",),
    "^(baseline_rate|baseline_loss)$": ("judged_patients", "judged_outside"),
    "^.*(_audited|_change.*)$": ("audited_patients",),
}
"""Which columns come from the patients that are counted in which others."""

_SHARED: Mapping[str, str] = {
    DISCOVERY: "in whose images the slices were searched: there errors or losses are high by the search alone",
    CONFIRMATION: "that the slices are compared with: changes have intervals as of different patients, mostly too wide",
}


@dataclass(frozen=True)
class Remark:
    """On so many `samples` of so many `patients`; `text` has a {} for their number."""

    text: str
    samples: int
    patients: int

    @classmethod
    def on(cls, samples: pl.DataFrame, text: str) -> "Remark":
        return cls(text, samples.height, samples["patient"].n_unique())

    def told(self, smallest: int) -> str:
        """With the number, unless it is of 1 or more, but fewer than `smallest` patients."""
        return self.text.format("few" if is_small_cell(self.patients, smallest) else self.samples)


def moved(store: TableStore, audit: FrozenAudit, samples: pl.DataFrame, inside: Booleans) -> pl.DataFrame:
    """One row a slice, in the columns of `MOVED` and those behind them, which `without_small_cells` takes away.

    `samples`: sample_id and patient, one row an assigned sample; `inside` (n, s): who is in which slice.
    """
    patients = codes(samples["patient"])
    truth, nothing = _truth(store, audit, samples), _nothing(samples.height)
    rows = []
    for place, found in enumerate(audit.slices.iter_rows(named=True)):
        members = inside[:, place]
        of_class = truth.get((found["model"], found["target"], found["true_class"]), nothing)
        told = {
            **{name: found[name] for name in (*_TEXTS, "true_class")},
            "samples": len(members),
            "assigned_patients": people(patients),
            "rows": int(members.sum()),
            "patients": people(patients[members]),
            "patients_outside": people(patients[~members]),
            "judged_patients": people(patients[members & of_class.judged]),
            "judged_outside": people(patients[~members & of_class.judged]),
            "audited_patients": found["confirmation_patients"],
            **_compared("share", _rate(members, patients), found),
        }
        if found["error_kind"] == HIGH_LOSS:
            told |= _of_losses(members, of_class, patients, found)
        else:
            told |= _of_errors(members, of_class, patients, found)
        rows.append({name: told.get(name) for name in (*MOVED, *_BEHIND)})
    return pl.DataFrame(rows, schema={**MOVED, **_BEHIND})


def without_small_cells(rows: pl.DataFrame, smallest: int) -> pl.DataFrame:
    """The rows of `moved` in the columns of `MOVED` and `suppressed`: whether numbers of them were left out.

    What comes from 1 or more, but fewer than `smallest` patients is NULL, and so is what would tell it: the share of a
    slice that takes all patients but so few, or of so few in all, the baseline of one that takes so few (a fraction of
    the rows outside, it tells how many are inside), and changes against a confirmation half with so few in the slice.
    """
    told, suppressed = rows, pl.lit(False)
    for pattern, behind in _OF_PATIENTS.items():
        few = pl.any_horizontal((pl.col(name) > 0) & (pl.col(name) < smallest) for name in behind)
        told = told.with_columns(pl.when(rows.select(few).to_series().not_()).then(pl.col(pattern)).name.keep())
        suppressed = suppressed | few
    return told.select(*MOVED, suppressed=rows.select(suppressed.alias("suppressed")).to_series())


def shared_patients(store: TableStore, audit: FrozenAudit, samples: pl.DataFrame) -> list[Remark]:
    """Remarks on samples (as in `moved`) of patients that the audit has seen: what is told of them is not new."""
    seen = judged_samples(store, audit).unique()
    patients = pl.DataFrame(store.table("images").read(["sample_id", "patient_id"])).with_columns(patient_unit())
    halves = seen.join(patients, on="sample_id")
    told = []
    for half, remark in _SHARED.items():
        mine = samples.join(halves.filter(pl.col("half") == half), on="patient", how="semi")
        if mine.height and audit.slices.height:
            told.append(Remark.on(mine, f"{{}} samples are of patients {remark}"))
    return told


def _of_errors(
    members: Booleans, truth: _Truth, patients: NDArray[np.intp], then: Mapping[str, Any]
) -> dict[str, object]:
    mine = members & truth.judged
    return {
        "labelled_rows": int(mine.sum()),
        "errors": int(truth.wrong[mine].sum()),
        **_compared("error_rate", _rate(truth.wrong[mine], patients[mine]), then),
        "baseline_rate": number(_mean(truth.wrong[~members & truth.judged])),
    }


def _of_losses(
    members: Booleans, truth: _Truth, patients: NDArray[np.intp], then: Mapping[str, Any]
) -> dict[str, object]:
    mine = members & truth.judged
    losses = truth.losses[mine]
    return {
        "loss_rows": int(mine.sum()),
        **_compared("mean_loss", (mean_loss(losses), *mean_interval(losses, patients[mine])), then),
        "baseline_loss": number(mean_loss(truth.losses[~members & truth.judged])),
    }


def _truth(store: TableStore, audit: FrozenAudit, samples: pl.DataFrame) -> dict[tuple[str, str, int | None], _Truth]:
    """By model, target and class (None: all rows with a loss)."""
    found: dict[tuple[str, str, int | None], _Truth] = {}
    wanted = audit.slices.select("model", "target").unique()
    if not wanted.height or not samples.height or not store.has("predictions"):
        return found
    predictions = read_predictions(store, wanted["model"].to_list(), wanted["target"].to_list())
    for row in audit.targets.join(wanted, on=["model", "target"]).iter_rows(named=True):
        mine = predictions.filter((pl.col("model") == row["model"]) & (pl.col("target") == row["target"]))
        judged = with_errors(mine, Threshold(row["threshold"], row["threshold_source"]))
        joined = samples.join(judged, on="sample_id", how="left", maintain_order="left")
        wrong, losses = joined["error"].fill_null(False).to_numpy(), joined["loss"].fill_null(math.nan).to_numpy()
        found[row["model"], row["target"], None] = _Truth(~np.isnan(losses), wrong, losses)
        for true_class in CLASSES:
            of_class = ((joined["label"] == true_class) & joined["error"].is_not_null()).fill_null(False).to_numpy()
            found[row["model"], row["target"], true_class] = _Truth(of_class, wrong, losses)
    return found


def _nothing(n: int) -> _Truth:
    return _Truth(np.zeros(n, bool), np.zeros(n, bool), np.full(n, math.nan))


def _rate(hits: Booleans, patients: NDArray[np.intp]) -> Estimate:
    return _mean(hits), *rate_interval(hits, patients)


def _compared(name: str, now: Estimate, then: Mapping[str, Any]) -> dict[str, float | None]:
    """A rate or mean with its interval, the audit's, and the change with its interval."""
    old = tuple(math.nan if then[f"{name}{end}"] is None else then[f"{name}{end}"] for end in ("", "_low", "_high"))
    values = (*now, old[0], *difference(now, (old[0], old[1], old[2])))
    return {f"{name}{part}": number(value) for part, value in zip(_PARTS, values, strict=True)}


def _mean(values: Booleans) -> float:
    return float(values.mean()) if len(values) else math.nan
