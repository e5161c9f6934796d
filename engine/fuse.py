"""One whitened vector a sample from whichever modalities it has; fitted once, applied to any row later."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import AuditError

from .principal import principal_directions

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

COMPONENTS = 64
"""Principal components a modality keeps at most."""
ROWS_PER_COMPONENT = 4
RELATIVE_FLOOR = 1e-3
"""Directions with less than this share of the largest variance are noise to whitening, and dropped."""


@dataclass(frozen=True)
class Block:
    """One modality of the samples: `rows` (n, d) float, of which those where `present` (n,) is False are ignored."""

    rows: NDArray[np.floating]
    present: Booleans
    weight: float = 1.0


@dataclass(frozen=True)
class Fusion:
    """A fitted fusion. `blocks`: per modality its (mean (d,), components (d, c)); then `mean` (m,), `whitening` (m, k).

    A modality a sample does not have counts as that modality's mean, with an indicator of its own.
    """

    blocks: Mapping[str, tuple[Floats, Floats]]
    mean: Floats
    whitening: Floats

    @property
    def dimension(self) -> int:
        return int(self.whitening.shape[1])

    def transform(self, blocks: Mapping[str, Block]) -> Floats:
        """(n, k) float64. Raises AuditError unless the modalities and their dimensions are those fitted."""
        if set(blocks) != set(self.blocks):
            raise AuditError(f"fitted on {', '.join(self.blocks)}; given {', '.join(blocks)}")
        parts = []
        for name, (mean, components) in self.blocks.items():
            block = blocks[name]
            if block.rows.shape[1] != len(mean):
                raise AuditError(f"{name} vectors have {block.rows.shape[1]} numbers; fitted on {len(mean)}")
            parts.append(_project(block, mean, components))
        result: Floats = (np.hstack(parts) - self.mean) @ self.whitening
        return result

    def scorer(self, directions: Floats) -> "Scorer":
        """The scores of rows along `directions` (k, s), for rows that come a batch of one modality at a time."""
        onto = self.whitening @ directions
        maps, start = {}, 0
        for name, (mean, components) in self.blocks.items():
            stop = start + components.shape[1]
            maps[name] = (mean, components @ onto[start:stop], onto[stop])
            start = stop + 1
        return Scorer(maps, -self.mean @ onto)

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Plain arrays for `Commit.put_model`; `from_arrays` takes them back."""
        arrays: dict[str, NDArray[np.generic]] = {"mean": self.mean, "whitening": self.whitening}
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
        return cls(blocks, floats["mean"], floats["whitening"])


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


def fit_fusion(blocks: Mapping[str, Block], fitted_on: Booleans, components: int = COMPONENTS) -> Fusion:
    """Fits on the rows where `fitted_on` (n,) is True; modalities in the order of `blocks`.

    Each modality: principal components (at most `components`), scaled to unit mean square norm times its
    weight; then all of them together, whitened. Raises AuditError if a vector is not finite or if no
    direction varies.
    """
    fitted: dict[str, tuple[Floats, Floats]] = {}
    parts = []
    for name, block in blocks.items():
        if not np.isfinite(block.rows[block.present]).all():
            raise _not_finite(name)
        mean, matrix = _fit_block(block, fitted_on, components)
        fitted[name] = (mean, matrix)
        parts.append(_project(Block(block.rows[fitted_on], block.present[fitted_on]), mean, matrix))
    joined = np.hstack(parts) if parts else np.zeros((int(fitted_on.sum()), 0))
    center, whitening = _whitening(joined)
    if not whitening.shape[1]:
        raise AuditError(
            f"the vectors of {', '.join(blocks)} are all equal: there is nothing to tell samples apart by",
            "embed with another encoder, or add modalities",
        )
    return Fusion(fitted, center, whitening)


def _fit_block(block: Block, fitted_on: Booleans, most: int) -> tuple[Floats, Floats]:
    rows = np.asarray(block.rows[fitted_on & block.present], float)
    if len(rows) < 2:
        return np.zeros(block.rows.shape[1]), np.zeros((block.rows.shape[1], 0))
    mean = rows.mean(axis=0)
    variances, directions = principal_directions(rows - mean, min(most, max(1, len(rows) // ROWS_PER_COMPONENT)))
    total = variances.sum()
    scale = block.weight / np.sqrt(total) if total > 0 else 0.0
    return mean, directions * scale


def _project(block: Block, mean: Floats, components: Floats) -> Floats:
    projected = np.zeros((len(block.rows), components.shape[1]))
    projected[block.present] = (np.asarray(block.rows[block.present], float) - mean) @ components
    return np.column_stack([projected, ~block.present])


def _whitening(joined: Floats) -> tuple[Floats, Floats]:
    mean = joined.mean(axis=0) if len(joined) else np.zeros(joined.shape[1])
    if len(joined) < 2 or not joined.shape[1]:
        return mean, np.zeros((joined.shape[1], 0))
    values, directions = principal_directions(joined - mean, joined.shape[1])
    kept = values > RELATIVE_FLOOR * values[0] if len(values) else np.zeros(0, bool)
    return mean, directions[:, kept] / np.sqrt(values[kept])
