"""Kulldorff's scan statistics: are errors more frequent, or losses higher, inside than outside?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from misread.principal import unit_scale

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Values = Booleans | Floats
"""What rows are judged by: errors (bool), or losses (float64, finite)."""

STEPS = 1e9
"""Losses are counted in so many steps of a standard deviation, so that the order of sums never decides."""
ROUNDING = 1e-12
"""Losses that differ by no more than this share of the largest are equal."""
SMALLEST_VARIANCE = 1e-12
"""What is left of the variance once two means explain it, as a share of all, counts as at least this."""


def log_likelihood(successes: ArrayLike, trials: ArrayLike) -> Floats:
    """Maximised Bernoulli log-likelihood a log(a/b) + (b-a) log(1-a/b), with 0 log 0 = 0. Broadcasts."""
    a, b = np.asarray(successes, float), np.asarray(trials, float)
    safe = np.maximum(b, 1.0)
    rate = np.clip(a / safe, 0.0, 1.0)
    inner = np.where(rate > 0, a * np.log(np.where(rate > 0, rate, 1.0)), 0.0)
    outer = np.where(rate < 1, (b - a) * np.log1p(-np.where(rate < 1, rate, 0.0)), 0.0)
    return np.asarray(inner + outer)


def scan_statistic(errors_inside: ArrayLike, inside: ArrayLike, errors: ArrayLike, rows: ArrayLike) -> Floats:
    """Log-likelihood ratio of "errors are more frequent inside" against "the same everywhere".

    With k errors among n rows inside, K among N in all: log L(k,n) + log L(K-k,N-n) - log L(K,N) where
    k/n > (K-k)/(N-n), else 0; never negative (Kulldorff 1997, Bernoulli model). Broadcasts.
    """
    k, n, big_k, big_n = (np.asarray(x, float) for x in (errors_inside, inside, errors, rows))
    ratio = log_likelihood(k, n) + log_likelihood(big_k - k, big_n - n) - log_likelihood(big_k, big_n)
    more_inside = (n > 0) & (n < big_n) & (k * (big_n - n) > (big_k - k) * n)
    return np.asarray(np.where(more_inside, np.maximum(ratio, 0.0), 0.0))


def mean_scan_statistic(
    sum_inside: ArrayLike, inside: ArrayLike, total: ArrayLike, squares: ArrayLike, rows: ArrayLike
) -> Floats:
    """Log-likelihood ratio of "the mean is higher inside" against "the same everywhere", values being normal.

    With n of N rows inside, their sum, the sum over all rows and the sum of all squares:
    N / 2 ln(variance about one mean / variance about the two means) where the mean inside is higher, else 0
    (Kulldorff, Huang and Konty 2009, normal model with one variance). 0 where all values are equal; never above
    N / 2 ln 1e12, which stands for values that two means explain wholly. Broadcasts.
    """
    s, n, big_s, big_q, big_n = (np.asarray(x, float) for x in (sum_inside, inside, total, squares, rows))
    inner, outer, count = np.maximum(n, 1.0), np.maximum(big_n - n, 1.0), np.maximum(big_n, 1.0)
    excess = s - n * (big_s / count)
    about_one = big_q - big_s * (big_s / count)
    varied = (about_one > 0) & (n > 0) & (n < big_n)
    explained = excess**2 * (count / (inner * outer)) / np.where(varied, about_one, 1.0)
    ratio = -big_n / 2 * np.log(np.clip(1 - explained, SMALLEST_VARIANCE, 1.0))
    return np.asarray(np.where(varied & (excess > 0), ratio, 0.0))


def standardised(values: Values) -> Values:
    """`values` (n,) as the search takes them: errors as they are, losses in standard deviations from their mean.

    Deviations come in whole steps of 1e-9, so that sums are exact and neither the order of rows nor the unit of the
    losses matters. Above 0 are exactly the errors, or the losses above the mean. Zeros where all losses are equal.
    """
    if values.dtype == bool or not len(values):
        return values
    scaled = values / unit_scale(np.asarray(values, float))
    centered = scaled - scaled.mean()
    deviation = float(np.sqrt((centered**2).mean()))
    if deviation <= ROUNDING:
        return np.zeros(len(values))
    return np.asarray(np.round(centered / deviation * STEPS))


def statistics_of(sums: ArrayLike, inside: ArrayLike, values: Values) -> Floats:
    """The scan statistic of groups of some rows: `sums` of their values, how many they hold; `values` (n,) of all.

    Bernoulli model for errors, normal model for losses. Broadcasts.
    """
    if values.dtype == bool:
        return scan_statistic(sums, inside, values.sum(), len(values))
    return mean_scan_statistic(sums, inside, values.sum(), float((values**2).sum()), len(values))
