"""Confirmation on held-out patients: tests, intervals and the correction for having tested many slices."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .patients import Codes, PatientShuffle
from .scan import Values

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

CONFIDENCE = 0.95
PERMUTATIONS = 9999
RESAMPLES = 2000
MANY_ROWS = 2_000
"""Of more rows patients that are alike are drawn together, by their number: the same law, drawn otherwise."""
DRAWS_AT_ONCE = 1_000_000
"""Patients drawn at once, so that memory does not grow with the number of patients."""


@dataclass(frozen=True)
class Confirmation:
    """What the held-out rows of a slice's true class say. Rates are NaN where there are no rows.

    `low`, `high`: 95 % interval of `rate`, Wilson's where no patient has two rows inside, else a bootstrap over
    patients. `baseline`: error rate of the class outside. `lift`: rate / baseline. `p_value`: one-sided, 1.0
    where there is nothing to test.
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
    low, high = rate_interval(errors[inside], patients[inside], seed)
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
    observed = values[inside].sum()
    if len(values) > MANY_ROWS:
        hits = int((shuffle.sums(values, inside, PERMUTATIONS, seed) >= observed).sum())
    else:
        hits = sum(drawn[inside].sum() >= observed for drawn in shuffle.draws(values, PERMUTATIONS, seed))
    return float((1 + hits) / (1 + PERMUTATIONS))


def wilson_interval(errors: float, rows: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); NaN without rows."""
    if not rows:
        return float("nan"), float("nan")
    from scipy.stats import norm

    z = norm.ppf(0.5 + confidence / 2)
    rate = errors / rows
    center = (rate + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(rate * (1 - rate) / rows + z**2 / (4 * rows**2))
    return float(max(0.0, center - half)), float(min(1.0, center + half))


def rate_interval(errors: Booleans, patients: Codes, seed: int) -> tuple[float, float]:
    """95 % interval of an error rate: Wilson's, widened to the patients' bootstrap where they repeat.

    A bootstrap of few patients, or of patients all alike, comes out too narrow, so it never narrows Wilson's.
    """
    low, high = wilson_interval(int(errors.sum()), len(errors))
    _, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
    if not len(errors) or (counts == 1).all():
        return low, high
    wrong = np.bincount(codes, weights=errors)
    generator = np.random.default_rng(seed)
    if len(errors) > MANY_ROWS:
        kinds, many = np.unique(wrong.astype(int) * (counts.max() + 1) + counts, return_counts=True)
        drawn = generator.multinomial(len(counts), many / len(counts), RESAMPLES)
        rates = (drawn @ (kinds // (counts.max() + 1))) / (drawn @ (kinds % (counts.max() + 1)))
    else:
        at_once = max(1, DRAWS_AT_ONCE // len(counts))
        sizes = np.diff([*range(0, RESAMPLES, at_once), RESAMPLES])
        draws = (generator.integers(0, len(counts), (size, len(counts))) for size in sizes)
        rates = np.concatenate([wrong[drawn].sum(axis=1) / counts[drawn].sum(axis=1) for drawn in draws])
    tail = (1 - CONFIDENCE) / 2
    return min(low, float(np.quantile(rates, tail))), max(high, float(np.quantile(rates, 1 - tail)))


Estimate = tuple[float, float, float]
"""A rate or mean with the lower and upper end of its interval."""


def difference(new: Estimate, old: Estimate) -> Estimate:
    """new - old with its 95 % interval, from the own intervals of two rates or means; NaN where either is.

    The square-and-add rule: Newcombe's hybrid score interval (Newcombe 1998, method 10) where both are Wilson's,
    and for any other intervals Zou and Donner (2008). The two are taken for independent.
    """
    (a, a_low, a_high), (b, b_low, b_high) = new, old
    change = a - b
    return change, change - float(np.hypot(a - a_low, b_high - b)), change + float(np.hypot(a_high - a, b - b_low))


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
