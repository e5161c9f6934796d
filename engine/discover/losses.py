"""Losses on held-out patients: their test, and what it could have seen."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from misread.principal import unit_scale

from .confirm import permutation_p_value
from .intervals import mean_interval
from .patients import Codes, PatientShuffle
from .planted import ENOUGH_HITS, Landing, smallest_confirmed
from .scan import Booleans, Floats, standardised


@dataclass(frozen=True)
class LossConfirmation:
    """What the held-out rows say of a slice, in the unit of the losses. NaN where there are no rows.

    `low`, `high`: 95 % interval of `mean`, see `mean_interval`. `baseline`: mean loss outside. `lift`: mean / baseline
    where that is above 0 and no loss below, as those of differences may be. `p_value`: one-sided, 1.0 where there is
    nothing to test. `losses`: those of the rows inside, and their patients.
    """

    rows: int
    patients: int
    mean: float
    low: float
    high: float
    baseline: float
    lift: float
    p_value: float
    losses: tuple[Floats, Codes] = field(repr=False, compare=False)

    def at(self, confidence: float) -> Self:
        """The same with the interval at that confidence."""
        low, high = mean_interval(*self.losses, confidence)
        return replace(self, low=low, high=high)


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
        lift=mean / baseline if baseline > 0 and losses.min() >= 0 else float("nan"),
        p_value=excess_loss_p_value(inside, losses, patients, seed),
        losses=(losses[inside], patients[inside]),
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


def smallest_mean_loss(losses: Floats, patients: Codes, slice_rows: int, fewest_patients: int = 1) -> float | None:
    """The smallest mean loss at which a slice of `slice_rows` held-out rows is confirmed with 80 % power.

    `losses`, `patients` (n,): all held-out rows. The slice is the only one tested, at the 5 % level: made-up slices of
    rows of `fewest_patients` or more (see `smallest_confirmed`), whose losses are those of the rows, all higher by as
    much. None where n is no larger than the slice, where all losses are equal, and where no float64 is high enough.
    """
    if not 0 < slice_rows < len(losses) or not standardised(losses).any():
        return None
    scale = unit_scale(losses)
    scaled = losses / scale

    def needed(landing: Landing) -> float:
        inside, _, given = landing
        others = slice_rows - np.isin(given, inside).sum(axis=1)
        behind = scaled[given].sum(axis=1) - scaled[inside].sum()
        reached = np.divide(behind, others, out=np.full(len(given), np.inf), where=others > 0)
        return float(np.partition(reached, -ENOUGH_HITS)[-ENOUGH_HITS])

    effect = mean_loss(losses) + smallest_confirmed(patients, slice_rows, fewest_patients, needed) * scale
    return effect if np.isfinite(effect) else None
