"""What confirmation could have seen: the power of its test for slices that were never found."""

import numpy as np
from numpy.typing import NDArray

from .calibrate import SIGNIFICANCE
from .intervals import design_effect
from .patients import Codes

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

POWER = 0.8
STEP = 1e-4
ROUNDING = 1e-9
TAIL = 1e-9
"""Outcomes outside rarer than this are left out of the sum."""


def smallest_effect(errors: Booleans, patients: Codes, slice_rows: int) -> float | None:
    """The smallest error rate at which a slice of `slice_rows` held-out rows is confirmed with 80 % power.

    `errors`, `patients` (n,): the held-out rows of one true class, whose error rate is the rate outside. The slice
    stands for itself, the only one tested, at the 5 % level. Where rows of a patient err together, rows count as
    rows / `design_effect`. A step of 0.0001; None where even a slice that is always wrong would miss 80 %.

    Where patients have several rows the power is about that: of made-up slices of 30 rows it was 60 to 90 % where they
    held whole patients (least of few patients with each another number of rows), and 80 to 100 % where they held a row
    here and there.
    """
    effect = design_effect(errors, patients)
    inside, rows = (int(count / effect + ROUNDING) for count in (slice_rows, len(errors)))
    if inside < 1 or rows <= inside:
        return None
    tail = _rejections(inside, rows - inside, float(errors.mean()))
    low, high = 0, round(1 / STEP)
    if _power(tail, 1.0) < POWER:
        return None
    while high - low > 1:  # power grows with the rate inside
        middle = (low + high) // 2
        low, high = (low, middle) if _power(tail, middle * STEP) >= POWER else (middle, high)
    return high * STEP


def power(inside: int, outside: int, rate: float, baseline: float) -> float:
    """How often Fisher's one-sided exact test rejects at 5 %: error rate `rate` in `inside` rows, `baseline` outside.

    Summed over every outcome of the two binomials (Bennett and Hsu 1960, Biometrika 47, 393).
    """
    return _power(_rejections(inside, outside, baseline), rate)


def _rejections(inside: int, outside: int, baseline: float) -> tuple[int, Floats]:
    """`inside`, and (inside + 1,) the probability that so many errors inside are enough to reject."""
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
    return inside, np.asarray([chance[high <= errors].sum() for errors in range(inside + 1)])


def _power(rejections: tuple[int, Floats], rate: float) -> float:
    from scipy.stats import binom

    inside, enough = rejections
    return float((binom.pmf(np.arange(inside + 1), inside, rate) * enough).sum())
