"""Rows that may be near one of another patient, told by a bound on cosines that few numbers of a row give."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from misread.principal import principal_directions
from misread.threads import in_order, one_thread

from .settle import rounding

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Singles = NDArray[np.float32]
Mask = NDArray[np.bool_]

DIRECTIONS = 128
"""Directions that are kept of vectors; those behind them tell little apart."""
_FIRST = 32
"""Of them those that all pairs are compared by; the others tell of the pairs that these leave."""
_TILE = (512, 1024)
"""Rows that are compared with others at a time, and those others."""
_MANY = 1 / 32
"""Of the pairs of a tile so many are compared faster all at once than one by one."""
_PAIRS = 4096
"""Pairs that are compared one by one at a time."""


def leading_directions(rows: Floats) -> Floats:
    """(d, k): at most `DIRECTIONS` orthonormal directions in which rows (n, d) lie furthest from 0, furthest first."""
    with one_thread():
        _, directions = principal_directions(rows, DIRECTIONS)
        return np.linalg.qr(directions)[0]


def projected(rows: Floats, directions: Floats) -> Singles:
    """(n, k + 1): rows (n, d) along orthonormal directions (d, k), and last the length of what remains of each.

    By Cauchy and Schwarz the product of two rows is at most that of what is given for them.
    """
    along = rows @ directions
    left = np.square(rows).sum(axis=1) - np.square(along).sum(axis=1)
    return np.column_stack([along, np.sqrt(np.maximum(left, 0.0))]).astype(np.float32)


def may_be_near(rows: Singles, patients: Rows, least: float, check: Callable[[], None]) -> Mask:
    """(n,): for which vectors it is not ruled out that the product with one of another patient is at least `least`.

    `rows` (n, k + 1): what `projected` gives for vectors of length 1 or 0; `patients` (n,) codes. Both
    vectors of a pair are told, so that whoever has such another is told with it. n * n / 2 pairs are compared by their
    leading directions, those that are left by all. `check` is called now and then and may raise.
    """
    tiles = _Tiles(rows, patients, least)
    with one_thread():
        for _ in in_order(tiles.compare, tiles.starts(check)):
            pass
    return tiles.near


class _Tiles:
    """Pairs of rows, a tile of them at a time; of two rows the lower one stands in front.

    `near` (n,): the rows of pairs that are not ruled out. Pairs of such rows are passed over: which are there in the
    end does not depend on the order of tiles.
    """

    def __init__(self, rows: Singles, patients: Rows, least: float) -> None:
        self._fine, self._patients = rows, patients
        self._coarse = np.column_stack([rows[:, :_FIRST], np.linalg.norm(rows[:, _FIRST:], axis=1)])
        self._least = least - rounding(rows.shape[1], float(np.finfo(np.float32).eps))
        self.near = np.zeros(len(rows), np.bool_)

    def starts(self, check: Callable[[], None]) -> Iterator[int]:
        for start in range(0, len(self._fine), _TILE[0]):
            check()
            yield start

    def compare(self, start: int) -> None:
        """The rows from `start` on, as many as a tile has, with one another and with all behind them."""
        front = np.arange(start, min(start + _TILE[0], len(self._fine)))
        for begin in range(start, len(self._fine), _TILE[1]):
            behind = np.arange(begin, min(begin + _TILE[1], len(self._fine)))
            told = self.near[front]
            self._compare(front[~told], behind)
            self._compare(front[told], behind[~self.near[behind]])

    def _compare(self, front: Rows, behind: Rows) -> None:
        bounds = self._coarse[front] @ self._coarse[behind].T
        one, other = np.divmod(np.flatnonzero(bounds >= self._least), max(len(behind), 1))
        apart = self._patients[front[one]] != self._patients[behind[other]]
        one, other = one[apart], other[apart]
        if len(one) > _MANY * bounds.size:
            products = (self._fine[front] @ self._fine[behind].T)[one, other]
        else:
            products = self._one_by_one(front[one], behind[other])
        near = products >= self._least
        self.near[front[one[near]]] = self.near[behind[other[near]]] = True

    def _one_by_one(self, one: Rows, other: Rows) -> Singles:
        found = np.empty(len(one), np.float32)
        for start in range(0, len(one), _PAIRS):
            here = slice(start, start + _PAIRS)
            np.einsum("ij,ij->i", self._fine[one[here]], self._fine[other[here]], out=found[here])
        return found
