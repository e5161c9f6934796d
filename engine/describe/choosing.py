"""Which items tell a slice: how strongly they go with it on the rows that suggested it, and how near to it they lie."""

from typing import Final, Generic

import numpy as np
from numpy.typing import NDArray

from .incidence import FEWEST_ROWS, Booleans, Floats, Incidence, K

Places = NDArray[np.intp]

SHORTLIST: Final = 400
LEAST_STRENGTH: Final = 2.0
"""Standard errors by which an item must go with the slice, beside the items already chosen."""
SAME_ROWS: Final = 0.8
"""Of two items that share this much of the slice's rows (Jaccard), the better one is kept."""
STRATA: Final = 8


def strengths(inside: Places | Floats, outside: Places | Floats, n_inside: int, n_outside: int) -> Floats:
    """(m,) signed roots of the likelihood ratio statistic that an item is as frequent inside as outside.

    `inside`, `outside` (m,): how many of `n_inside` and `n_outside` rows have it. About standard errors; above 0 where
    it is more frequent inside. Unlike a ratio of odds it needs no correction of empty cells, which are the best ones.
    """
    if not n_inside or not n_outside:
        return np.zeros(len(inside))
    a, b = np.asarray(inside, float), np.asarray(outside, float)
    gain = _likelihood(a, n_inside) + _likelihood(b, n_outside) - _likelihood(a + b, n_inside + n_outside)
    return np.asarray(np.sign(a * n_outside - b * n_inside) * np.sqrt(np.maximum(2 * gain, 0)))


def _likelihood(hits: Floats, rows: int) -> Floats:
    rest = rows - hits
    terms = [k * np.log(np.where(k > 0, k, 1) / rows) for k in (hits, rest)]
    return np.asarray(terms[0] + terms[1])


class Chooser(Generic[K]):
    """Chooses among the items of one slice. `rows` (r,): the discovery rows that have a text; `inside` (r,) bool.

    `shortlist` (k,): the places of the items that at least 3 rows inside have and that are more frequent inside, the
    strongest 400 of them (ties by order of items).
    """

    def __init__(self, items: Incidence[K], rows: Places, inside: Booleans) -> None:
        self._inside = inside
        has = items.has[rows]
        mine, others = (np.asarray(has.T @ some.astype(np.int64), np.int64) for some in (inside, ~inside))
        strength = strengths(mine, others, int(inside.sum()), int((~inside).sum()))
        able = np.flatnonzero((mine >= FEWEST_ROWS) & (strength > 0))
        self.shortlist: Places = np.sort(able[np.argsort(-strength[able], kind="stable")][:SHORTLIST])
        self._short = has[:, self.shortlist]

    def choose(self, nearness: Floats | None, shown: list[str], bonus: Floats, most: int) -> Places:
        """At most `most` items, best first: each by what it adds to those before it.

        The next item has the highest strength, within the strata that those before it make, times 1 + `nearness`
        (k,), its cosine to the slice, plus `bonus` (k,). `shown`: what it is called; no name comes twice, nor an item
        of mostly the same rows as another. Ties: the longer name, then the order of items.
        """
        near = np.zeros(len(self.shortlist)) if nearness is None else np.maximum(nearness, -1.0)
        longer = 1e-9 * np.array([len(name.split()) for name in shown], float)
        strata = np.zeros(len(self._inside), np.intp)
        chosen: list[int] = []
        taken: list[Booleans] = []
        open_ = np.ones(len(self.shortlist), bool)
        while len(chosen) < most and open_.any():
            strength = self._within(strata)
            able = np.flatnonzero(open_ & (strength >= LEAST_STRENGTH))
            if not len(able):
                break
            worth = strength[able] * (1 + near[able]) + bonus[able] + longer[able]
            best = int(able[np.argmax(worth)])
            open_[best] = False
            column = np.asarray(self._short[:, [best]].toarray()[:, 0]).astype(bool)
            mine = column & self._inside
            if shown[best] in {shown[i] for i in chosen} or any(_jaccard(mine, other) >= SAME_ROWS for other in taken):
                continue
            chosen.append(best)
            taken.append(mine)
            if strata.max(initial=0) * 2 + 1 < STRATA:
                strata = strata * 2 + column
        return self.shortlist[np.array(chosen, np.intp)]

    def _within(self, strata: Places) -> Floats:
        """(k,): the strength of each item within strata; their statistics are added up, each with its sign."""
        total = np.zeros(len(self.shortlist))
        for stratum in np.unique(strata):
            here = strata == stratum
            mine, others = here & self._inside, here & ~self._inside
            signed = strengths(self._counted(mine), self._counted(others), int(mine.sum()), int(others.sum()))
            total += np.sign(signed) * signed**2
        return np.asarray(np.sign(total) * np.sqrt(np.abs(total)))

    def _counted(self, rows: Booleans) -> NDArray[np.int64]:
        return np.asarray(self._short.T @ rows.astype(np.int64), np.int64)


def _jaccard(one: Booleans, other: Booleans) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))
