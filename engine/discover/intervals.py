"""95 % intervals of rates and means where patients have several rows."""

import numpy as np
from numpy.typing import NDArray

from misread.principal import unit_scale

from .patients import Codes
from .scan import Values

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

CONFIDENCE = 0.95

Estimate = tuple[float, float, float]
"""A rate or mean with the lower and upper end of its interval."""


def wilson_interval(events: float, rows: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion (Wilson 1927); NaN without rows. Counts need not be whole."""
    if not rows:
        return float("nan"), float("nan")
    from scipy.stats import norm

    z = norm.ppf(0.5 + confidence / 2)
    rate = events / rows
    center = (rate + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(rate * (1 - rate) / rows + z**2 / (4 * rows**2))
    low, high = max(0.0, center - half), min(1.0, center + half)
    return (float(low) if events else 0.0), (float(high) if events < rows else 1.0)  # exact, whatever rounding does


def rate_interval(events: Booleans, patients: Codes, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of the share of rows with an event; `events`, `patients` (n,). See `counted_interval`."""
    return counted_interval(*patient_counts(events, patients), confidence)


def patient_counts(events: Booleans, patients: Codes) -> tuple[Floats, Counts]:
    """Events and rows of every patient, (p,) each, from those of rows: `events`, `patients` (n,)."""
    _, codes, rows = np.unique(patients, return_inverse=True, return_counts=True)
    return _sums(events, codes), rows


def counted_interval(events: Floats, rows: Counts, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of sum(events) / sum(rows), from `events` (p,) of the `rows` (p,), 1 or more, of every patient.

    Wilson's, of as many rows as they are worth (Korn and Graubard 1998, Survey Methodology 24, 193): n rows over
    the `design_effect` and over (t / t_n)^2, the points of Student's t for that confidence with `degrees_of_freedom`
    and with n - 1; but never fewer than n^2 / sum of rows^2, which they are worth if a patient's rows are all alike.
    Few patients with an event (or without one in every row) tell little of how alike their rows are: the effect is
    averaged over them and one more, whose rows are alike. Where no patient has two rows it is Wilson's of the rows. NaN
    without rows. The order of patients does not matter. Of patients with 1 to 10 rows, 100 to 1,000 in all, whose rows
    correlate by 0, .3 or .6, 93 to 100 % of 95 % intervals held rates of .01 to .3.
    """
    n, total = int(rows.sum()), float(events.sum())
    if n == len(rows):
        return wilson_interval(total, n, confidence)
    from scipy.stats import t

    order = np.lexsort((events, rows))
    residuals = (events - total / n * rows)[order]
    student = t.ppf(0.5 + confidence / 2, [degrees_of_freedom(rows), n - 1])
    few = int(min((events > 0).sum(), (events < rows).sum()))
    effect = (few * _design_effect(residuals, rows, total * (1 - total / n)) + _alike(rows)) / (few + 1)
    effect = min(float(effect * (student[0] / student[1]) ** 2), _alike(rows))
    return wilson_interval(total / effect, n / effect, confidence)


def mean_interval(losses: Floats, patients: Codes, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The interval of a mean, by Student's t over patients, longer on the side of a tail; NaN with fewer than two.

    The variance is that of a ratio of patients' sums to their rows, linearised (Cochran 1977, 6.9): sum of
    (their sum - mean * their rows)^2 / n^2, where each square is divided by the part of it that is there to be seen, as
    a patient of many rows draws the mean to itself; see `_seen`. Where all patients have as many rows and no tail is
    longer this is the ordinary interval of the mean of their means; for tails see `_reach`. At 95 %, so many of
    normal losses hold the mean, and 95 to 100 % where patients are uneven; benchmarks/statistics.md has skewed losses,
    of which heavy tails make it too narrow in few patients all the same. An end beyond the largest float64 is infinite.
    """
    _, codes, rows = np.unique(patients, return_inverse=True, return_counts=True)
    if len(rows) < 2:
        return float("nan"), float("nan")
    scale = unit_scale(losses)
    scaled = losses / scale
    mean = float(scaled.mean())
    seen, freedom = _seen(rows)
    deviations = _sums(scaled - mean, codes) / np.sqrt(seen)
    spread = float(np.sqrt((deviations**2).sum()))
    below, above = _reach(deviations / spread, freedom, confidence) if spread else (0.0, 0.0)
    error = spread / len(losses)
    return (mean - below * error) * scale, (mean + above * error) * scale


def _reach(deviations: Floats, freedom: float, confidence: float) -> tuple[float, float]:
    """How many standard errors an interval reaches below and above a mean, from patients' `deviations` (p,), whose
    squares add up to 1.

    Of losses with a long tail a sample seldom holds enough: its mean and variance are mostly too small together, and
    Student's t, t here, misses on that side. Hall (1992, Journal of the Royal Statistical Society B 54, 221) undoes
    that by a cubic of the skewness: with k the sum of cubed deviations, (3 / k) (1 - (1 - k (t + k / 6))^(1/3)) above,
    with -k below; here never less than t.
    """
    from scipy.stats import t

    student = float(t.ppf(0.5 + confidence / 2, freedom))
    skewness = float((deviations**3).sum()) * np.array([-1.0, 1.0])
    shifted = student + skewness / 6
    root = np.cbrt(1 - skewness * shifted)
    below, above = np.maximum(student, 3 * shifted / (1 + root + root**2))  # the same, without a division by k
    return float(below), float(above)


def _seen(rows: Counts) -> tuple[Floats, float]:
    """(p,): how much of the variance of a patient's sum its deviation from the common mean holds; degrees of freedom.

    With w the patient's share of all `rows` (p,): 1 - w where rows are independent (CR2 of Bell and McCaffrey 2002,
    Survey Methodology 28, 169), 1 - 2 w + sum of all w^2 where a patient's rows are all alike; the smaller of the two,
    so that the variance is never too small on average. The degrees of freedom are Satterthwaite's (1946), as Bell and
    McCaffrey have them, tr(G)^2 / tr(G^2) with G the covariance of all deviations where a patient's rows are alike, at
    least 1. Both are those of a plain mean, 1 - 1 / p and p - 1, where all patients have as many rows.
    """
    sizes, place, many = np.unique(rows.astype(np.int64), return_inverse=True, return_counts=True)
    total, squares = int((many * sizes).sum()), int((many * sizes**2).sum())
    alike = ((total - sizes) ** 2 + (squares - sizes**2)) / total**2  # in whole numbers: exact beside a huge patient
    seen = np.minimum((total - sizes) / total, alike)
    scaled = (sizes / sizes[-1]) ** 2 / seen
    between = (squares - total * (sizes[:, None] + sizes)) / total**2
    pairs = many[:, None] * many - np.diag(many)
    squared = (pairs * np.outer(scaled, scaled) * between**2).sum() + (many * (scaled * alike) ** 2).sum()
    freedom = (many * scaled * alike).sum() ** 2 / squared
    return np.asarray(seen[place], float), max(1.0, float(freedom))


def degrees_of_freedom(rows: Counts) -> float:
    """Those of a variance between patients of so many `rows` (p,), at least 1: p - 1 where all have as many.

    (sum of rows^2)^2 / sum of rows^4, less 1: Satterthwaite's (1946) for patients whose rows are alike, the widest
    there can be, so that a few patients of many rows are not taken for many patients.
    """
    squares = np.sort(rows.astype(float)) ** 2
    return max(1.0, float(squares.sum() ** 2 / (squares**2).sum()) - 1)


def design_effect(values: Values, patients: Codes) -> float:
    """How much more a rate or a mean of `values` (n,) varies than with independent rows (Kish 1965), at least 1.

    The mean's variance over whole patients, sum of (their sum - mean * their rows)^2 / n^2, over its variance over
    rows, sum of (value - mean)^2 / n^2. Where all values are equal nothing tells how alike a patient's rows are, and
    they are taken for wholly alike: sum of rows^2 / n. 1 without rows.
    """
    _, codes, rows = np.unique(patients, return_inverse=True, return_counts=True)
    residuals = values - values.mean() if len(values) else np.zeros(0)
    return _design_effect(_sums(residuals, codes), rows, float((residuals**2).sum()))


def _sums(values: Values, codes: Counts) -> Floats:
    """(p,): the values' sum by patient."""
    return np.asarray(np.bincount(codes, weights=values), float)


def _design_effect(residuals: Floats, rows: Counts, spread: float) -> float:
    """From patients' sums of residuals and numbers of rows (p,), and all rows' sum of squared residuals."""
    if not len(rows):
        return 1.0
    if not spread > 0:
        return _alike(rows)
    return max(1.0, float((residuals**2).sum() / spread))


def _alike(rows: Counts) -> float:
    """The design effect where all rows of a patient are alike."""
    return float((rows * rows).sum() / rows.sum())


def difference(new: Estimate, old: Estimate) -> Estimate:
    """new - old with its 95 % interval, from the own intervals of two rates or means; NaN where either is.

    The square-and-add rule: Newcombe's hybrid score interval (Newcombe 1998, method 10) where both are Wilson's,
    and for any other intervals Zou and Donner (2008); wider than 95 % where theirs are. The two are taken for
    independent.
    """
    (a, a_low, a_high), (b, b_low, b_high) = new, old
    change = a - b
    return change, change - float(np.hypot(a - a_low, b_high - b)), change + float(np.hypot(a_high - a, b - b_low))
