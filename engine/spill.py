"""Vectors that lie on disk while they are worked on, for tables of them too large to be held."""

from __future__ import annotations

import os
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from functools import partial, reduce
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

HELD_BYTES = 32 << 20
"""Vectors that take more than this lie on disk."""
PART_ROWS = 8192
_NUMBER = np.dtype(np.float64).itemsize


class Parted(ABC):
    """Rows (n, k) float64 that are worked on part by part; slices, masks (n,) and row numbers read them back."""

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

    The rows are written once, in order, with `append`; `PART_ROWS` of them are worked on at a time, beside each other.
    """

    def __init__(self, columns: int) -> None:
        self._file, path = tempfile.mkstemp(prefix="misread-")
        Path(path).unlink()
        weakref.finalize(self, os.close, self._file)
        self.shape = 0, columns

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
            return self._read(start, max(start, stop))[::step]
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        found = np.empty((len(numbers), self.shape[1]))
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        first, last = (ordered[0], ordered[-1]) if len(ordered) else (0, -1)
        for start in range(int(first), int(last) + 1, PART_ROWS):
            low, high = np.searchsorted(ordered, [start, start + PART_ROWS])
            if high > low:
                found[order[low:high]] = self._read(start, min(start + PART_ROWS, len(self)))[ordered[low:high] - start]
        return found

    def _read(self, start: int, stop: int) -> Floats:
        width = self.shape[1] * _NUMBER
        content = bytearray((stop - start) * width)
        view, place = memoryview(content), start * width
        while view:
            read = os.preadv(self._file, [view], place)
            if not read:
                raise MisreadError("vectors put aside on disk were cut short", "run the same command again")
            view, place = view[read:], place + read
        return np.frombuffer(content).reshape(stop - start, self.shape[1])

    def folded(self, work: Callable[..., R], join: Callable[[Iterable[R]], R], *aligned: NDArray[Any]) -> R:
        def of_part(start: int) -> R:
            here = slice(start, min(start + PART_ROWS, len(self)))
            return work(self[here], *(array[here] for array in aligned))

        return join(in_order(of_part, range(0, len(self), PART_ROWS)))

    def chosen(self, numbers: NDArray[np.intp]) -> Vectors:
        starts = range(0, len(numbers), PART_ROWS)
        return put_aside(len(numbers), self.shape[1], (self[numbers[s : s + PART_ROWS]] for s in starts))


Vectors = Floats | Parted
"""Rows (n, k) float64, held, on disk or in other processes; all are asked by slices, masks and row numbers."""


def put_aside(rows: int, columns: int, parts: Iterable[Floats]) -> Vectors:
    """Rows (rows, columns) that come in parts, in their order: an array, or on disk where that would be too large."""
    if rows * columns * _NUMBER <= HELD_BYTES:
        return np.concatenate([np.empty((0, columns)), *parts])
    spilled = Spilled(columns)
    for part in parts:
        spilled.append(part)
    return spilled


def chosen(vectors: Vectors, rows: Places) -> Vectors:
    """Some of the rows, by a mask or by row numbers in rising order (which may repeat); an array of an array."""
    if isinstance(vectors, np.ndarray):
        return np.asarray(vectors[rows])
    return vectors.chosen(np.flatnonzero(rows) if rows.dtype == bool else np.asarray(rows, np.intp))


def folded(vectors: Vectors, work: Callable[..., R], join: Callable[[Iterable[R]], R], *aligned: NDArray[Any]) -> R:
    """What `work(part, *its rows of aligned)` gives for the rows part by part (an array at once), joined in order.

    `aligned`: arrays (n, ...) of which a part takes its own rows. Parts may be joined before others are: `join` of
    joins must be the join of all. `work` and `join` are functions of a module or `partial` of them.
    """
    if isinstance(vectors, np.ndarray):
        return join([work(vectors, *aligned)])
    return vectors.folded(work, join, *aligned)


def total(parts: Iterable[Any]) -> Any:
    """The sum of some parts, of which there is at least one; of lists, place by place."""
    return reduce(_plus, parts)


def end_to_end(parts: Iterable[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))


def mean_of(vectors: Vectors) -> Floats:
    """(k,); zeros without rows."""
    return np.asarray(folded(vectors, _sum, total) / max(len(vectors), 1))


def spread_of(*several: Vectors) -> Floats:
    """(k,): the largest less the smallest number of every column, over all rows of all; there is at least one row."""
    highest, lowest = _widest(folded(vectors, _extremes, _widest) for vectors in several)
    return np.asarray(highest + lowest)


def scores_of(vectors: Vectors, direction: Floats) -> Floats:
    """(n,): rows @ direction; of directions (k, d), (n, d)."""
    return np.asarray(folded(vectors, partial(_along, direction=direction), end_to_end))


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
