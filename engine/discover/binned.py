"""Taking the best candidates in turn where rows times candidates are too many to be held: scores counted in bins."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scan import Booleans, Floats, Values, best_prefix, mean_scan_statistic, scan_statistic

LOWEST, PER_DEVIATION, BINS = -1.0, 64, 2048
"""Scores (standard deviation 1) are counted in steps of 1/64, from -1 (all that is lower) to 31 (all that is higher).

No slice ends lower: half of its class is more than it may hold.
"""
FINALISTS = 4
"""So many candidates, the best by their counts, are judged by every row's own score."""

Scored = Iterator[tuple[slice, Floats]]
"""Where some rows stand, and their scores (m, c) along the candidates asked for; all rows in turn."""


@dataclass(frozen=True)
class Found:
    """A candidate, the statistic and the cut of its best prefix, and every row's score along it (n,)."""

    candidate: int
    statistic: float
    cut: float
    scores: Floats


def best_candidate(
    score: Callable[[NDArray[np.intp]], Scored],
    candidates: NDArray[np.intp],
    values: Values,
    left: Booleans,
    smallest: int,
    largest: int,
) -> Found | None:
    """The candidate with the highest scan statistic among the rows that are `left` (n,); ties go to the first.

    `score(candidates)` reads the rows' scores, two times; `values` (n,) errors or losses. Cut and statistic are those
    of the scores themselves; which candidate is best is judged among the four that are best where prefixes may end
    between bins alone.
    """
    promising = _binned(score(candidates), values, left, len(candidates), smallest, largest)
    places = np.argsort(-promising, kind="stable")[:FINALISTS]
    finalists = np.sort(candidates[places[promising[places] > 0]])
    scores = np.empty((len(finalists), len(values)))
    for here, part in score(finalists):
        scores[:, here] = part.T
    best = None
    rest = np.flatnonzero(left)
    for number, column in zip(finalists, scores, strict=True):
        order = rest[np.argsort(-column[rest])]
        ranked = column[order]
        statistic, length = best_prefix(values[order], starts_of(ranked), smallest, largest)
        if statistic > (best.statistic if best else 0.0):
            best = Found(int(number), statistic, float(ranked[length - 1]), column)
    return best


def starts_of(ordered: Floats) -> Booleans:
    """Where a new score begins in scores that are ordered."""
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def _binned(scored: Scored, values: Values, left: Booleans, candidates: int, smallest: int, largest: int) -> Floats:
    """(c,): each candidate's highest scan statistic among the prefixes of the rows left that end between two bins."""
    rows, sums = np.zeros(candidates * BINS), np.zeros(candidates * BINS)
    offsets = np.arange(candidates) * BINS
    for here, scores in scored:
        kept = left[here]
        judged = values[here][kept]
        bins = np.clip((scores[kept] - LOWEST) * PER_DEVIATION, 0, BINS - 1).astype(np.intp) + offsets
        rows += np.bincount(bins.ravel(), minlength=len(rows))
        if values.dtype == bool:
            sums += np.bincount(bins[judged].ravel(), minlength=len(rows))
        else:
            sums += np.bincount(bins.ravel(), np.repeat(judged, candidates), len(rows))
    inside = np.cumsum(rows.reshape(candidates, BINS)[:, ::-1], axis=1)
    total = np.cumsum(sums.reshape(candidates, BINS)[:, ::-1], axis=1)
    remaining = values[left]
    if values.dtype == bool:
        found = scan_statistic(total, inside, remaining.sum(), len(remaining))
    else:
        squares = float((remaining**2).sum())
        found = mean_scan_statistic(total, inside, remaining.sum(), squares, len(remaining))
    return np.asarray(np.where((inside >= smallest) & (inside <= largest), found, 0.0).max(axis=1))
