"""Taking the best candidates in turn where rows times candidates are too many to be held: scores counted in bins."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from .scan import Booleans, Floats, Values, best_prefix, mean_scan_statistic, scan_statistic

LOWEST, PER_DEVIATION, BINS = -1.0, 64, 2048
"""Scores (standard deviation 1) are counted in steps of 1/64, from -1 (all that is lower) to 31 (all that is higher).

No slice ends lower: half of its class is more than it may hold.
"""
MOST_ALIKE = 0.7
"""Candidates whose scores correlate more than this with a slice already taken are that slice again."""
FINALISTS = 4
"""So many candidates, the best by their counts, are judged by every row's own score."""

Scored = Iterator[tuple[slice, Floats]]
"""Where some rows stand, and their scores (m, c) along the candidates asked for; all rows in turn."""


def take_in_turn(
    score: Callable[[NDArray[np.intp]], Scored],
    values: Values,
    alike: Floats,
    smallest: int,
    largest: int,
    most: int,
) -> list[tuple[int, float, float]]:
    """(candidate, cut, statistic): the best, its rows and those like it removed, then the best of what is left.

    `score(candidates)` reads the rows' scores; `values` (n,) errors or losses; `alike` (c, c). Two readings a slice.
    Cut and statistic are those of the scores themselves; which candidate is best is judged among the four that are
    best where prefixes may end between bins alone.
    """
    left = np.ones(len(values), bool)
    running = np.arange(len(alike))
    taken: list[tuple[int, float, float]] = []
    while len(taken) < most and len(running):
        promising = _binned(score(running), values, left, len(running), smallest, largest)
        places = np.argsort(-promising, kind="stable")[:FINALISTS]
        finalists = np.sort(running[places[promising[places] > 0]])
        if not len(finalists):
            break
        scores = np.empty((len(values), len(finalists)))
        for here, part in score(finalists):
            scores[here] = part
        best, value, cut = -1, 0.0, 0.0
        rest = np.flatnonzero(left)
        for place, column in enumerate(scores.T):
            order = rest[np.argsort(-column[rest])]
            ranked = column[order]
            statistic, length = best_prefix(values[order], starts_of(ranked), smallest, largest)
            if statistic > value:
                best, value, cut = place, statistic, float(ranked[length - 1])
        if best < 0:
            break
        number = int(finalists[best])
        taken.append((number, cut, value))
        left &= scores[:, best] < cut
        running = running[alike[number, running] < MOST_ALIKE]
    return taken


def starts_of(ordered: Floats) -> Booleans:
    """Where a new score begins in scores that are ordered."""
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def _binned(
    scored: Scored, values: Values, left: Booleans, candidates: int, smallest: int, largest: int
) -> Floats:
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
