"""Would the search find the same slices in other patients?"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from misread.threads import in_order

from .patients import Codes
from .pools import MOST_ERRORS
from .rule import Rule
from .search import ClassRows, search


def stabilities(
    rows: ClassRows,
    rules: Sequence[Rule],
    *,
    smallest: int,
    most: int,
    resamples: int,
    seed: int,
    pool: int = MOST_ERRORS,
    tick: Callable[[], None] = lambda: None,
) -> NDArray[np.float64]:
    """(r,): for each rule of a class, how well searches over bootstrap samples of its patients find it again.

    The patients are drawn with replacement `resamples` times, all rows of a patient each time it is drawn, and the
    search is run on the rows drawn. Each rule is matched to the rule of that search with the highest Jaccard overlap
    (rows both take / rows either takes, of the class's own rows); the mean overlap is given, 0 counting where the
    search finds nothing (Hennig 2007, clusterwise assessment by the bootstrap). Between 0 and 1; NaN without
    resamples. Costs `resamples` searches, however many rules; `tick` is called after each.
    """
    if not rules or resamples < 1:
        return np.full(len(rules), np.nan)
    taken = _taken(rows, rules)
    total = np.zeros(len(rules))

    def overlaps(drawn: Codes) -> NDArray[np.float64]:
        # a patient drawn twice keeps its number, so that its copies share a fold of the search
        again = search(rows.drawn(drawn), smallest=smallest, most=most, pool=pool)
        return _best_overlaps(taken, _taken(rows, again))

    for found in in_order(overlaps, bootstrap_rows(rows.patients, resamples, rows.seed(seed)), waiting=0):
        total += found
        tick()
    return np.asarray(total / resamples)


def bootstrap_rows(patients: Codes, resamples: int, seed: int) -> Iterator[Codes]:
    """Row numbers, in rising order, of so many draws of as many patients as there are, with replacement."""
    _, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
    generator = np.random.default_rng(seed)
    for _ in range(resamples):
        times = np.bincount(generator.integers(0, len(counts), len(counts)), minlength=len(counts))
        yield np.repeat(np.arange(len(codes)), times[codes])


def _taken(rows: ClassRows, rules: Sequence[Rule]) -> NDArray[np.bool_]:
    """(r, n): which rows each rule takes."""
    taken = [rule.takes(rows.vectors) for rule in rules]
    return np.array(taken, bool).reshape(len(rules), len(rows.losses))


def _best_overlaps(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(r,): each of our sets' highest Jaccard overlap with any of theirs."""
    both = np.array([[np.count_nonzero(mine & other) for other in theirs] for mine in ours], float)
    both = both.reshape(len(ours), len(theirs))
    either = ours.sum(axis=1)[:, None] + theirs.sum(axis=1)[None, :] - both
    return np.asarray((both / np.maximum(either, 1)).max(axis=1, initial=0.0))
