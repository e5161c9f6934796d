"""Vectors that lie on disk while they are worked on, for tables of them too large to be held."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import MisreadError

Floats = NDArray[np.float64]
Places = NDArray[np.intp] | NDArray[np.bool_]

HELD_BYTES = 32 << 20
"""Vectors that take more than this lie on disk."""
PART_ROWS = 8192
_NUMBER = np.dtype(np.float64).itemsize


class Spilled:
    """Rows (n, k) float64 in a file that has no name: nobody else can open it, and it is gone with the process.

    The rows are written once, in order, with `append`; slices of them, masks (n,) and row numbers read them back.
    """

    def __init__(self, columns: int) -> None:
        self._file, path = tempfile.mkstemp(prefix="misread-")
        Path(path).unlink()
        weakref.finalize(self, os.close, self._file)
        self._columns, self._rows = columns, 0

    @property
    def shape(self) -> tuple[int, int]:
        return self._rows, self._columns

    def __len__(self) -> int:
        return self._rows

    def append(self, rows: Floats) -> None:
        """Adds rows (m, k). Raises MisreadError where the disk is full."""
        content = memoryview(np.ascontiguousarray(rows, np.float64).tobytes())
        try:
            while content:
                content = content[os.write(self._file, content) :]
        except OSError as error:
            folder = tempfile.gettempdir()
            raise MisreadError(
                f"vectors cannot be put aside in {folder}: {error.strerror}",
                "free disk space, or name another folder in TMPDIR",
            ) from error
        self._rows += len(rows)

    def __getitem__(self, rows: slice | Places) -> Floats:
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self._rows)
            return self._read(start, max(start, stop))[::step]
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        found = np.empty((len(numbers), self._columns))
        order = np.argsort(numbers, kind="stable")
        ordered = numbers[order]
        for start in range(0, self._rows, PART_ROWS):
            low, high = np.searchsorted(ordered, [start, start + PART_ROWS])
            if high > low:
                found[order[low:high]] = self._read(start, min(start + PART_ROWS, self._rows))[
                    ordered[low:high] - start
                ]
        return found

    def _read(self, start: int, stop: int) -> Floats:
        width = self._columns * _NUMBER
        content = bytearray((stop - start) * width)
        view, place = memoryview(content), start * width
        while view:
            read = os.preadv(self._file, [view], place)
            if not read:
                raise MisreadError("vectors put aside on disk were cut short", "run the same command again")
            view, place = view[read:], place + read
        return np.frombuffer(content).reshape(stop - start, self._columns)


Vectors = Floats | Spilled
"""Rows (n, k) float64, held or on disk; both are asked by slices, masks and row numbers."""


def in_parts(vectors: Vectors) -> Iterator[tuple[slice, Floats]]:
    """The rows in turn and where they stand: an array at once, rows on disk `PART_ROWS` at a time."""
    step = len(vectors) if isinstance(vectors, np.ndarray) else PART_ROWS
    for start in range(0, len(vectors), max(step, 1)):
        part = slice(start, min(start + step, len(vectors)))
        yield part, vectors[part]


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
    numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
    starts = range(0, len(numbers), PART_ROWS)
    return put_aside(len(numbers), vectors.shape[1], (vectors[numbers[s : s + PART_ROWS]] for s in starts))


def mapped(vectors: Vectors, center: Floats, onto: Floats) -> Vectors:
    """(rows - center) @ onto; an array of an array."""
    if isinstance(vectors, np.ndarray):
        return np.asarray((vectors - center) @ onto)
    return put_aside(len(vectors), onto.shape[1], ((part - center) @ onto for _, part in in_parts(vectors)))


def mean_of(vectors: Vectors) -> Floats:
    if isinstance(vectors, np.ndarray):
        return np.asarray(vectors.mean(axis=0))
    return np.asarray(sum(part.sum(axis=0) for _, part in in_parts(vectors)) / max(len(vectors), 1))


def spread_of(vectors: Vectors) -> Floats:
    """(k,): the largest less the smallest number of every column; there is at least one row."""
    lows, highs = zip(*((part.min(axis=0), part.max(axis=0)) for _, part in in_parts(vectors)), strict=True)
    return np.asarray(np.max(highs, axis=0) - np.min(lows, axis=0))


def scores_of(vectors: Vectors, direction: Floats) -> Floats:
    """(n,): rows @ direction."""
    return np.concatenate([np.empty(0), *(part @ direction for _, part in in_parts(vectors))])
