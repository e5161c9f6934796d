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

    `rows` (n, k + 1): what `projected` gives for vectors of length 1 or 0; `patients` (n,) codes in rising order. Both
    vectors of a pair are told, so that whoever has such another is told with it. n * n / 2 pairs are compared by their
    leading directions, those that are left by all. `check` is called now and then and may raise.
    """
    found = np.zeros(len(rows), np.bool_)
    tiles = _Tiles(rows, patients, least)
    with one_thread():
        for near in in_order(tiles.near, tiles.starts(check)):
            found |= near
    return found


class _Tiles:
    """Pairs of rows, a tile of them at a time; of two rows the lower one stands in front."""

    def __init__(self, rows: Singles, patients: Rows, least: float) -> None:
        self._fine, self._patients = rows, patients
        self._coarse = np.column_stack([rows[:, :_FIRST], np.linalg.norm(rows[:, _FIRST:], axis=1)])
        self._least = least - rounding(rows.shape[1], float(np.finfo(np.float32).eps))

    def starts(self, check: Callable[[], None]) -> Iterator[int]:
        for start in range(0, len(self._fine), _TILE[0]):
            check()
            yield start

    def near(self, start: int) -> Mask:
        """(n,): the rows of the pairs whose first is one of those from `start` on, and that are not ruled out."""
        found = np.zeros(len(self._fine), np.bool_)
        for behind in range(start, len(self._fine), _TILE[1]):
            one, other = self._pairs(start, behind)
            new = (self._patients[one] != self._patients[other]) & ~(found[one] & found[other])
            one, other = one[new], other[new]
            near = self._products(start, behind, one, other) >= self._least
            found[one[near]] = found[other[near]] = True
        return found

    def _pairs(self, start: int, behind: int) -> tuple[Rows, Rows]:
        """The pairs of a tile that their leading directions do not rule out."""
        products = self._coarse[start : start + _TILE[0]] @ self._coarse[behind : behind + _TILE[1]].T
        one, other = np.divmod(np.flatnonzero(products >= self._least), products.shape[1])
        return one + start, other + behind

    def _products(self, start: int, behind: int, one: Rows, other: Rows) -> Singles:
        if len(one) > _MANY * _TILE[0] * _TILE[1]:
            products = self._fine[start : start + _TILE[0]] @ self._fine[behind : behind + _TILE[1]].T
            return np.asarray(products[one - start, other - behind])
        parts = (slice(place, place + _PAIRS) for place in range(0, max(len(one), 1), _PAIRS))
        return np.concatenate([np.einsum("ij,ij->i", self._fine[one[part]], self._fine[other[part]]) for part in parts])
