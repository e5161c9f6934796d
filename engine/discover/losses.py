"""Losses on held-out patients: their test, and what it could have seen."""

from dataclasses import dataclass

import numpy as np

from .calibrate import SIGNIFICANCE
from .confirm import permutation_p_value
from .intervals import design_effect, mean_interval
from .patients import Codes, PatientShuffle
from .power import POWER
from .scan import Booleans, Floats, standardised, unit_scale


@dataclass(frozen=True)
class LossConfirmation:
    """What the held-out rows say of a slice, in the unit of the losses. NaN where there are no rows.

    `low`, `high`: 95 % interval of `mean`, see `mean_interval`. `baseline`: mean loss outside. `lift`: mean / baseline
    where that is above 0. `p_value`: one-sided, 1.0 where there is nothing to test.
    """

    rows: int
    patients: int
    mean: float
    low: float
    high: float
    baseline: float
    lift: float
    p_value: float


def confirm_losses(inside: Booleans, losses: Floats, patients: Codes, seed: int) -> LossConfirmation:
    """Judges one slice on held-out rows with a loss: `inside`, `losses` (finite), `patients` (n,) each."""
    mean, baseline = mean_loss(losses[inside]), mean_loss(losses[~inside])
    low, high = mean_interval(losses[inside], patients[inside])
    return LossConfirmation(
        rows=int(inside.sum()),
        patients=len(np.unique(patients[inside])),
        mean=mean,
        low=low,
        high=high,
        baseline=baseline,
        lift=mean / baseline if baseline > 0 else float("nan"),
        p_value=excess_loss_p_value(inside, losses, patients, seed),
    )


def excess_loss_p_value(inside: Booleans, losses: Floats, patients: Codes, seed: int) -> float:
    """One-sided p-value of "the mean loss is higher inside than outside".

    The share of shuffles of whole patients with a mean inside at least as high, the observed one counted:
    (1 + hits) / (1 + 9999). It asks nothing of the law of the losses.
    """
    values = np.asarray(standardised(losses), float)
    if inside.sum() in (0, len(inside)) or not values.any():
        return 1.0
    return permutation_p_value(inside, values, PatientShuffle(patients), seed)


def mean_loss(losses: Floats) -> float:
    """The mean of `losses` (n,), whose sum may be too large for a number; NaN without rows."""
    scale = unit_scale(losses)
    return float((losses / scale).mean()) * scale if len(losses) else float("nan")


def smallest_mean_loss(losses: Floats, patients: Codes, slice_rows: int) -> float | None:
    """The smallest mean loss at which a slice of `slice_rows` held-out rows is confirmed with 80 % power.

    `losses`, `patients` (n,): all held-out rows, whose mean m and standard deviation s hold outside the slice, which is
    the only one tested, at the 5 % level. By the normal approximation, m + (z_.95 + z_.80) s sqrt(d (1 / slice_rows +
    1 / (n - slice_rows))), d being the `design_effect`. None where n is no larger than the slice, where the slice is
    worth less than one independent row, or where all losses are equal. About that power: of made-up slices of 30 rows,
    as in `smallest_effect`, 55 to 90 %.
    """
    values = np.asarray(standardised(losses), float)
    effect = design_effect(values, patients)
    if len(losses) <= slice_rows or slice_rows < effect or not values.any():
        return None
    from scipy.stats import norm

    scale = unit_scale(losses)
    spread = float((losses / scale).std(ddof=1)) * float(
        np.sqrt(effect * (1 / slice_rows + 1 / (len(losses) - slice_rows)))
    )
    return mean_loss(losses) + float(norm.ppf(1 - SIGNIFICANCE) + norm.ppf(POWER)) * spread * scale
