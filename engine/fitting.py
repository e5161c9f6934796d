"""Fitting a fusion in one reading of rows, from sums over parts of them."""

from collections.abc import Iterable, Mapping
from copy import copy

import numpy as np
from numpy.typing import NDArray

from misread.products import Products
from misread.schemas.errors import AuditError

from .fuse import AT_ONCE, Block, Booleans, Floats, Fusion, Places, not_finite, parts
from .principal import principal_axes, principal_directions, unit_scale

COMPONENTS = 64
"""Principal components a modality keeps at most."""
ROWS_PER_COMPONENT = 4
FITTED_ROWS = 65_536
"""Of more rows that have a modality about so many are fitted on: what they tell of a variance is off by .55 %.

The relative standard error of the variance of n normal numbers is sqrt(2 / (n - 1)).
"""
RELATIVE_FLOOR = 1e-3
"""Directions with less than this share of the largest variance are noise, and dropped."""
FEWEST_ROWS = 20
"""Of fewer rows one may well differ from all others."""
NEAR_SHARE, FAR = 0.9, 6
"""Far are squared distances beyond 2^6 times the power of two that holds nine in ten of them: over 8 times as far."""
DROWNING = 20
"""Times the sum of all other squares that those far away make up when slices are lost beside them."""
POWERS = 1100
"""float64 lie between 2^-1075 and 2^1024."""
ROUNDING = 1e-12
"""Numbers that differ from their mean by no more than this share of the largest are equal."""


class FusionFit:
    """Fits a fusion from sums over parts of the rows, added in their order.

    `sample`: some of the rows of each modality; before anything is squared their means are taken off, so that sums stay
    exact, and numbers are divided by about the largest that is left, so that vectors may be as long or short as they
    like.
    """

    def __init__(self, sample: Mapping[str, Block], products: Products | None = None) -> None:
        self._products = products or Products()
        self._names = list(sample)
        self._shifts, self._scales, self._middles = {}, {}, {}
        for name, block in sample.items():
            self._shifts[name], self._scales[name] = _shift_and_scale(block)
            self._middles[name] = _middle(block)
        # products need be no more exact than the vectors are
        single = any(block.rows.dtype == np.float32 for block in sample.values())
        self._kind = np.float32 if single else np.float64
        self._begin()

    def _begin(self) -> None:
        width = sum(len(shift) + 1 for shift in self._shifts.values())
        self._count, self._first, self._second = 0, np.zeros(width), np.zeros((width, width))
        self._lengths = np.zeros((len(self._names), 2, 2 * POWERS))
        self._kept: dict[str, list[NDArray[np.floating]]] = {name: [] for name in self._names}

    def add(self, part: Mapping[str, Block]) -> None:
        """Sums up one part of the rows. Raises AuditError for what is not finite."""
        with np.errstate(over="ignore", invalid="ignore"):  # of rows that are absent, or refused
            first, second = self._sums(part, self._kind)
            if not np.isfinite(second).all():  # too large for single precision, or not finite
                first, second = self._sums(part, np.float64)
            lengths = [_lengths(part[name].there(), self._middles[name], self._scales[name]) for name in self._names]
        for name, here in self._places().items():
            if not np.isfinite(first[here]).all():
                raise not_finite(name)
        count = len(part[self._names[0]].present)
        self._include(count, first, second, np.array(lengths), {name: [part[name].there()] for name in self._names})

    def _sums(self, part: Mapping[str, Block], kind: type[np.floating]) -> tuple[Floats, NDArray[np.floating]]:
        """The sums of z (m,), and of its products (m, m).

        z holds for every modality in turn its numbers less the shift, in steps of the scale, 0 where a row lacks it,
        and whether a row has it.
        """
        z = np.empty((len(part[self._names[0]].present), len(self._first)), kind)
        for name, here in self._places().items():
            block, scale = part[name], self._scales[name]
            wide = np.result_type(block.rows, kind)
            np.divide(block.rows, scale, out=z[:, here], dtype=wide, casting="same_kind")
            np.subtract(z[:, here], self._shifts[name] / scale, out=z[:, here], casting="same_kind")
            z[~block.present, here] = 0.0
            z[:, here.stop] = block.present
        return z.sum(axis=0, dtype=np.float64), self._products.gram(z)

    def summed(self, blocks: Iterable[Mapping[str, Block]]) -> "FusionFit":
        """Another fit about the same shifts, of these parts of the rows alone."""
        fit = copy(self)
        fit._begin()
        for part in blocks:
            fit.add(part)
        return fit

    def merge(self, other: "FusionFit") -> None:
        """Adds what another fit about the same shifts has summed up."""
        self._include(other._count, other._first, other._second, other._lengths, other._kept)

    def _include(
        self,
        count: int,
        first: Floats,
        second: NDArray[np.floating],
        lengths: Floats,
        rows: Mapping[str, Iterable[NDArray[np.floating]]],
    ) -> None:
        self._count += count
        self._first += first
        self._second += second
        self._lengths += lengths
        for name, here in self._places().items():
            if self._first[here.stop] <= len(self._shifts[name]):
                self._kept[name].extend(rows[name])
            else:  # as many rows as numbers: the sums are enough
                self._kept[name].clear()

    def fusion(self, components: int = COMPONENTS) -> Fusion:
        """The fusion of all rows added.

        Each modality in turn: principal components (at most `components`), scaled to unit mean square norm; then all of
        them together, turned onto their principal axes, the mean variance of those being 1. So the unit of a modality's
        numbers does not matter. Raises AuditError for fewer than two rows, and if no direction varies.
        """
        if self._count < 2:
            found = "1 of the samples to audit is" if self._count else "none of the samples to audit are"
            raise AuditError(
                f"{found} in the discovery half: a fusion is fitted on two or more",
                "ingest or choose more samples; another --seed divides them otherwise",
            )
        places = self._places()
        maps = {name: self._block(name, places[name], components) for name in self._names}
        onto = np.zeros((len(self._first), sum(c.shape[1] + 1 for _, c in maps.values())))
        constant, start = np.zeros(onto.shape[1]), 0
        for name, (offset, axes) in maps.items():
            here, stop = places[name], start + axes.shape[1]
            onto[here, start:stop] = axes
            onto[here.stop, start:stop] = -offset @ axes
            onto[here.stop, stop], constant[stop] = -1.0, 1.0
            start = stop + 1
        center, rotation = self._rotation(onto)
        if not rotation.shape[1]:
            raise AuditError(
                f"the vectors of {', '.join(self._names)} are all equal: there is nothing to tell samples apart by",
                "embed with another encoder, or add modalities",
            )
        blocks = {
            name: (self._shifts[name] + offset * self._scales[name], axes / self._scales[name])
            for name, (offset, axes) in maps.items()
        }
        return Fusion(blocks, center + constant, rotation)

    def drowned(self) -> list[str]:
        """The modalities of `FEWEST_ROWS` rows or more of which a few rows lie so far away that others look all alike.

        By squared distances from the middle: directions that tell the others apart have hardly any variance then, and
        are dropped. The few are less than one in ten, more than 8 times as far as nine in ten of all rows are.
        """
        return [name for name, lengths in zip(self._names, self._lengths, strict=True) if _drowning(*lengths)]

    def _places(self) -> dict[str, slice]:
        """Where a modality's numbers stand in z; whether a row has it stands behind them."""
        found, start = {}, 0
        for name, shift in self._shifts.items():
            found[name] = slice(start, start + len(shift))
            start += len(shift) + 1
        return found

    def _block(self, name: str, here: slice, most: int) -> tuple[Floats, Floats]:
        """(mean (d,), components (d, c)) of a modality's part of z, over the rows that have it."""
        rows, dimension = int(self._first[here.stop]), here.stop - here.start
        if rows < 2:
            return np.zeros(dimension), np.zeros((dimension, 0))
        most = min(most, max(1, rows // ROWS_PER_COMPONENT))
        mean = self._first[here] / rows
        if dimension < rows:
            variances, axes = principal_axes(self._second[here, here] / rows - np.outer(mean, mean), most)
        else:
            kept, scale = np.concatenate(self._kept[name]).astype(float), self._scales[name]
            variances, axes = principal_directions(kept / scale - (self._shifts[name] / scale + mean), most)
        total = variances.sum()
        return mean, axes * (1 / np.sqrt(total) if total > 0 else 0.0)

    def _rotation(self, onto: Floats) -> tuple[Floats, Floats]:
        """(mean, rotation) of z @ onto."""
        if not onto.shape[1]:
            return np.zeros(onto.shape[1]), np.zeros((onto.shape[1], 0))
        mean = (self._first / self._count) @ onto
        values, axes = principal_axes(onto.T @ (self._second / self._count) @ onto - np.outer(mean, mean), len(mean))
        kept = values > RELATIVE_FLOOR * values[0] if len(values) else np.zeros(0, bool)
        return mean, axes[:, kept] / np.sqrt(values[kept].mean()) if kept.any() else axes[:, kept]


def drawn_to_fit(rows: Places, present: Iterable[Booleans], seed: int) -> Places:
    """The rows that a fusion is fitted on, in their order: all, or an even share of them drawn by `seed`.

    `rows` (n,) numbers of rows, in an order that does not depend on the store's; `present` (n,) of each modality, who
    has it. The share is so large that the modality of the fewest rows is expected to keep `FITTED_ROWS` of them, or
    that a modality of no more keeps all.
    """
    fewest = min((count for count in map(np.count_nonzero, present) if count), default=0)
    if fewest <= FITTED_ROWS:
        return rows
    most = -(-len(rows) * FITTED_ROWS // fewest)
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), most, replace=False, shuffle=False))]


def fuse(blocks: Mapping[str, Block], fitted_on: Booleans, components: int = COMPONENTS) -> tuple[Fusion, Floats]:
    """A fusion fitted on the rows where `fitted_on` (n,) is True, and the vectors (n, k) of all rows."""
    fit = FusionFit({name: _first(block, fitted_on) for name, block in blocks.items()})
    for part in parts(blocks, np.flatnonzero(fitted_on)):
        fit.add(part)
    fusion = fit.fusion(components)
    return fusion, fusion.transform(blocks)


def _first(block: Block, fitted_on: Booleans) -> Block:
    """The first of the rows fitted on that are there."""
    rows = np.flatnonzero(fitted_on & block.present)[:AT_ONCE]
    return Block(block.rows[rows], block.present[rows])


def _shift_and_scale(block: Block) -> tuple[Floats, float]:
    """(d,) the mean of the rows that are there and finite, and a power of two about as large as the largest deviation.

    Of a column of equal numbers the mean is that number to the last digit. What no row tells is 0, and 1.
    """
    rows = np.asarray(block.there(), float)
    finite = rows[np.isfinite(rows).all(axis=1)]
    if not len(finite):
        return np.zeros(block.rows.shape[1]), 1.0
    mean = finite.mean(axis=0)
    widest = np.abs(finite - mean).max(axis=0)
    varies = widest > ROUNDING * np.abs(finite).max(axis=0)
    return np.where(varies, mean, finite[0]), unit_scale(widest[varies] if varies.any() else finite)


def _middle(block: Block) -> Floats:
    """(d,) the median of every number over the rows that are there and finite: a few rows do not move it."""
    rows = block.there()
    finite = rows[np.isfinite(rows).all(axis=1)]
    return np.median(finite, axis=0).astype(float) if len(finite) else np.zeros(block.rows.shape[1])


def _lengths(rows: NDArray[np.floating], middle: Floats, scale: float) -> Floats:
    """(2, 2 * POWERS): how many rows (n, d) are as far from the middle (d,), and the sum of their squared distances.

    Distances in steps of `scale`, their squares by the power of two above them: the column less `POWERS`; those of 0 in
    the first one.
    """
    away = rows / scale - middle / scale
    squares = np.einsum("ij,ij->i", away, away)
    squares = squares[np.isfinite(squares)]
    place = np.where(squares > 0, np.frexp(squares)[1] + POWERS, 0)
    return np.array([np.bincount(place, weights, 2 * POWERS) for weights in (np.ones(len(squares)), squares)])


def _drowning(rows: Floats, squares: Floats) -> bool:
    """Whether a few rows drown the others, from the two rows of `_lengths`."""
    near = int(np.searchsorted(np.cumsum(rows), NEAR_SHARE * rows.sum()))
    far = slice(near + FAR + 1, None)
    enough = rows.sum() >= FEWEST_ROWS and near > 0  # else nine in ten are all equal: there is nothing to drown
    return bool(enough and squares[far].sum() > DROWNING * squares[: near + FAR + 1].sum())
