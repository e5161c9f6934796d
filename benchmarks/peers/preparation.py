"""Vectors as a fair user of a peer would prepare them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.fuse import Block
from misread.principal import principal_axes, principal_directions

from .interface import Audit, Floats

Numbers = NDArray[np.floating]
Projection = tuple[Floats, Floats]
PART_ROWS = 8192


@dataclass(frozen=True, eq=False)
class Preparation:
    """Per modality principal components of unit mean square norm, side by side, then joint components."""

    key: str
    blocks: Mapping[str, Projection]
    joint: Projection

    def __call__(self, audit: Audit) -> Numbers:
        """(n, c), in the precision of the vectors; computed once for an audit."""
        if self.key not in audit.memo:
            audit.memo[self.key] = (self, _joined(self.blocks, audit))
        owner, joined = audit.memo[self.key]
        if owner is not self:
            joined = _joined(self.blocks, audit)
        mean, components = self.joint
        return np.asarray((joined - mean.astype(joined.dtype)) @ components.astype(joined.dtype))


def prepare(audit: Audit, components: int) -> Preparation:
    """Fitted on the rows of `audit`; the same object for the same audit and number of components."""
    key = f"preparation {components}"
    if f"fitted {key}" not in audit.memo:
        blocks = {name: _projection(block, components) for name, block in audit.blocks.items()}
        joined = _joined(blocks, audit)
        mean, _, directions = _principal(joined, components)
        audit.memo[f"fitted {key}"] = Preparation(key, blocks, (mean, directions))
    fitted: Preparation = audit.memo[f"fitted {key}"]
    return fitted


def _projection(block: Block, components: int) -> Projection:
    rows = block.rows if block.present.all() else block.rows[block.present]
    mean, variances, directions = _principal(rows, components)
    total = float(variances.sum())
    return mean, directions / np.sqrt(total) if total > 0 else directions


def _principal(rows: Numbers, components: int) -> tuple[Floats, Floats, Floats]:
    """Mean, variances and directions of rows (n, d), whose products are summed up part by part: nothing is copied."""
    count, dimension = rows.shape
    mean = rows.mean(axis=0, dtype=float) if count else np.zeros(dimension)
    if dimension > count:
        return mean, *principal_directions(rows - mean, components)
    products = np.zeros((dimension, dimension))
    for here in _parts(count):
        centered = rows[here] - mean.astype(rows.dtype)
        products += centered.T @ centered
    return mean, *principal_axes(products / max(count, 1), components)


def _joined(blocks: Mapping[str, Projection], audit: Audit) -> Numbers:
    """A modality a row does not have counts as its mean."""
    widths = [directions.shape[1] for _, directions in blocks.values()]
    kinds = [audit.blocks[name].rows.dtype for name in blocks]
    joined = np.zeros((len(audit), sum(widths)), np.result_type(*kinds, np.float32))
    start = 0
    for (name, (mean, directions)), width in zip(blocks.items(), widths, strict=True):
        block, onto, center = audit.blocks[name], directions.astype(joined.dtype), mean.astype(joined.dtype)
        for here in _parts(len(audit)):
            present = block.present[here]
            joined[here, start : start + width][present] = (block.rows[here][present] - center) @ onto
        start += width
    return joined


def _parts(rows: int) -> Iterator[slice]:
    return (slice(start, start + PART_ROWS) for start in range(0, rows, PART_ROWS))
