"""Which texts have which items: counted in one reading, and noted for the items that matter in a second."""

from array import array
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
K = TypeVar("K", bound=Hashable)
Documents = Callable[[], Iterable[tuple[int, Mapping[K, bool]]]]
"""(row, its items) by rising row, the same at every call; an item is True where it stands whole."""

FEWEST_ROWS: Final = 3
FEWEST_PATIENTS: Final = 5
"""Of how many different patients an item must be: what is said of fewer could tell who they are."""
MOST_ITEMS: Final = 20_000
WHOLE_SHARE: Final = 0.2
"""An item is kept if it stands whole in this share of its rows: "no chest drain", not "no chest"."""
COUNTED_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class Incidence(Generic[K]):
    """`has` (n, m): a sparse matrix of 0 and 1, which rows have which of `items`; `known` (n,): who has a text."""

    items: tuple[K, ...]
    has: Any
    known: Booleans

    def counts(self, rows: Booleans) -> NDArray[np.int64]:
        """(m,): how many of the rows have each item."""
        return np.asarray(self.has.T @ rows.astype(np.int64), np.int64)

    def counts_by(self, rows: NDArray[np.intp], groups: NDArray[np.intp], many: int) -> NDArray[np.int64]:
        """(many, m): how many of the `rows` (r,) of each group have each item; `groups` (r,): 0 to many - 1."""
        member = groups[:, None] == np.arange(many)
        return np.asarray((self.has[rows].T @ member.astype(np.int64)).T, np.int64)

    def of(self, item: int) -> Booleans:
        """(n,): which rows have it."""
        column = np.zeros(len(self.known), bool)
        column[self.has[:, [item]].nonzero()[0]] = True
        return column

    def of_patients(self, patients: NDArray[np.intp]) -> "Incidence[K]":
        """The items that at least 5 different patients have; `patients` (n,): whose each row is."""
        by_item = self.has.tocsc()
        rows_of = (by_item.indices[low:high] for low, high in pairwise(by_item.indptr.tolist()))
        people = [len(np.unique(patients[rows])) for rows in rows_of]
        enough = np.flatnonzero(np.array(people, np.intp) >= FEWEST_PATIENTS)
        return Incidence(tuple(self.items[item] for item in enough), self.has[:, enough], self.known)


def incidence(rows: int, documents: Documents[K], counted: Booleans, *, most: int = MOST_ITEMS) -> Incidence[K]:
    """The items that at least 3 of the rows `counted` (n,) have, and not all of them; the `most` most frequent.

    Items in order; ties by that order. Among millions of different items the rarest are forgotten on the way, so that
    what is held does not grow with the texts.
    """
    from scipy.sparse import csr_matrix

    seen: Counter[K] = Counter()
    whole: Counter[K] = Counter()
    texts = 0
    for row, items in documents():
        if counted[row]:
            texts += 1
            seen.update(items.keys())
            whole.update(item for item, stands in items.items() if stands)
            if len(seen) > COUNTED_AT_ONCE:
                _forget(seen, whole)
    kept = kept_items({item: n for item, n in seen.items() if whole[item] >= WHOLE_SHARE * n}, texts, most)
    place = {item: number for number, item in enumerate(kept)}
    known = np.zeros(rows, bool)
    places, ends = array("i"), np.zeros(rows + 1, np.int64)
    for row, items in documents():
        known[row] = True
        places.extend(sorted(place[item] for item in items if item in place))
        ends[row + 1] = len(places)
    np.maximum.accumulate(ends, out=ends)
    found = np.array(places, np.int32)
    has = csr_matrix((np.ones(len(found), np.int8), found, ends), shape=(rows, len(kept)))
    return Incidence(tuple(kept), has, known)


def kept_items(seen: Mapping[K, int], texts: int, most: int) -> list[K]:
    """The items that at least 3 of the `texts` and not all have, of how many each was `seen` in: the `most` most
    frequent, in order."""
    enough = [item for item, n in seen.items() if FEWEST_ROWS <= n < texts]
    return sorted(sorted(enough, key=lambda item: (-seen[item], item))[:most])  # type: ignore[type-var]


def _forget(seen: Counter[K], whole: Counter[K]) -> None:
    """Takes away the rarest items until half are left to count."""
    least = 1
    while len(seen) > COUNTED_AT_ONCE // 2:
        for item in [item for item, n in seen.items() if n <= least]:
            del seen[item]
            whole.pop(item, None)
        least += 1
