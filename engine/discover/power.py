"""What confirmation could have seen: the power of its test for slices that were never found."""

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import SIGNIFICANCE

from .intervals import design_effect
from .patients import Codes
from .planted import ENOUGH_HITS, POWER, SEED, Landing, smallest_confirmed

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

STEP = 1e-4
TINY = 1e-12
TAIL = 1e-9
"""Outcomes outside rarer than this are left out of the sum."""


def smallest_effect(errors: Booleans, patients: Codes, slice_rows: int, fewest_patients: int = 1) -> float | None:
    """The smallest error rate at which a slice of `slice_rows` held-out rows is confirmed with 80 % power.

    `errors`, `patients` (n,): the held-out rows of one true class, whose error rate is the rate outside. The slice
    stands for itself, the only one tested, at the 5 % level. None where even a slice that is always wrong would miss
    80 %. Where no patient has two rows it is worked out, to a step of 0.0001; else from made-up slices of rows of
    `fewest_patients` or more (see `smallest_confirmed`), in which errors run in patients as they do outside. Of other
    such slices 75 to 83 % were confirmed at that rate, in six layouts of patients; where they held a row here and there
    of many patients, 79 to 100 %; where errors are rare (2 %) and patients err together (.3 or .9), so that hardly
    anything tells how much, 58 to 81 %.
    """
    if not 0 < slice_rows < len(errors):
        return None
    if len(np.unique(patients)) < len(patients):
        return _smallest_of_patients(errors, patients, slice_rows, fewest_patients)
    enough = rejections(slice_rows, len(errors) - slice_rows, float(errors.mean()))
    low, high = 0, round(1 / STEP)
    if power(enough, 1.0) < POWER:
        return None
    while high - low > 1:  # power grows with the rate inside
        middle = (low + high) // 2
        low, high = (low, middle) if power(enough, middle * STEP) >= POWER else (middle, high)
    return high * STEP


def _smallest_of_patients(errors: Booleans, patients: Codes, slice_rows: int, fewest_patients: int) -> float | None:
    generator = np.random.default_rng(SEED)
    alike = _correlation(errors, patients)
    wrong_from = np.where(errors, 0.0, np.inf)  # the rate inside from which on a row is wrong

    def needed(landing: Landing) -> float:
        inside, place, given = landing
        own = _levels(place, alike, generator)
        before, wrong_from[inside] = wrong_from[inside], own
        shuffled, steps = wrong_from[given], np.unique(own)
        wrong_from[inside] = before
        low, high = 0, len(steps)
        while low < high:  # p falls as the rate inside grows
            middle = (low + high) // 2
            hits = (shuffled <= steps[middle]).sum(axis=1) >= (own <= steps[middle]).sum()
            low, high = (low, middle) if hits.sum() < ENOUGH_HITS else (middle + 1, high)
        return float(steps[low]) if low < len(steps) else float("inf")

    effect = smallest_confirmed(patients, slice_rows, fewest_patients, needed)
    return effect if effect < np.inf else None


def _correlation(errors: Booleans, patients: Codes) -> float:
    """How alike two rows of a patient are, 0 to 1, from the `design_effect`."""
    rows = np.unique(patients, return_counts=True)[1]
    return float(min(1.0, (design_effect(errors, patients) - 1) / ((rows**2).sum() / rows.sum() - 1)))


def _levels(place: Codes, alike: float, generator: np.random.Generator) -> Floats:
    """(k,): the rate from which on each row is wrong, so that patients' errors are beta-binomial at any rate.

    `place` (k,): of rows patient by patient their number among the patient's. By the urn of Blackwell and MacQueen
    (1973) a row is as one of its patient's before it, or has a level of its own.
    """
    levels, copied, which = generator.random((3, len(place)))
    chance = alike * place / np.maximum(1 - alike + alike * place, TINY)
    for row in np.flatnonzero(copied < chance):
        levels[row] = levels[row - place[row] + int(which[row] * place[row])]
    return np.asarray(levels)


def rejections(inside: int, outside: int, baseline: float) -> Floats:
    """(inside + 1,): how often 0, 1, ... errors in `inside` rows are enough for Fisher's one-sided exact test to reject
    at 5 %, the error rate in `outside` rows being `baseline`."""
    from scipy.stats import binom, hypergeom

    first, last = binom.ppf(TAIL, outside, baseline), binom.isf(TAIL, outside, baseline)
    errors_outside = np.arange(max(int(first), 0), int(last) + 1)
    low, high = np.zeros(len(errors_outside), int), np.full(len(errors_outside), inside + 1)
    while (low < high).any():  # p falls as errors inside grow
        middle = (low + high) // 2
        p_values = hypergeom.sf(middle - 1, inside + outside, errors_outside + middle, inside)
        low, high = (
            np.where(p_values <= SIGNIFICANCE, low, middle + 1),
            np.where(p_values <= SIGNIFICANCE, middle, high),
        )
        low = np.minimum(low, high)
    chance = binom.pmf(errors_outside, outside, baseline)
    return np.asarray([chance[high <= errors].sum() for errors in range(inside + 1)])


def power(enough: Floats, rate: float) -> float:
    """How often the test rejects where the error rate inside is `rate`; `enough`: what `rejections` gives.

    Summed over every outcome of the two binomials (Bennett and Hsu 1960, Biometrika 47, 393).
    """
    from scipy.stats import binom

    inside = len(enough) - 1
    return float((binom.pmf(np.arange(inside + 1), inside, rate) * enough).sum())
