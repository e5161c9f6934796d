"""The best of many candidates: their scores are counted in bins, of few of them scores are looked at themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import SCORE_DECIMALS
from misread.spill import Vectors, folded, mapped, total

from .scan import ROUNDING, Booleans, Floats, Values, statistics_of

LOWEST, PER_DEVIATION, BINS = -1.0, 64, 2048
"""Scores (standard deviation 1) are counted in steps of 1/64, from -1 (all that is lower) to 31 (all that is higher).

No slice ends lower: half of its class is more than it may hold.
"""
FINALISTS = 4
"""So many candidates, the best by their counts, are judged by every row's own score."""

LOT = 1024
"""Rows that are scored at a time."""
Folds = NDArray[np.int8]
Places = NDArray[np.intp]
Sizes = tuple[int, int]
"""The fewest and the most rows of a slice."""


@dataclass(frozen=True)
class Candidates:
    """Directions of candidates: `whole` (c, k), fitted on all rows, among rows as they are shaped.

    `without` (f, c, k): fitted without one fold, among rows as they come, with the score `offsets` (f, c) to be taken
    off; along these the rows of that fold are scored.
    """

    whole: Floats
    without: Floats
    offsets: Floats

    def only(self, places: Places) -> Candidates:
        return Candidates(self.whole[places], self.without[:, places], self.offsets[:, places])

    def beside(self, other: Candidates) -> Candidates:
        both = ((self.whole, other.whole), (self.without, other.without), (self.offsets, other.offsets))
        return Candidates(*(np.concatenate(pair, axis=axis) for pair, axis in zip(both, (0, 1, 1), strict=True)))


def _scores(part: Floats, fold: Folds, candidates: Candidates) -> Floats:
    """(n, c) of rows of these folds (n,)."""
    found = np.empty((len(part), len(candidates.whole)))
    for places, scores in _by_lots(part, fold, np.arange(len(part)), candidates):
        found[places] = scores
    return found


def _by_lots(part: Floats, fold: Folds, kept: Places, candidates: Candidates) -> Iterator[tuple[Places, Floats]]:
    """(m,) some of the rows `kept`, all of one fold, and (m, c) their scores, until all were given.

    So few at a time that they stay in a core's cache, and their memory is not asked for anew for every lot.
    """
    order = kept[np.argsort(fold[kept], kind="stable")]
    ends = np.searchsorted(fold[order], np.arange(len(candidates.without) + 1))
    lot = np.empty((min(LOT, len(kept)), part.shape[1]))
    for number, (first, last) in enumerate(pairwise(ends)):
        for start in range(first, last, LOT):
            places = order[start : min(start + LOT, last)]
            rows = np.take(part, places, axis=0, out=lot[: len(places)], mode="clip")  # "raise" copies `out`
            scores = rows @ candidates.without[number].T
            scores -= candidates.offsets[number]
            yield places, np.round(scores, SCORE_DECIMALS, out=scores)


@dataclass(frozen=True)
class Found:
    """A candidate alone, and the statistic and the cut of its best prefix."""

    along: Candidates
    statistic: float
    cut: float


@dataclass(frozen=True)
class Tally:
    """Candidates and (2, c, bins): how many rows lie in each bin of each one's scores, and the sums of their values."""

    candidates: Candidates
    counts: Floats

    @classmethod
    def of(cls, candidates: Candidates, vectors: Vectors, fold: Folds, values: Values, kept: Booleans) -> Tally:
        """Of the rows that are `kept` (n,), in one reading."""
        return cls(candidates, folded(vectors, partial(_counts, candidates=candidates), total, fold, values, kept))

    def only(self, places: Places) -> Tally:
        return Tally(self.candidates.only(places), self.counts[:, places])

    def beside(self, other: Tally) -> Tally:
        return Tally(self.candidates.beside(other.candidates), np.concatenate([self.counts, other.counts], axis=1))

    def less(
        self, found: Found, vectors: Vectors, fold: Folds, values: Values, left: Booleans
    ) -> tuple[Tally, Booleans]:
        """Of the rows `left` (n,) without those that are found; and which these are (n,).

        In one reading.
        """
        work = partial(_gone, candidates=self.candidates, found=found)
        gone, counts = folded(vectors, work, total, fold, values, left)
        return Tally(self.candidates, self.counts - counts), left & ~np.concatenate(gone)

    def reached(self) -> tuple[Floats, Floats]:
        """(2, c, b): the counts of the bins up to the highest one that a row reaches; and of each and all above it."""
        within = self.counts[:, :, : int(np.flatnonzero(self.counts[0].any(axis=0)).max(initial=-1)) + 1]
        return within, np.cumsum(within[:, :, ::-1], axis=2)[:, :, ::-1]

    def statistics(self, remaining: Values, sizes: Sizes) -> Floats:
        """(c, b): the scan statistic of what lies in each bin that is reached and above, 0 where it may be no slice.

        `remaining`: the values of the rows that are counted; `sizes`: the fewest and the most rows.
        """
        _, (inside, sums) = self.reached()
        return np.where(_between(inside, sizes), statistics_of(sums, inside, remaining), 0.0)

    def may_end(self, remaining: Values, sizes: Sizes) -> Booleans:
        """(c, b): where, of the bins that are reached, the prefix with the highest statistic of all candidates may end.

        With errors no prefix that ends within a bin has a higher statistic than if the bin's errors came first: the
        statistic is convex in errors and rows, and so is highest in a corner of what they can be.
        """
        (within, its_sums), (inside, sums) = self.reached()
        may = (within > 0) & (inside >= sizes[0]) & (inside - within < sizes[1])
        if remaining.dtype != bool:
            return np.asarray(may)
        before, errors = inside - within, sums - its_sums
        ends = [(sums, inside), (errors, before), (sums, before + its_sums)]
        bound = np.maximum.reduce([statistics_of(*end, remaining) for end in ends])
        return np.asarray(may & (bound >= (1 - ROUNDING) * self.statistics(remaining, sizes).max(initial=0.0)))


def best_candidate(
    promising: Floats, tally: Tally, vectors: Vectors, fold: Folds, values: Values, left: Booleans, sizes: Sizes
) -> Found | None:
    """The candidate with the highest scan statistic among the rows that are `left` (n,); ties go to the first.

    `promising` (c,): the statistics of their tallies, 0 for one that may not be taken; `values` (n,) errors or losses;
    `sizes`: the fewest and the most rows. Cut and statistic are those of the scores themselves; which candidate is
    best is judged among the four that promise most. Of them only scores in bins where the best may end are asked for.
    """
    places = np.argsort(-promising, kind="stable")[:FINALISTS]
    finalists = np.sort(places[promising[places] > 0])
    if not len(finalists):
        return None
    few, remaining = tally.only(finalists), values[left]
    work = partial(_scored_in, candidates=few.candidates, bins=few.may_end(remaining, sizes))
    scored = mapped(vectors, work, fold, values, left)
    within, through = few.reached()
    above = through - within
    best = None
    for number in range(len(finalists)):
        _, scores, judged = scored[scored[:, 0] == number].T
        statistic, cut = _best_end(scores, judged, above[:, number], remaining, sizes)
        if statistic > (best.statistic if best else 0.0):
            best = Found(few.candidates.only(np.array([number])), statistic, cut)
    return best


def _best_end(scores: Floats, judged: Floats, above: Floats, remaining: Values, sizes: Sizes) -> tuple[float, float]:
    """The highest statistic of a prefix that ends with one of these scores (m,), and that score; the highest of them.

    `judged` (m,): the values of their rows; `above` (2, bins): rows and their sums above each bin, all of whose scores
    are here or none.
    """
    order = np.argsort(-scores)
    scores, running = scores[order], np.cumsum(judged[order])
    bins = _bins_of(scores.copy())
    firsts = np.searchsorted(-bins, -bins)
    before = np.concatenate([[0.0], running])[firsts]
    ends = np.flatnonzero(np.append(starts_of(scores)[1:], True)) if len(scores) else np.empty(0, np.intp)
    rows, sums = above[:, bins[ends]]
    inside, sums = rows + (ends - firsts[ends] + 1), sums + (running - before)[ends]
    statistics = np.where(_between(inside, sizes), statistics_of(sums, inside, remaining), 0.0)
    best = int(np.argmax(statistics)) if len(ends) else -1
    return (float(statistics[best]), float(scores[ends[best]])) if best >= 0 else (0.0, 0.0)


def _between(inside: Floats, sizes: Sizes) -> Booleans:
    return (inside >= sizes[0]) & (inside <= sizes[1])


def starts_of(ordered: Floats) -> Booleans:
    """Where a new score begins in scores that are ordered."""
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def _bins_of(scores: Floats) -> Places:
    """The bins of scores, which are written over."""
    scores -= LOWEST
    scores *= PER_DEVIATION
    return np.clip(scores, 0, BINS - 1, out=scores).astype(np.intp)


def _counts(part: Floats, fold: Folds, values: Values, kept: Booleans, candidates: Candidates) -> Floats:
    number, every = len(candidates.whole), np.flatnonzero(kept)
    bins, judged, done = np.empty((len(every), number), np.intp), np.empty(len(every), values.dtype), 0
    first, is_error = np.arange(number) * BINS, values.dtype == bool
    for places, scores in _by_lots(part, fold, every, candidates):
        here = slice(done, done + len(places))
        np.add(_bins_of(scores), first, out=bins[here])
        judged[here], done = values[places], here.stop
        if is_error:
            bins[here] += np.where(judged[here, None], number * BINS, 0)
    if is_error:
        right, wrong = np.bincount(bins.ravel(), minlength=2 * number * BINS).reshape(2, number, BINS)
        return np.array([right + wrong, wrong], float)
    rows = np.bincount(bins.ravel(), minlength=number * BINS)
    sums = np.bincount(bins.ravel(), np.repeat(judged, number), number * BINS)
    return np.stack([rows, sums]).astype(float).reshape(2, number, BINS)


def _gone(part: Floats, fold: Folds, values: Values, left: Booleans, candidates: Candidates, found: Found) -> list[Any]:
    """The rows (m,) that go, as a list of one, and what they count for in a tally of the candidates."""
    gone = left & (_scores(part, fold, found.along)[:, 0] >= found.cut)
    return [[gone], _counts(part, fold, values, gone, candidates)]


def _scored_in(
    part: Floats, fold: Folds, values: Values, left: Booleans, candidates: Candidates, bins: Booleans
) -> Floats:
    """(m, 3): candidate, score and value of each row that is left, where its score lies in one of those bins (c, b)."""
    found = [np.empty((0, 3))]
    for places, scores in _by_lots(part, fold, np.flatnonzero(left), candidates):
        rows, numbers = np.nonzero(bins[np.arange(len(bins)), _bins_of(scores.copy())])
        found.append(np.column_stack([numbers, scores[rows, numbers], values[places[rows]]]))
    return np.concatenate(found)
