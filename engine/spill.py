"""Vectors that lie on disk while they are worked on, for tables of them too large to be held."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from itertools import pairwise
from operator import add
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import MisreadError
from misread.threads import in_order

Floats = NDArray[np.float64]
Places = NDArray[np.intp] | NDArray[np.bool_]
R = TypeVar("R")
Node = tuple[int, int, R]
"""What some consecutive parts give together: the number of the first of them, how many they are, and what they give."""

HELD_BYTES = 32 << 20
"""Vectors that take more than this lie on disk."""
PART_ROWS = 8192
_NUMBER = np.dtype(np.float64).itemsize
_own = threading.local()


class Parted(ABC):
    """Rows (n, k) float64 that are worked on part by part; slices, masks (n,) and row numbers read them back.

    A table's parts are `PART_ROWS` of its rows each; those of chosen rows are what was chosen of each part. Whatever
    parts give is joined two by two, then these again, always the same ones. So sums do not depend on which processes
    hold the parts, to the last digit where their processors are of one kind.
    """

    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, rows: slice | Places) -> Floats: ...

    @abstractmethod
    def folded(self, work: Callable[..., R], join: Callable[[Iterable[R]], R], *aligned: NDArray[Any]) -> R:
        """See `folded`."""

    @abstractmethod
    def chosen(self, numbers: NDArray[np.intp]) -> Vectors:
        """See `chosen`."""


class Spilled(Parted):
    """Rows (n, k) float64 in a file that has no name: nobody else can open it, and it is gone with the process.

    The rows are written once, in order, with `append`; the parts are worked on beside each other. `cuts` (p + 1,): the
    row that each part begins with, and the number of rows; without them parts are `PART_ROWS` rows.
    """

    def __init__(self, columns: int, cuts: NDArray[np.intp] | None = None) -> None:
        self._file, path = tempfile.mkstemp(prefix="misread-")
        Path(path).unlink()
        weakref.finalize(self, os.close, self._file)
        self.shape, self._cuts = (0, columns), cuts

    @property
    def cuts(self) -> NDArray[np.intp]:
        return cuts_of(len(self)) if self._cuts is None else self._cuts

    def append(self, rows: Floats) -> None:
        """Adds rows (m, k). Raises MisreadError where the disk is full."""
        content = np.ascontiguousarray(rows, np.float64).reshape(-1).view(np.uint8).data
        try:
            while content:
                content = content[os.write(self._file, content) :]
        except OSError as error:
            folder = tempfile.gettempdir()
            raise MisreadError(
                f"vectors cannot be put aside in {folder}: {error.strerror}",
                "free disk space, or name another folder in TMPDIR",
            ) from error
        self.shape = len(self) + len(rows), self.shape[1]

    def __getitem__(self, rows: slice | Places) -> Floats:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(len(self))
            rows_here = max(stop - start, 0)
            return self._read(start, np.empty((rows_here, self.shape[1])))[::step]
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        found = np.empty((len(numbers), self.shape[1]))
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        first, last = (ordered[0], ordered[-1]) if len(ordered) else (0, -1)
        for start in range(int(first), int(last) + 1, PART_ROWS):
            low, high = np.searchsorted(ordered, [start, start + PART_ROWS])
            if high > low:
                part = self._lent(start, min(start + PART_ROWS, len(self)))
                found[order[low:high]] = part[ordered[low:high] - start]
        return found

    def _lent(self, start: int, stop: int) -> Floats:
        """Rows that are there until this thread asks for others: memory that is new each time costs a third more."""
        needed = (stop - start) * self.shape[1]
        if len(getattr(_own, "numbers", ())) < needed:
            _own.numbers = np.empty(needed)
        return self._read(start, _own.numbers[:needed].reshape(-1, self.shape[1]))

    def _read(self, start: int, found: Floats) -> Floats:
        """`found` (m, k), filled with the rows from `start` on."""
        view, place = found.reshape(-1).view(np.uint8).data, start * self.shape[1] * _NUMBER
        while view:
            read = os.preadv(self._file, [view], place)
            if not read:
                raise MisreadError("vectors put aside on disk were cut short", "run the same command again")
            view, place = view[read:], place + read
        return found

    def folded(self, work: Callable[..., R], join: Callable[[Iterable[R]], R], *aligned: NDArray[Any]) -> R:
        return joined(self.nodes(work, join, aligned), join)

    def nodes(
        self,
        work: Callable[..., R],
        join: Callable[[Iterable[R]], R],
        aligned: Sequence[NDArray[Any]],
        *,
        first: int = 0,
        beside: int | None = None,
    ) -> list[Node[R]]:
        """What the parts give, joined as far as they can be without others; `first`: the number of the first part.

        `beside`: how many parts are worked on at a time; None: as many as there are cores.
        """

        def of_part(part: tuple[int, tuple[int, int]]) -> Node[R]:
            number, (start, stop) = part
            here = slice(start, stop)
            return number, 1, work(self._lent(start, stop), *(array[here] for array in aligned))

        return climbed(in_order(of_part, enumerate(pairwise(self.cuts.tolist()), first), beside), join)

    def chosen(self, numbers: NDArray[np.intp]) -> Vectors:
        return self[numbers] if are_held(len(numbers), self.shape[1]) else self.copied(numbers)

    def copied(self, numbers: NDArray[np.intp]) -> Spilled:
        """The rows of those numbers on disk, however few they are; numbers rise, and may repeat."""
        cuts = np.searchsorted(numbers, self.cuts)
        copy = Spilled(self.shape[1], cuts)
        for start, stop in pairwise(cuts.tolist()):
            copy.append(self[numbers[start:stop]])
        return copy


Vectors = Floats | Parted
"""Rows (n, k) float64, held, on disk or in other processes; all are asked by slices, masks and row numbers."""


def put_aside(rows: int, columns: int, parts: Iterable[Floats]) -> Vectors:
    """Rows (rows, columns) that come in parts, in their order: an array, or on disk where that would be too large."""
    if are_held(rows, columns):
        return np.concatenate([np.empty((0, columns)), *parts])
    spilled = Spilled(columns)
    for part in parts:
        spilled.append(part)
    return spilled


def are_held(rows: int, columns: int) -> bool:
    """Whether vectors are few enough for an array."""
    return rows * columns * _NUMBER <= HELD_BYTES


def cuts_of(rows: int) -> NDArray[np.intp]:
    """(p + 1,): where the parts of a table of so many rows begin, and where the last ends; there is at least one."""
    return np.append(np.arange(0, max(rows, 1), PART_ROWS), rows)


def chosen(vectors: Vectors, rows: Places) -> Vectors:
    """Some of the rows, by a mask or by row numbers in rising order (which may repeat); an array of an array."""
    if isinstance(vectors, np.ndarray):
        return np.asarray(vectors[rows])
    return vectors.chosen(np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows, np.intp))


def folded(vectors: Vectors, work: Callable[..., R], join: Callable[[Iterable[R]], R], *aligned: NDArray[Any]) -> R:
    """What `work(part, *its rows of aligned)` gives for the rows part by part (an array at once), joined in order.

    `aligned`: arrays (n, ...) of which a part takes its own rows. Parts may be joined before others are: `join` of
    joins must be the join of all, and that of one what it is. `work` must bear parts without rows, and nothing that it
    gives may be a view of its part, which is soon written over. Both are functions of a module or `partial` of them.
    """
    if isinstance(vectors, np.ndarray):
        return join([work(vectors, *aligned)])
    return vectors.folded(work, join, *aligned)


def mapped(vectors: Vectors, work: Callable[..., NDArray[Any]], *aligned: NDArray[Any]) -> NDArray[Any]:
    """What `work(part, *its rows of aligned)` gives for the rows part by part (see `folded`), one after the other."""
    return np.concatenate(folded(vectors, partial(_listed, work), _in_a_row, *aligned))


def climbed(nodes: Iterable[Node[R]], join: Callable[[Iterable[R]], R]) -> list[Node[R]]:
    """Consecutive nodes, joined where both are as long and the first starts at a multiple of twice that.

    These are the same pairs wherever parts are held: what some of them give can be joined before others are known.
    """
    found: list[Node[R]] = []
    for node in nodes:
        found.append(node)
        while len(found) > 1 and found[-2][1] == found[-1][1] and found[-2][0] % (2 * found[-1][1]) == 0:
            (first, parts, before), (_, _, result) = found[-2:]
            found[-2:] = [(first, 2 * parts, join([before, result]))]
    return found


def joined(nodes: Iterable[Node[R]], join: Callable[[Iterable[R]], R]) -> R:
    """What all parts give, of nodes from the first part to the last; the last nodes are joined first."""
    *others, (_, _, result) = climbed(nodes, join)
    for _, _, before in reversed(others):
        result = join([before, result])
    return result


def total(parts: Iterable[Any]) -> Any:
    """The sum of some parts, of which there is at least one; of lists, place by place."""
    return reduce(_plus, parts)


def mean_of(vectors: Vectors) -> Floats:
    """(k,); zeros without rows."""
    return np.asarray(folded(vectors, _sum, total) / max(len(vectors), 1))


def spread_of(*several: Vectors) -> Floats:
    """(k,): the largest less the smallest number of every column, over all rows of all; there is at least one row."""
    highest, lowest = _widest(folded(vectors, _extremes, _widest) for vectors in several)
    return np.asarray(highest + lowest)


def scores_of(vectors: Vectors, direction: Floats) -> Floats:
    """(n,): rows @ direction; of directions (k, d), (n, d)."""
    return np.asarray(mapped(vectors, partial(_along, direction=direction)))


def _listed(work: Callable[..., R], part: Floats, *aligned: NDArray[Any]) -> list[R]:
    return [work(part, *aligned)]


def _in_a_row(lists: Iterable[list[R]]) -> list[R]:
    return [one for several in lists for one in several]


def _sum(part: Floats) -> Floats:
    return np.asarray(part.sum(axis=0))


def _along(part: Floats, direction: Floats) -> Floats:
    return np.asarray(part @ direction)


def _plus(one: Any, other: Any) -> Any:
    return [add(a, b) for a, b in zip(one, other, strict=True)] if isinstance(one, list) else one + other


def _extremes(part: Floats) -> Floats:
    """(2, k): the largest numbers, and the smallest ones negated."""
    ends = [part.max(axis=0, initial=-np.inf), (-part).max(axis=0, initial=-np.inf)]
    return np.asarray(ends)


def _widest(parts: Iterable[Floats]) -> Floats:
    return np.asarray(np.maximum.reduce(list(parts)))
