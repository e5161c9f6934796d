"""Taking the best candidates in turn where rows times candidates are too many to be held: scores counted in bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from misread.spill import Vectors, folded, mapped, total

from .scan import Booleans, Floats, Values, best_prefix, mean_scan_statistic, scan_statistic

LOWEST, PER_DEVIATION, BINS = -1.0, 64, 2048
"""Scores (standard deviation 1) are counted in steps of 1/64, from -1 (all that is lower) to 31 (all that is higher).

No slice ends lower: half of its class is more than it may hold.
"""
FINALISTS = 4
"""So many candidates, the best by their counts, are judged by every row's own score."""

DIGITS = 9
"""Scores are rounded to so many decimals, so that the order of sums never decides."""
Folds = NDArray[np.int8]


@dataclass(frozen=True)
class Candidates:
    """Directions of candidates: `whole` (c, k), fitted on all rows, among rows as they are shaped.

    `without` (f, c, k): fitted without one fold, among rows as they come, with the score `offsets` (f, c) to be taken
    off; along these the rows of that fold are scored.
    """

    whole: Floats
    without: Floats
    offsets: Floats

    def only(self, places: NDArray[np.intp]) -> Candidates:
        return Candidates(self.whole[places], self.without[:, places], self.offsets[:, places])

    def beside(self, other: Candidates) -> Candidates:
        both = ((self.whole, other.whole), (self.without, other.without), (self.offsets, other.offsets))
        return Candidates(*(np.concatenate(pair, axis=axis) for pair, axis in zip(both, (0, 1, 1), strict=True)))

    def scores(self, vectors: Vectors, fold: Folds) -> Floats:
        """(n, c) of rows of these folds (n,)."""
        return mapped(vectors, partial(_scores, candidates=self), fold)


def _scores(part: Floats, fold: Folds, candidates: Candidates) -> Floats:
    order, scores = _fold_by_fold(part, fold, candidates)
    found = np.empty_like(scores)
    found[order] = scores
    return found


def _fold_by_fold(part: Floats, fold: Folds, candidates: Candidates) -> tuple[NDArray[np.intp], Floats]:
    """(n,) the rows, fold after fold, and (n, c) their scores: products of rows that lie together cost least."""
    order = np.argsort(fold, kind="stable")
    rows, scores = part[order], np.empty((len(part), len(candidates.whole)))
    ends = np.searchsorted(fold[order], np.arange(len(candidates.without) + 1))
    for number, (start, stop) in enumerate(pairwise(ends)):
        own = np.matmul(rows[start:stop], candidates.without[number].T, out=scores[start:stop])
        own -= candidates.offsets[number]
    return order, np.round(scores, DIGITS, out=scores)


@dataclass(frozen=True)
class Found:
    """A candidate, the statistic and the cut of its best prefix, and every row's score along it (n,)."""

    candidate: int
    statistic: float
    cut: float
    scores: Floats


@dataclass(frozen=True)
class Tally:
    """Candidates and (2, c, bins): how many rows lie in each bin of each one's scores, and the sums of their values."""

    candidates: Candidates
    counts: Floats

    @classmethod
    def of(cls, candidates: Candidates, vectors: Vectors, fold: Folds, values: Values, kept: Booleans) -> Tally:
        """Of the rows that are `kept` (n,), in one reading."""
        return cls(candidates, folded(vectors, partial(_counts, candidates=candidates), total, fold, values, kept))

    def beside(self, other: Tally) -> Tally:
        return Tally(self.candidates.beside(other.candidates), np.concatenate([self.counts, other.counts], axis=1))

    def less(self, other: Tally) -> Tally:
        """Without the rows that the other one counted for the same candidates."""
        return Tally(self.candidates, self.counts - other.counts)

    def statistics(self, remaining: Values, smallest: int, largest: int) -> Floats:
        """(c,): each candidate's highest scan statistic among the prefixes that end between two bins.

        `remaining`: the values of the rows that are counted.
        """
        reached = int(np.flatnonzero(self.counts[0].any(axis=0)).max(initial=-1)) + 1
        inside, sums = np.cumsum(self.counts[:, :, :reached][:, :, ::-1], axis=2)
        if remaining.dtype == bool:
            found = scan_statistic(sums, inside, remaining.sum(), len(remaining))
        else:
            squares = float((remaining**2).sum())
            found = mean_scan_statistic(sums, inside, remaining.sum(), squares, len(remaining))
        return np.asarray(np.where((inside >= smallest) & (inside <= largest), found, 0.0).max(axis=1, initial=0.0))


def best_candidate(
    promising: Floats,
    candidates: Candidates,
    vectors: Vectors,
    fold: Folds,
    values: Values,
    left: Booleans,
    sizes: tuple[int, int],
) -> Found | None:
    """The candidate with the highest scan statistic among the rows that are `left` (n,); ties go to the first.

    `promising` (c,): the statistics of their tallies, 0 for one that may not be taken; `values` (n,) errors or losses;
    `sizes`: the fewest and the most rows. Cut and statistic are those of the scores themselves; which candidate is
    best is judged among the four that promise most.
    """
    places = np.argsort(-promising, kind="stable")[:FINALISTS]
    finalists = np.sort(places[promising[places] > 0])
    scores = candidates.only(finalists).scores(vectors, fold)
    best = None
    rest = np.flatnonzero(left)
    for number, column in zip(finalists, scores.T, strict=True):
        order = rest[np.argsort(-column[rest])]
        ranked = column[order]
        statistic, length = best_prefix(values[order], starts_of(ranked), *sizes)
        if statistic > (best.statistic if best else 0.0):
            best = Found(int(number), statistic, float(ranked[length - 1]), column)
    return best


def starts_of(ordered: Floats) -> Booleans:
    """Where a new score begins in scores that are ordered."""
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def _counts(part: Floats, fold: Folds, values: Values, kept: Booleans, candidates: Candidates) -> Floats:
    number = len(candidates.whole)
    order, scores = _fold_by_fold(part[kept], fold[kept], candidates)
    judged = values[kept][order]
    scores -= LOWEST
    scores *= PER_DEVIATION
    bins = np.clip(scores, 0, BINS - 1, out=scores).astype(np.intp)
    bins += np.arange(number) * BINS
    rows = np.bincount(bins.ravel(), minlength=number * BINS)
    if values.dtype == bool:
        sums = np.bincount(bins[judged].ravel(), minlength=number * BINS)
    else:
        sums = np.bincount(bins.ravel(), np.repeat(judged, number), number * BINS)
    return np.stack([rows, sums]).astype(float).reshape(2, number, BINS)
