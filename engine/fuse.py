"""One vector a sample from whichever modalities it has; fitted once, applied to any row later."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import AuditError

from .principal import principal_axes, principal_directions

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

COMPONENTS = 64
"""Principal components a modality keeps at most."""
ROWS_PER_COMPONENT = 4
RELATIVE_FLOOR = 1e-3
"""Directions with less than this share of the largest variance are noise, and dropped."""
AT_ONCE = 2048
"""Rows taken to float64 at a time: what fits the processor's cache."""


@dataclass(frozen=True)
class Block:
    """One modality of the samples: `rows` (n, d) float, of which those where `present` (n,) is False are ignored."""

    rows: NDArray[np.floating]
    present: Booleans
    weight: float = 1.0


@dataclass(frozen=True)
class Fusion:
    """A fitted fusion. `blocks`: per modality its (mean (d,), components (d, c)); then `mean` (m,), `rotation` (m, k).

    A modality a sample does not have counts as that modality's mean, with an indicator of its own.
    """

    blocks: Mapping[str, tuple[Floats, Floats]]
    mean: Floats
    rotation: Floats

    @property
    def dimension(self) -> int:
        return int(self.rotation.shape[1])

    def transform(self, blocks: Mapping[str, Block]) -> Floats:
        """(n, k) float64. Raises AuditError unless the modalities and their dimensions are those fitted."""
        if set(blocks) != set(self.blocks):
            raise AuditError(f"fitted on {', '.join(self.blocks)}; given {', '.join(blocks)}")
        for name, (mean, _) in self.blocks.items():
            if blocks[name].rows.shape[1] != len(mean):
                raise AuditError(f"{name} vectors have {blocks[name].rows.shape[1]} numbers; fitted on {len(mean)}")
        return self._rotated(_joined(blocks, self.blocks))

    def _rotated(self, joined: Floats) -> Floats:
        result: Floats = (joined - self.mean) @ self.rotation
        return result

    def scorer(self, directions: Floats) -> "Scorer":
        """The scores of rows along `directions` (k, s), for rows that come a batch of one modality at a time."""
        onto = self.rotation @ directions
        maps, start = {}, 0
        for name, (mean, components) in self.blocks.items():
            stop = start + components.shape[1]
            maps[name] = (mean, components @ onto[start:stop], onto[stop])
            start = stop + 1
        return Scorer(maps, -self.mean @ onto)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays for `Commit.put_model`; `from_arrays` takes them back."""
        arrays: dict[str, NDArray[np.generic]] = {"mean": self.mean, "rotation": self.rotation}
        arrays["modalities"] = np.array(list(self.blocks), dtype=np.str_)
        for name, (mean, components) in self.blocks.items():
            arrays[f"{name}.mean"] = mean
            arrays[f"{name}.components"] = components
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> "Fusion":
        names = [str(name) for name in arrays["modalities"]]
        floats = {name: np.asarray(array, float) for name, array in arrays.items() if array.dtype.kind == "f"}
        blocks = {name: (floats[f"{name}.mean"], floats[f"{name}.components"]) for name in names}
        return cls(blocks, floats["mean"], floats["rotation"])


@dataclass(frozen=True)
class Scorer:
    """A fusion followed by directions, as one linear map a modality: nothing of a row is kept but its scores.

    `maps`: per modality its (mean (d,), weights (d, s), score (s,) of a row without it); `offset` (s,). A row's
    scores are `without()` and, for every modality it has, that modality's `gain`.
    """

    maps: Mapping[str, tuple[Floats, Floats, Floats]]
    offset: Floats

    def without(self) -> Floats:
        """(s,): the scores of a row that has no modality at all."""
        return np.asarray(self.offset + sum(missing for _, _, missing in self.maps.values()))

    def gain(self, modality: str, rows: NDArray[np.floating]) -> Floats:
        """(n, s): what having this modality, as `rows` (n, d), adds to the scores of a row without it.

        Raises AuditError for rows of another dimension than was fitted, or that are not finite.
        """
        mean, weights, missing = self.maps[modality]
        if rows.shape[1] != len(mean):
            raise AuditError(f"{modality} vectors have {rows.shape[1]} numbers; fitted on {len(mean)}")
        if not np.isfinite(rows).all():
            raise _not_finite(modality)
        return np.asarray((np.asarray(rows, float) - mean) @ weights - missing)


def _not_finite(modality: str) -> AuditError:
    return AuditError(f"{modality} vectors hold NaN or infinity", "embed again, or ingest other vectors")


def fuse(blocks: Mapping[str, Block], fitted_on: Booleans, components: int = COMPONENTS) -> tuple[Fusion, Floats]:
    """A fusion fitted on the rows where `fitted_on` (n,) is True, and the vectors (n, k) of all rows.

    Modalities in the order of `blocks`. Each: principal components (at most `components`), scaled to unit mean
    square norm times its weight; then all of them together, turned onto their principal axes, the mean variance of
    those being 1. Raises AuditError if a vector is not finite or if no direction varies.
    """
    for name, block in blocks.items():
        if not np.isfinite(block.rows[block.present]).all():
            raise _not_finite(name)
    maps = {name: _fit_block(block, fitted_on, components) for name, block in blocks.items()}
    joined = _joined(blocks, maps) if maps else np.zeros((len(fitted_on), 0))
    center, rotation = _rotation(joined[fitted_on])
    if not rotation.shape[1]:
        raise AuditError(
            f"the vectors of {', '.join(blocks)} are all equal: there is nothing to tell samples apart by",
            "embed with another encoder, or add modalities",
        )
    fusion = Fusion(maps, center, rotation)
    return fusion, fusion._rotated(joined)


def _fit_block(block: Block, fitted_on: Booleans, most: int) -> tuple[Floats, Floats]:
    rows = np.flatnonzero(fitted_on & block.present)
    dimension = block.rows.shape[1]
    if len(rows) < 2:
        return np.zeros(dimension), np.zeros((dimension, 0))
    most = min(most, max(1, len(rows) // ROWS_PER_COMPONENT))
    mean = sum((part.sum(axis=0) for part in _in_parts(block, rows)), np.zeros(dimension)) / len(rows)
    if dimension <= len(rows):
        scatter = np.zeros((dimension, dimension))
        for part in _in_parts(block, rows):
            centered = (part - mean).astype(block.rows.dtype)  # products no more exact than the vectors are
            scatter += centered.T @ centered
        variances, directions = principal_axes(scatter / len(rows), most)
    else:
        variances, directions = principal_directions(np.asarray(block.rows[rows], float) - mean, most)
    total = variances.sum()
    scale = block.weight / np.sqrt(total) if total > 0 else 0.0
    return mean, directions * scale


def _in_parts(block: Block, rows: NDArray[np.intp]) -> Iterator[Floats]:
    """Copies of the numbered rows as float64, some at a time."""
    for start in range(0, len(rows), AT_ONCE):
        yield np.array(block.rows[rows[start : start + AT_ONCE]], float)


def _joined(blocks: Mapping[str, Block], maps: Mapping[str, tuple[Floats, Floats]]) -> Floats:
    """(n, m): per modality its components and an indicator of rows without it."""
    return np.hstack([_project(blocks[name], mean, components) for name, (mean, components) in maps.items()])


def _project(block: Block, mean: Floats, components: Floats) -> Floats:
    projected = np.zeros((len(block.rows), components.shape[1] + 1))
    projected[:, -1] = ~block.present
    rows = np.flatnonzero(block.present)
    middle = mean @ components
    for start, part in zip(range(0, len(rows), AT_ONCE), _in_parts(block, rows), strict=True):
        projected[rows[start : start + AT_ONCE], :-1] = part @ components - middle
    return projected


def _rotation(joined: Floats) -> tuple[Floats, Floats]:
    mean = joined.mean(axis=0) if len(joined) else np.zeros(joined.shape[1])
    if len(joined) < 2 or not joined.shape[1]:
        return mean, np.zeros((joined.shape[1], 0))
    values, directions = principal_directions(joined - mean, joined.shape[1])
    kept = values > RELATIVE_FLOOR * values[0] if len(values) else np.zeros(0, bool)
    return mean, directions[:, kept] / np.sqrt(values[kept].mean()) if kept.any() else directions[:, kept]
