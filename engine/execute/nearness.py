"""How near phrases lie to slices: cosines with the way from the centroid of a slice's class to the slice's own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.aligned import located
from misread.describe import LISTED, TERM, UNMENTIONED, Bank, Booleans, Chooser, Floats, Places, Saying
from misread.plan import Scan
from misread.principal import unit
from misread.schemas.tables import VECTOR
from misread.schemas.values import SCORE_DECIMALS
from misread.spill import Vectors, folded, total
from misread.store import TableStore

from .steps import FusedSamples

TERM_BONUS: Final = 0.5
"""Standard errors that a listed name is worth beside the wordings of single reports."""
Batches = Iterable[tuple[Places, Floats]]
Reading = Callable[..., list[Floats]]
"""Of `work` and arrays (n, ...) it gives the sum of what `work(some vectors, their rows of the arrays)` gives."""
Searched = tuple[Places, Booleans]
"""The places (r,) of the discovery rows of a slice's class, and which of them (r,) are in the slice."""


@dataclass(frozen=True, eq=False)
class SliceSums:
    """`sums` (2 + k, d + 1) of the vectors of the discovery rows of a slice's class, of those in the slice, and of
    those that have each of k phrases; last, their numbers of rows with a vector."""

    sums: Floats

    @property
    def center(self) -> Floats:
        """(d,): the class's."""
        return np.asarray(self.sums[0, :-1] / max(self.sums[0, -1], 1.0))

    @property
    def direction(self) -> Floats:
        """(d,) of length 1; zeros where the slice has no vector, or lies at the middle of its class."""
        mine = self.sums[1, -1]
        return unit(self.sums[1, :-1] / mine - self.center) if mine else np.zeros_like(self.center)

    def nearness(self) -> Floats:
        """(k,): the cosine of each phrase, whose vector is the centroid of the rows that have it."""
        centers = self.sums[2:, :-1] / np.maximum(self.sums[2:, -1:], 1.0) - self.center
        return np.asarray(unit(centers) @ self.direction)


def slice_sums(slices: Sequence[Searched], phrases: Sequence[Places], bank: Bank, reading: Reading) -> list[SliceSums]:
    """Of every slice, in one reading of the vectors. `phrases`: the places in the bank of those asked of it."""
    roles = np.zeros((len(bank.known), len(slices)), np.int8)
    for role, (rows, inside) in zip(roles.T, slices, strict=True):
        role[rows] = 1 + inside
    items = np.unique(np.concatenate(phrases))
    columns = [np.searchsorted(items, mine) for mine in phrases]
    return list(map(SliceSums, reading(partial(_sums, columns=columns), roles, bank.has[:, items])))


def _sums(vectors: Floats, roles: NDArray[np.int8], has: Any, columns: Sequence[Places]) -> list[Floats]:
    """Of every slice its sums; `roles` (r, s): 1 for a row of its class, 2 for one of its own; `has` (r, m)."""
    counted = np.column_stack([vectors, np.ones(len(vectors))])
    found = []
    for role, mine in zip(roles.T, columns, strict=True):
        own = np.flatnonzero(role)
        rows = counted[own]
        of_items = has[own][:, mine].astype(float).T @ rows
        found.append(np.vstack([rows.sum(axis=0), rows[role[own] == 2].sum(axis=0), of_items]))
    return found


def chosen_phrases(
    bank: Bank,
    slices: Sequence[Searched],
    reading: Reading,
    most: int,
    vectors_of: Callable[[list[str]], Floats] | None = None,
) -> list[list[tuple[int, float]]]:
    """Of every slice at most `most` phrases, best first: their places in the bank, and their cosines to the slice.

    `reading`: of the vectors of all rows; `vectors_of`: the vectors of phrases in their space, from the middle of all
    phrases. Where phrases have none, a phrase lies where the rows that have it do.
    """
    choosers = []
    for places, inside in slices:
        known = bank.known[places]
        choosers.append(Chooser(bank, places[known], inside[known]))
    chosen = []
    each = slice_sums(slices, [chooser.shortlist for chooser in choosers], bank, reading)
    for chooser, sums in zip(choosers, each, strict=True):
        sayings = [bank.items[item] for item in chooser.shortlist]
        shown = [saying.shown for saying in sayings]
        near = sums.nearness() if vectors_of is None or not shown else vectors_of(shown) @ sums.direction
        bonus = np.array([_bonus(saying) for saying in sayings], float)
        score = dict(zip(chooser.shortlist.tolist(), np.round(near, SCORE_DECIMALS).tolist(), strict=True))
        picked = chooser.choose(np.round(near, SCORE_DECIMALS), shown, bonus, most)
        chosen.append([(item, score[item]) for item in picked.tolist()])
    return chosen


def _bonus(saying: Saying) -> float:
    """What is said of a thing goes before what is not said of it."""
    if saying.assertion == UNMENTIONED:
        return -TERM_BONUS
    return TERM_BONUS if saying.source in (TERM, LISTED) else 0.0


def over_rows(vectors: Vectors) -> Reading:
    """Reads vectors (n, d) of all rows where they lie."""
    return lambda work, *aligned: folded(vectors, work, total, *aligned)


def over_batches(batches: Batches) -> Reading:
    """Reads the vectors of some rows, a batch at a time."""
    return lambda work, *aligned: total(work(rows, *(one[places] for one in aligned)) for places, rows in batches)


def stored_batches(store: TableStore, scan: Scan, fused: FusedSamples) -> Iterator[tuple[Places, Floats]]:
    """One encoder's vectors of the samples that are not left out, scaled to length 1, in the order they are stored in.

    A sum of them depends on that order in its last digits alone: cosines are rounded.
    """
    table = store.table_at(scan.table, scan.version)
    yield np.empty(0, np.intp), np.empty((0, table.dimension))
    samples = fused.samples["sample_id"]
    kept = fused.samples["left_out"].is_null().to_numpy()
    for batch in table.batches(["sample_id", VECTOR]):
        found = located(samples, pl.Series(batch.column("sample_id")))
        there = found >= 0
        there[there] = kept[found[there]]
        flat = batch.column(VECTOR).flatten().to_numpy(zero_copy_only=False).reshape(len(found), -1)
        yield found[there], unit(flat[there])
