"""Fitting a fusion in one reading of the rows, from sums over parts of them."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import AuditError

from .fuse import Block, Booleans, Floats, Fusion, not_finite, parts
from .principal import principal_axes, principal_directions

COMPONENTS = 64
"""Principal components a modality keeps at most."""
ROWS_PER_COMPONENT = 4
RELATIVE_FLOOR = 1e-3
"""Directions with less than this share of the largest variance are noise, and dropped."""


@dataclass(frozen=True)
class Moments:
    """Sums over a part of the rows: of z (m,), of its products (m, m), and the part itself.

    z holds for every modality in turn its numbers less the shift, 0 where a row lacks it, and whether a row has it.
    """

    count: int
    first: Floats
    second: NDArray[np.floating]
    part: Mapping[str, Block]


class FusionFit:
    """Fits a fusion from the moments of parts of the rows, added in their order.

    `sample`: some of the rows; their means are taken off before anything is squared, so that sums stay exact.
    """

    def __init__(self, sample: Mapping[str, Block]) -> None:
        self._names = list(sample)
        self._shifts = {name: _mean(block) for name, block in sample.items()}
        self._weights = {name: block.weight for name, block in sample.items()}
        # products need be no more exact than the vectors are
        single = any(block.rows.dtype == np.float32 for block in sample.values())
        self._kind = np.float32 if single else np.float64
        width = sum(len(shift) + 1 for shift in self._shifts.values())
        self._count, self._first, self._second = 0, np.zeros(width), np.zeros((width, width))
        self._kept: dict[str, list[NDArray[np.floating]]] = {name: [] for name in self._names}

    def moments(self, part: Mapping[str, Block]) -> Moments:
        """The sums of one part; parts may be summed beside each other. Raises AuditError for what is not finite."""
        rows = len(next(iter(part.values())).present) if part else 0
        z = np.empty((rows, len(self._first)), self._kind)
        for name, here in self._places().items():
            block = part[name]
            if not np.isfinite(block.rows[block.present]).all():
                raise not_finite(name)
            np.subtract(block.rows, self._shifts[name], out=z[:, here], casting="same_kind")
            z[~block.present, here] = 0.0
            z[:, here.stop] = block.present
        return Moments(len(z), z.sum(axis=0, dtype=np.float64), z.T @ z, part)

    def add(self, moments: Moments) -> None:
        self._count += moments.count
        self._first += moments.first
        self._second += moments.second
        for name, places in self._places().items():
            block = moments.part[name]
            self._keep(name, places, [block.rows[block.present]])

    def summed(self, blocks: Iterable[Mapping[str, Block]]) -> "FusionFit":
        """Another fit about the same shifts, of these parts of the rows alone."""
        fit = deepcopy(self)
        for part in blocks:
            fit.add(fit.moments(part))
        return fit

    def merge(self, other: "FusionFit") -> None:
        """Adds what another fit about the same shifts has summed up."""
        self._count += other._count
        self._first += other._first
        self._second += other._second
        for name, places in self._places().items():
            self._keep(name, places, other._kept[name])

    def _keep(self, name: str, places: slice, rows: Iterable[NDArray[np.floating]]) -> None:
        if self._first[places.stop] <= len(self._shifts[name]):
            self._kept[name].extend(rows)
        else:  # as many rows as numbers: the sums are enough
            self._kept[name].clear()

    def fusion(self, components: int = COMPONENTS) -> Fusion:
        """The fusion of all rows added.

        Each modality in turn: principal components (at most `components`), scaled to unit mean square norm times its
        weight; then all of them together, turned onto their principal axes, the mean variance of those being 1.
        Raises AuditError if no direction varies.
        """
        places = self._places()
        maps = {name: self._block(name, places[name], components) for name in self._names}
        onto = np.zeros((len(self._first), sum(c.shape[1] + 1 for _, c in maps.values())))
        constant, start = np.zeros(onto.shape[1]), 0
        for name, (mean, axes) in maps.items():
            here, stop = places[name], start + axes.shape[1]
            onto[here, start:stop] = axes
            onto[here.stop, start:stop] = -(mean - self._shifts[name]) @ axes
            onto[here.stop, stop], constant[stop] = -1.0, 1.0
            start = stop + 1
        center, rotation = self._rotation(onto)
        if not rotation.shape[1]:
            raise AuditError(
                f"the vectors of {', '.join(self._names)} are all equal: there is nothing to tell samples apart by",
                "embed with another encoder, or add modalities",
            )
        return Fusion(maps, center + constant, rotation)

    def _places(self) -> dict[str, slice]:
        """Where a modality's numbers stand in z; whether a row has it stands behind them."""
        found, start = {}, 0
        for name, shift in self._shifts.items():
            found[name] = slice(start, start + len(shift))
            start += len(shift) + 1
        return found

    def _block(self, name: str, here: slice, most: int) -> tuple[Floats, Floats]:
        rows, dimension = int(self._first[here.stop]), here.stop - here.start
        if rows < 2:
            return np.zeros(dimension), np.zeros((dimension, 0))
        most = min(most, max(1, rows // ROWS_PER_COMPONENT))
        offset = self._first[here] / rows
        mean = self._shifts[name] + offset
        if dimension < rows:
            variances, axes = principal_axes(self._second[here, here] / rows - np.outer(offset, offset), most)
        else:
            variances, axes = principal_directions(np.concatenate(self._kept[name]).astype(float) - mean, most)
        total = variances.sum()
        return mean, axes * (self._weights[name] / np.sqrt(total) if total > 0 else 0.0)

    def _rotation(self, onto: Floats) -> tuple[Floats, Floats]:
        """(mean, rotation) of z @ onto."""
        if self._count < 2 or not onto.shape[1]:
            return np.zeros(onto.shape[1]), np.zeros((onto.shape[1], 0))
        mean = (self._first / self._count) @ onto
        values, axes = principal_axes(onto.T @ (self._second / self._count) @ onto - np.outer(mean, mean), len(mean))
        kept = values > RELATIVE_FLOOR * values[0] if len(values) else np.zeros(0, bool)
        return mean, axes[:, kept] / np.sqrt(values[kept].mean()) if kept.any() else axes[:, kept]


def fuse(blocks: Mapping[str, Block], fitted_on: Booleans, components: int = COMPONENTS) -> tuple[Fusion, Floats]:
    """A fusion fitted on the rows where `fitted_on` (n,) is True, and the vectors (n, k) of all rows."""
    fit = FusionFit(next(parts(blocks, np.flatnonzero(fitted_on)), _none_of(blocks)))
    for part in parts(blocks, np.flatnonzero(fitted_on)):
        fit.add(fit.moments(part))
    fusion = fit.fusion(components)
    return fusion, fusion.transform(blocks)


def _none_of(blocks: Mapping[str, Block]) -> dict[str, Block]:
    return {name: Block(b.rows[:0], b.present[:0], b.weight) for name, b in blocks.items()}


def _mean(block: Block) -> Floats:
    rows = np.asarray(block.rows[block.present], float)
    finite = rows[np.isfinite(rows).all(axis=1)]
    return finite.mean(axis=0) if len(finite) else np.zeros(block.rows.shape[1])
