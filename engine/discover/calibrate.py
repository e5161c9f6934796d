"""How high the scan statistic climbs when errors or losses have nothing to do with the vectors."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import SIGNIFICANCE
from misread.threads import in_order

from .patients import PatientShuffle
from .pools import MOST_ERRORS
from .scan import Values
from .search import ClassRows, ClassSearch

FIRST_LOOK, LOOK = 99, 100
"""A statistic is found significant after 99 shuffles at the soonest, or after 199, 299 and so on."""
SHUFFLES, MANY_ROWS = 399, 50_000
"""Shuffles at most where nothing else is asked; a class of more rows is shuffled 99 times, for the time it takes."""
SURE, HOPELESS, FEWEST_HITS = 0.99, 0.001, 5
"""How likely a statistic must be, or not be, to stay significant for no more shuffles to be made; what is not offered
is passed by five of them at least, so that its p-value is more than a guess."""


def _unwatched(done: int) -> None: ...


def search_p_values(
    rows: ClassRows,
    statistics: Sequence[float],
    *,
    smallest: int,
    permutations: int | None,
    seed: int,
    pool: int = MOST_ERRORS,
    tick: Callable[[int], None] = _unwatched,
) -> NDArray[np.float64]:
    """For each statistic of a class, how often the best of a search over shuffled losses is at least as high.

    Errors or losses are shuffled within the class, whole patients at a time, and the search is run again:
    p = (1 + hits) / (1 + shuffles), which holds whatever law losses follow, however heavy their tail. At most
    `permutations` shuffles are made (None: see `most_shuffles`), for each statistic until more of them would hardly
    change whether it is significant, see `decided`: so p is made to be compared with 5 %, and rough at other levels.
    Of 5,400 chance findings (errors and losses, of patients with one row and with 1 to 7 alike ones) 1.2, 2.3, 4.8, 9.1
    and 17.4 % had p of at most 1, 2, 5, 10 and 20 %. `tick(done)` after each shuffle. NaN without shuffles.
    """
    observed = np.asarray(statistics, float)
    most = most_shuffles(permutations, len(rows.losses))
    if not len(observed) or most < 1:
        return np.full(len(observed), np.nan)
    again = ClassSearch(rows, pool)
    draws = PatientShuffle(rows.patients).draws(rows.losses, most, rows.seed(seed))
    hits, shuffles, undecided = np.zeros(len(observed), int), np.zeros(len(observed), int), np.ones(len(observed), bool)

    def highest(losses: Values) -> float:
        return max((rule.statistic for rule in again.rules(losses, smallest=smallest, most=1)), default=0.0)

    for done, statistic in enumerate(in_order(highest, draws), start=1):
        hits += undecided & (statistic >= observed)
        shuffles += undecided
        undecided &= ~decided(hits, done, most)
        tick(done)
        if not undecided.any():
            break
    return np.asarray((1 + hits) / (1 + shuffles))


def most_shuffles(permutations: int | None, rows: int) -> int:
    """Shuffles of a class of so many rows at most: what is asked for, else 399, or 99 of more than 50,000 rows."""
    if permutations is not None:
        return permutations
    return SHUFFLES if rows <= MANY_ROWS else FIRST_LOOK


def decided(hits: NDArray[np.intp], done: int, most: int) -> NDArray[np.bool_]:
    """(n,): of which statistics more shuffles, up to `most`, would hardly change whether they are significant.

    `hits` (n,): how many of `done` shuffles reached each. Going by these and no other knowledge (uniform prior), how
    likely a statistic is significant after all shuffles is hypergeometric: that of `done` + 1 ranks, drawn of 1 to
    `most` + 1, more than `hits` are among those that are significant. It is decided below 1 in 1,000 (and five hits),
    looked at after every shuffle, and above 99 in 100, looked at after 99, 199, ... shuffles. A chance finding is
    significant with a probability of .0501 at most then (up to 1,999 shuffles; a test works it out up to 999), or .0502
    (9,999).
    """
    if done == most:
        return np.ones(len(hits), bool)
    from scipy.stats import hypergeom

    likely = hypergeom.sf(hits, most + 1, int(SIGNIFICANCE * (1 + most)), done + 1)
    hopeless = (likely < HOPELESS) & (hits >= FEWEST_HITS)
    return np.asarray(hopeless | ((likely > SURE) & (done % LOOK == FIRST_LOOK)))
