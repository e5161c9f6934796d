"""Tests on one row a patient that compare patients with others of about as many rows.

A patient of many rows is easily inside by one of them, and what is said of ill patients, who have many, is then more
frequent among patients inside than outside even where nothing but the number of rows joins the two.
"""

import numpy as np
from numpy.typing import NDArray

from .patients import Codes, joined

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Counts = NDArray[np.intp]

SEED = 0


def one_row_each(inside: Booleans, patients: Codes) -> Codes:
    """(p,): one row a patient, in rising order: of its rows on the side it counts for, see `_side`.

    Which of them is drawn at random, the same for as many rows every time: the first may be of an early film.
    """
    _, codes, rows = np.unique(patients, return_inverse=True, return_counts=True)
    side = _side(np.bincount(codes, weights=inside).astype(np.intp), rows)
    chance = np.random.default_rng(SEED).permutation(len(inside))
    order = np.lexsort((chance, inside != side[codes], codes))
    return np.sort(order[np.cumsum(rows) - rows])


def _side(mine: Counts, rows: Counts) -> Booleans:
    """(p,): whether each patient counts inside, of its `rows` and how many of them are inside, `mine` (p,) both.

    A patient with rows on both sides counts inside, unless more than half of the patients with as many rows then would:
    those with the smallest part of their rows inside count outside until both sides have as many; an odd one, where
    its part inside is smaller than that of all rows. Looking at nothing but who is inside, the choice favours no side,
    and leaves somebody to compare with where nearly every patient has a row inside.
    """
    inside = mine > 0
    for size in np.unique(rows[inside & (mine < rows)]):
        here = np.flatnonzero(rows == size)
        both = here[(mine[here] > 0) & (mine[here] < size)]
        both = both[np.lexsort((np.random.default_rng(SEED).permutation(len(both)), mine[both]))]
        many, odd = divmod(max(2 * int(inside[here].sum()) - len(here), 0), 2)
        if odd and many < len(both):
            many += bool(mine[both[many]] * rows.sum() < size * mine.sum())
        inside[both[:many]] = False
    return inside


def strata(patients: Codes) -> Counts:
    """(n,): of each row which stratum its patient is in, from 0 on; patients of about as many rows are in one.

    As they are shuffled by `PatientShuffle`.
    """
    _, codes, rows = np.unique(patients, return_inverse=True, return_counts=True)
    sizes, place, members = np.unique(rows, return_inverse=True, return_counts=True)
    return joined(sizes, members)[place][codes]


def counted(rows: Booleans, stratum: Counts) -> Counts:
    """(s,): how many of the `rows` (n,) lie in each stratum."""
    return np.bincount(stratum[rows], minlength=stratum.max(initial=-1) + 1)


def more_often_p_value(hits: Counts, inside: Counts, having: Counts, total: Counts) -> float:
    """One-sided p-value of "those inside have it more often" from counts of patients, (s,) each, one a stratum.

    `hits` of the `inside` have it, `having` of the `total`. The exact test of independence within strata (Gart 1970,
    Biometrika 57, 471), the margins of each given: how often chance gives as many hits in all. Of one stratum it is
    Fisher's exact test.
    """
    from scipy.stats import hypergeom

    chance = np.ones(1)
    for n, k, m in zip(inside, having, total, strict=True):
        chance = np.convolve(chance, hypergeom.pmf(np.arange(min(n, k) + 1), m, k, n))
    return float(chance[int(np.sum(hits)) :].sum() / chance.sum())


def more_often_by_rows(rows: Counts, hits: Counts, inside: Counts, having: Counts, total: Counts) -> float:
    """`more_often_p_value` from counts of patients by their number of `rows`, in rising order, (k,) each."""
    stratum = joined(rows, total)
    counts = (np.bincount(stratum, weights=each).astype(np.intp) for each in (hits, inside, having, total))
    return more_often_p_value(*counts)


def common_z(hits: Counts, inside: Counts, having: Counts, total: Counts) -> float:
    """The common log odds ratio over its standard error, of the same counts; 0 without a stratum.

    Those of the strata, 0.5 added to each cell (Gart and Zweifel 1967), weighted by their precision (Woolf 1955).
    """
    cells = np.array([hits, inside - hits, having - hits, total - inside - having + hits], float) + 0.5
    odds = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
    weights = 1 / (1 / cells).sum(axis=0)
    mixed = (inside > 0) & (inside < total)
    return float((weights * odds)[mixed].sum() / np.sqrt(weights[mixed].sum())) if mixed.any() else 0.0


def higher_p_value(values: Floats, inside: Booleans, stratum: Counts) -> float | None:
    """One-sided p-value of "`values` are higher inside", (n,) each; None where no stratum has rows on both sides.

    Van Elteren's test (1960): the rank sums of the strata, each over its rows + 1, by the normal approximation with
    ties and half a rank of the smallest stratum taken off. Of one stratum it is the Mann-Whitney test.
    """
    from scipy.stats import norm, rankdata, tiecorrect

    excess, variance, step = 0.0, 0.0, 0.0
    for each in np.unique(stratum):
        here = stratum == each
        mine, n = int((here & inside).sum()), int(here.sum())
        if mine in (0, n):
            continue
        ranks = rankdata(values[here])
        excess += float(ranks[inside[here]].sum()) / (n + 1) - mine / 2
        variance += mine * (n - mine) / (12 * (n + 1)) * float(tiecorrect(ranks))
        step = max(step, 0.5 / (n + 1))
    if not step:
        return None
    return float(norm.sf((excess - step) / np.sqrt(variance))) if variance else 1.0
