"""How high the scan statistic climbs when errors or losses have nothing to do with the vectors."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from misread.threads import in_order

from .patients import PatientShuffle
from .pools import MOST_ERRORS
from .scan import Values
from .search import ClassRows, ClassSearch

SIGNIFICANCE = 0.05


def _unwatched(done: int) -> None: ...


def search_p_values(
    rows: ClassRows,
    statistics: Sequence[float],
    *,
    smallest: int,
    permutations: int,
    seed: int,
    pool: int = MOST_ERRORS,
    tick: Callable[[int], None] = _unwatched,
) -> NDArray[np.float64]:
    """For each statistic of a class, how often the best of a search over shuffled losses is at least as high.

    Errors or losses are shuffled within the class, whole patients at a time, and the search is run again:
    p = (1 + hits) / (1 + shuffles), which holds whatever law losses follow, however heavy their tail. Stops early once
    even the highest statistic cannot come under the significance level (Besag and Clifford 1991). `tick(done)` after
    each shuffle. NaN without shuffles.
    """
    observed = np.asarray(statistics, float)
    if not len(observed) or permutations < 1:
        return np.full(len(observed), np.nan)
    hits = np.zeros(len(observed), int)
    enough = int(np.floor(SIGNIFICANCE * (1 + permutations)))  # this many hits of the best: never significant
    again = ClassSearch(rows, pool)
    draws = PatientShuffle(rows.patients).draws(rows.losses, permutations, rows.seed(seed))

    def highest(losses: Values) -> float:
        return max((rule.statistic for rule in again.rules(losses, smallest=smallest, most=1)), default=0.0)

    for done, statistic in enumerate(in_order(highest, draws), start=1):
        hits += statistic >= observed
        tick(done)
        if hits[np.argmax(observed)] >= enough:
            break
    return np.asarray((1 + hits) / (1 + done))
