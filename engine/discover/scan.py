"""Kulldorff's Bernoulli scan statistic: are errors more frequent inside than outside?"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


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


def best_prefix(
    errors: NDArray[np.bool_], starts_group: NDArray[np.bool_], smallest: int, largest: int
) -> tuple[float, int]:
    """The prefix of sorted rows with the highest scan statistic, as (statistic, length); (0.0, 0) if none.

    `errors` (n,) bool in sorted order. A prefix may only end where the next row starts a group
    (`starts_group` (n,) bool), so that rows of equal score are never divided. Ties: the shortest prefix.
    """
    n = len(errors)
    ends = np.flatnonzero(starts_group[1:])
    ends = ends[(ends + 1 >= smallest) & (ends + 1 <= largest)]
    if not len(ends):
        return 0.0, 0
    running = np.cumsum(errors)
    counts = running[ends]
    grown = np.diff(counts, prepend=-1) > 0  # but for the first, the best one ends with a group that holds an error
    ends, counts = ends[grown], counts[grown]
    values = scan_statistic(counts, ends + 1, running[-1], n)
    best = int(np.argmax(values))
    return (float(values[best]), int(ends[best]) + 1) if values[best] > 0 else (0.0, 0)
