"""From the rows that a way offers to neighbours: distances anew in float64, one order, and nothing passed over."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.spill import PART_ROWS, Vectors

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

SPARE = 8
"""Rows that a way offers beyond those asked for, so that what it rounds seldom decides."""
_AT_ONCE = 1 << 17
"""Numbers that are subtracted at a time."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of every row, others: `rows` (n, k) intp their numbers, `distances` (n, k) float64 Euclidean, nearest first."""

    rows: Rows
    distances: Floats


@dataclass(frozen=True, eq=False)
class Offered:
    """Of the rows `here`, m of them: `rows` (m, w) that may be their neighbours, -1 for none, in any order.

    `beyond` (m,): the squared distance of every row that is not among them is at least this.
    """

    here: slice
    rows: Rows
    beyond: Floats


@dataclass(frozen=True, eq=False)
class Search:
    """A way made ready: `offer` may be asked for `height` rows at a time, from several threads."""

    height: int
    offer: Callable[[slice], Offered]


def rounding(dimension: int, unit: float) -> float:
    """A bound c on what rounding does to a squared distance by |x|^2 - 2 x.y + |y|^2: at most c (|x|^2 + |y|^2).

    `unit`: the unit roundoff. In whatever order d products are added, their sum is off by at most about d u |x||y|
    (Higham 2002, Accuracy and Stability of Numerical Algorithms, 3.1); squares, differences and the rounding of the
    numbers themselves add less than 10 u. Twice that is taken.
    """
    return 2 * (dimension + 10) * unit


def settled(vectors: Vectors, offered: Offered, count: int) -> Neighbours:
    """The `count` nearest others of the rows `offered.here`; ties go to the lower row number.

    Distances are those of differences in float64. Where a row that was not offered might be as near as the last one
    taken, the row is compared with all others: so the answer is exact wherever `beyond` is a bound.
    """
    own = np.arange(offered.here.start, offered.here.stop)
    squares = _squares(vectors, own, offered.rows)
    squares[(offered.rows < 0) | (offered.rows == own[:, None])] = np.inf
    order = np.lexsort((offered.rows, squares))[:, :count]
    rows, found = np.take_along_axis(offered.rows, order, 1), np.take_along_axis(squares, order, 1)
    unsure = np.flatnonzero(found[:, -1] >= offered.beyond)
    if len(unsure):
        rows[unsure], found[unsure] = _among_all(vectors, own[unsure], count)
    return Neighbours(rows, np.sqrt(found))


def _squares(vectors: Vectors, own: Rows, rows: Rows) -> Floats:
    """(m, w): squared distances of the rows `own` (m,) to the rows (m, w); of -1 any number."""
    found = np.empty(rows.shape)
    step = max(_AT_ONCE // max(rows.shape[1] * vectors.shape[1], 1), 1)
    for start in range(0, len(own), step):
        some = rows[start : start + step]
        others = vectors[np.maximum(some, 0).ravel()]
        others -= np.repeat(vectors[own[start : start + step]], some.shape[1], axis=0)
        found[start : start + step] = np.square(others, out=others).sum(axis=1).reshape(some.shape)
    return found


def _among_all(vectors: Vectors, own: Rows, count: int) -> tuple[Rows, Floats]:
    """(m, count) twice: the nearest others of the rows `own` and their squared distances, of all rows there are.

    Rows that are equal are compared once, for one more neighbour than asked, as each of them is its own.
    """
    distinct, which = np.unique(vectors[own], axis=0, return_inverse=True)
    rows, squares = np.empty((len(distinct), 0), np.intp), np.empty((len(distinct), 0))
    for first, part in parts(vectors):
        width = min(rows.shape[1] + len(part), count + 1)
        kept_rows, kept_squares = np.empty((len(distinct), width), np.intp), np.empty((len(distinct), width))
        numbers = np.arange(first, first + len(part))
        for place, one in enumerate(distinct):
            differences = part - one
            both = np.concatenate([squares[place], np.square(differences, out=differences).sum(axis=1)])
            order = np.argsort(both, kind="stable")[:width]  # lower numbers stand first
            kept_rows[place], kept_squares[place] = np.concatenate([rows[place], numbers])[order], both[order]
        rows, squares = kept_rows, kept_squares
    rows, squares = rows[which.ravel()], squares[which.ravel()]
    others = rows != own[:, None]
    others[others.all(axis=1), -1] = False
    return rows[others].reshape(len(own), count), squares[others].reshape(len(own), count)


def longest(vectors: Vectors, center: Floats) -> float:
    """The length of the longest of the rows less a center (d,); 1 where all are 0. There is at least one row."""
    squares = max(float(np.square(part - center).sum(axis=1).max()) for _, part in parts(vectors))
    return float(np.sqrt(squares)) or 1.0


def parts(vectors: Vectors) -> Iterator[tuple[int, Floats]]:
    """The rows in turn, `PART_ROWS` at a time, and the number of the first; arrays too, so that little is copied."""
    for start in range(0, len(vectors), PART_ROWS):
        yield start, vectors[start : min(start + PART_ROWS, len(vectors))]
