"""How near phrases lie to slices: cosines with the way from the centroid of a slice's class to the slice's own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from misread.describe import LISTED, TERM, UNMENTIONED, Bank, Booleans, Chooser, Floats, Places, Saying
from misread.plan import Scan
from misread.schemas.tables import VECTOR
from misread.store import TableStore

from .steps import FusedSamples

AT_ONCE: Final = 8192
DIGITS: Final = 9
TERM_BONUS: Final = 0.5
"""Standard errors that a listed name is worth beside the wordings of single reports."""
Batches = Iterable[tuple[Places, Floats]]


@dataclass
class Way:
    """One slice's rows, and the sums of their vectors. `rows`: places of the discovery rows of its class; `inside`
    (r,): which are in the slice; `items`: places in the bank of the phrases asked for."""

    rows: Places
    inside: Booleans
    items: Places
    count: int = 0
    total: Floats = field(default_factory=lambda: np.zeros(0))
    mine: Floats = field(default_factory=lambda: np.zeros(0))
    mine_count: int = 0
    of_items: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    item_counts: Floats = field(default_factory=lambda: np.zeros(0))

    def add(self, places: Places, vectors: Floats, samples: int, bank: Bank) -> None:
        role = np.zeros(samples, np.int8)
        role[self.rows] = 1 + self.inside
        own = role[places] > 0
        rows, some = places[own], vectors[own]
        mine = role[rows] == 2
        self.total = _plus(self.total, some.sum(axis=0))
        self.mine = _plus(self.mine, some[mine].sum(axis=0))
        self.count += len(rows)
        self.mine_count += int(mine.sum())
        if len(self.items):
            self.of_items = _plus(self.of_items, bank.sums(rows, some, self.items))
            self.item_counts = _plus(self.item_counts, bank.sums(rows, np.ones((len(rows), 1)), self.items)[:, 0])

    @property
    def direction(self) -> Floats:
        """(d,) of length 1; zeros where the slice has no vector, or lies at the middle of its class."""
        if not self.mine_count:
            return np.zeros_like(self.total)
        return unit(self.mine / self.mine_count - self.total / self.count)

    def nearness(self) -> Floats:
        """(k,): the cosine of each item, an item's vector being the centroid of the rows that have it."""
        if not self.count or not len(self.items):
            return np.zeros(len(self.items))
        centers = self.of_items / np.maximum(self.item_counts, 1)[:, None] - self.total / self.count
        return np.asarray(unit(centers) @ self.direction)


def _plus(total: Floats, more: Floats) -> Floats:
    return total + more if total.size else np.asarray(more, float)


def unit(rows: Floats) -> Floats:
    """Rows scaled to length 1; one of zeros stays."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))


def walk(ways: Sequence[Way], batches: Batches, samples: int, bank: Bank) -> None:
    """Fills the sums of every slice in one reading of the vectors."""
    for places, vectors in batches:
        for way in ways:
            way.add(places, vectors, samples, bank)


def chosen_phrases(
    bank: Bank,
    slices: Sequence[tuple[Places, Booleans]],
    batches: Batches,
    most: int,
    vectors_of: Callable[[list[str]], Floats] | None = None,
) -> list[list[tuple[int, float]]]:
    """Of every slice at most `most` phrases, best first: their places in the bank, and their cosines to the slice.

    `slices`: the places of the discovery rows of the slice's class and which of them are inside; `batches`: the vectors
    of all rows, a batch at a time; `vectors_of`: the vectors of phrases in their space, from the middle of all phrases.
    Where phrases have none, a phrase lies where the rows that have it do.
    """
    choosers, ways = [], []
    for places, inside in slices:
        known = bank.known[places]
        choosers.append(Chooser(bank, places[known], inside[known]))
        ways.append(Way(places, inside, choosers[-1].shortlist))
    walk(ways, batches, len(bank.known), bank)
    chosen = []
    for chooser, way in zip(choosers, ways, strict=True):
        sayings = [bank.items[item] for item in chooser.shortlist]
        shown = [saying.shown for saying in sayings]
        near = way.nearness() if vectors_of is None or not shown else vectors_of(shown) @ way.direction
        bonus = np.array([_bonus(saying) for saying in sayings], float)
        score = dict(zip(chooser.shortlist.tolist(), np.round(near, DIGITS).tolist(), strict=True))
        picked = chooser.choose(np.round(near, DIGITS), shown, bonus, most)
        chosen.append([(item, score[item]) for item in picked.tolist()])
    return chosen


def _bonus(saying: Saying) -> float:
    """What is said of a thing goes before what is not said of it."""
    if saying.assertion == UNMENTIONED:
        return -TERM_BONUS
    return TERM_BONUS if saying.source in (TERM, LISTED) else 0.0


def fused_batches(fused: FusedSamples) -> Iterator[tuple[Places, Floats]]:
    """The fused vectors of the samples that are not left out."""
    kept = np.flatnonzero(fused.samples["left_out"].is_null().to_numpy())
    for start in range(0, len(kept), AT_ONCE):
        places = kept[start : start + AT_ONCE]
        yield places, fused.vectors[places]


def stored_batches(store: TableStore, scan: Scan, fused: FusedSamples) -> Iterator[tuple[Places, Floats]]:
    """One encoder's vectors of the samples that are not left out, scaled to length 1, in the order they are stored in.

    A sum of them depends on that order in its last digits alone: cosines are rounded.
    """
    place = {sample: row for row, sample in enumerate(fused.samples["sample_id"])}
    kept = fused.samples["left_out"].is_null().to_numpy()
    for batch in store.table(scan.table).batches(["sample_id", VECTOR]):
        found = np.array([place.get(sample, -1) for sample in batch.column("sample_id").to_pylist()], np.intp)
        there = found >= 0
        there[there] = kept[found[there]]
        flat = batch.column(VECTOR).flatten().to_numpy(zero_copy_only=False).reshape(len(found), -1)
        yield found[there], unit(np.asarray(flat[there], float))
