"""Confirmation on held-out patients: the test, and the correction for having tested many slices."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import SIGNIFICANCE

from .intervals import CONFIDENCE, Counts, counted_interval, patient_counts
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

    `low`, `high`: 95 % interval of `rate`, see `counted_interval`. `baseline`: error rate of the class outside.
    `lift`: rate / baseline. `p_value`: one-sided, 1.0 where there is nothing to test. `counts`: errors and rows of
    every patient inside.
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
    counts: tuple[Floats, Counts] = field(repr=False, compare=False)

    def at(self, confidence: float) -> Self:
        """The same with the interval at that confidence."""
        low, high = counted_interval(*self.counts, confidence)
        return replace(self, low=low, high=high)


class Verdict(Protocol):
    """What held-out rows say of a slice, by errors or by losses."""

    @property
    def p_value(self) -> float: ...

    def at(self, confidence: float) -> Self: ...


V = TypeVar("V", bound=Verdict)


def confirm(inside: Booleans, errors: Booleans, patients: Codes, seed: int) -> Confirmation:
    """Judges one slice on held-out rows of its true class: `inside`, `errors`, `patients` (n,) each."""
    n, k = int(inside.sum()), int(errors[inside].sum())
    outside = len(inside) - n
    baseline = float((errors.sum() - k) / outside) if outside else float("nan")
    rate = k / n if n else float("nan")
    counts = patient_counts(errors[inside], patients[inside])
    low, high = counted_interval(*counts)
    return Confirmation(
        rows=n,
        errors=k,
        patients=len(counts[1]),
        rate=rate,
        low=low,
        high=high,
        baseline=baseline,
        lift=rate / baseline if n and baseline > 0 else float("nan"),
        p_value=excess_p_value(inside, errors, patients, seed),
        counts=counts,
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


def judged_together(verdicts: Sequence[V]) -> list[tuple[V, float]]:
    """Each with its q-value over all, in their order; with a wider interval if that is at most 0.05.

    What is confirmed was chosen for being high, and its 95 % interval holds less often. Where R of m are confirmed,
    each of these has its interval at 1 - 0.05 R / m: of the intervals of what is confirmed at most 5 % are then
    expected to miss (false coverage rate, 0 where nothing is; Benjamini and Yekutieli 2005, Journal of the American
    Statistical Association 100, 71). That is an average over audits: where little is confirmed, more of what is misses.
    """
    q = q_values(np.array([verdict.p_value for verdict in verdicts]))
    confirmed = q <= SIGNIFICANCE
    wide = 1 - (1 - CONFIDENCE) * float(confirmed.mean()) if len(q) else CONFIDENCE
    return [
        (verdict.at(wide) if is_confirmed else verdict, float(value))
        for verdict, value, is_confirmed in zip(verdicts, q, confirmed, strict=True)
    ]
