"""Confirmation on held-out patients: the test, and the correction for having tested many slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .intervals import rate_interval
from .patients import Codes, PatientShuffle
from .scan import Values

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

PERMUTATIONS = 9999
ROUNDING = 1e-12
"""Sums of the same losses in another order differ by less than this share of them."""


@dataclass(frozen=True)
class Confirmation:
    """What the held-out rows of a slice's true class say. Rates are NaN where there are no rows.

    `low`, `high`: 95 % interval of `rate`, see `rate_interval`. `baseline`: error rate of the class outside.
    `lift`: rate / baseline. `p_value`: one-sided, 1.0 where there is nothing to test.
    """

    rows: int
    errors: int
    patients: int
    rate: float
    low: float
    high: float
    baseline: float
    lift: float
    p_value: float


def confirm(inside: Booleans, errors: Booleans, patients: Codes, seed: int) -> Confirmation:
    """Judges one slice on held-out rows of its true class: `inside`, `errors`, `patients` (n,) each."""
    n, k = int(inside.sum()), int(errors[inside].sum())
    outside = len(inside) - n
    baseline = float((errors.sum() - k) / outside) if outside else float("nan")
    rate = k / n if n else float("nan")
    low, high = rate_interval(errors[inside], patients[inside])
    return Confirmation(
        rows=n,
        errors=k,
        patients=len(np.unique(patients[inside])),
        rate=rate,
        low=low,
        high=high,
        baseline=baseline,
        lift=rate / baseline if n and baseline > 0 else float("nan"),
        p_value=excess_p_value(inside, errors, patients, seed),
    )


def excess_p_value(inside: Booleans, errors: Booleans, patients: Codes, seed: int) -> float:
    """One-sided p-value of "errors are more frequent inside than outside".

    Fisher's exact test where no patient has two rows; else the share of shuffles of whole patients with at least
    as many errors inside, the observed one counted: (1 + hits) / (1 + 9999).
    """
    n, k = int(inside.sum()), int(errors[inside].sum())
    if n in (0, len(inside)) or not errors.any() or errors.all():
        return 1.0
    shuffle = PatientShuffle(patients)
    if not shuffle.repeat:
        from scipy.stats import hypergeom

        return float(min(1.0, hypergeom.sf(k - 1, len(inside), int(errors.sum()), n)))
    return permutation_p_value(inside, errors, shuffle, seed)


def permutation_p_value(inside: Booleans, values: Values, shuffle: PatientShuffle, seed: int) -> float:
    """The share of shuffles of `values` (n,) whose sum inside is at least the observed one, which counts too."""
    own = values[inside].astype(float)
    least = own.sum() - ROUNDING * np.abs(own).sum()
    hits = int((shuffle.sums(values, inside, PERMUTATIONS, seed) >= least).sum())
    return float((1 + hits) / (1 + PERMUTATIONS))


def q_values(p_values: Floats) -> Floats:
    """Benjamini-Hochberg adjusted p-values (Benjamini and Hochberg 1995), in the order given."""
    p = np.asarray(p_values, float)
    if not len(p):
        return p
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    result = np.empty_like(p)
    result[order] = adjusted
    return result
