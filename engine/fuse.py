"""One vector a sample from whichever modalities it has: a fusion that `misread.fitting` fitted, applied to any row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from misread.products import Products
from misread.schemas.errors import AuditError

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Places = NDArray[np.intp]

AT_ONCE = 2048
"""Rows worked on at a time, always the same ones: how sums are cut decides their last digits."""


@dataclass(frozen=True)
class Block:
    """One modality of the samples: `rows` (n, d) float, of which those where `present` (n,) is False are ignored."""

    rows: NDArray[np.floating]
    present: Booleans

    def there(self) -> NDArray[np.floating]:
        """The rows that are present."""
        return self.rows[where(self.present)]


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

    def transform(self, blocks: Mapping[str, Block], products: Products | None = None) -> Floats:
        """(n, k) float64. Raises AuditError unless the modalities and their dimensions are those fitted."""
        if set(blocks) != set(self.blocks):
            raise AuditError(f"fitted on {', '.join(self.blocks)}; given {', '.join(blocks)}")
        scorer = replace(self._axes, products=products or Products())
        n = len(next(iter(blocks.values())).present)
        vectors = np.tile(scorer.without(), (n, 1))
        for start in range(0, n, AT_ONCE):
            part = slice(start, start + AT_ONCE)
            for name in self.blocks:
                present = where(blocks[name].present[part])
                vectors[part][present] += scorer.gain(name, blocks[name].rows[part][present])
        return vectors

    @cached_property
    def _axes(self) -> "Scorer":
        return self.scorer(np.eye(self.dimension))

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
    products: Products = field(default_factory=Products)

    def without(self) -> Floats:
        """(s,): the scores of a row that has no modality at all."""
        return np.asarray(self.offset + sum(missing for _, _, missing in self.maps.values()))

    def gain(self, modality: str, rows: NDArray[np.floating]) -> Floats:
        """(n, s) float64: what having this modality, as `rows` (n, d), adds to the scores of a row without it.

        In double precision, so that a row's score does not hang, to 9 decimals, on the rows that stand beside it.
        Raises AuditError for rows of another dimension than was fitted, or that are not finite.
        """
        mean, weights, missing = self.maps[modality]
        if rows.shape[1] != len(mean):
            raise AuditError(f"{modality} vectors have {rows.shape[1]} numbers; fitted on {len(mean)}")
        found = self.products.centered(rows, mean, weights)
        if not (found.size and np.isfinite(found).all()) and not np.isfinite(rows).all():
            raise not_finite(modality)
        found -= missing
        return found


def not_finite(modality: str) -> AuditError:
    return AuditError(f"{modality} vectors hold NaN or infinity", "embed again, or ingest other vectors")


def where(present: Booleans) -> slice | Booleans:
    """What numbers the rows that are present: all of them need not be copied."""
    return slice(None) if present.all() else present


def parts(blocks: Mapping[str, Block], rows: Places) -> Iterator[dict[str, Block]]:
    """The numbered rows of the blocks, `AT_ONCE` at a time."""
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        yield {name: Block(block.rows[some], block.present[some]) for name, block in blocks.items()}
