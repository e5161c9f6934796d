"""Vectors as a fair user of a peer would prepare them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from misread.fuse import Block
from misread.principal import principal_directions

from .interface import Audit, Floats

Projection = tuple[Floats, Floats]


@dataclass(frozen=True, eq=False)
class Preparation:
    """Per modality principal components of unit mean square norm, side by side, then joint components."""

    key: str
    blocks: Mapping[str, Projection]
    joint: Projection

    def __call__(self, audit: Audit) -> Floats:
        """(n, c); computed once for an audit."""
        if self.key not in audit.memo:
            audit.memo[self.key] = (self, _joined(self.blocks, audit))
        owner, joined = audit.memo[self.key]
        if owner is not self:
            joined = _joined(self.blocks, audit)
        mean, components = self.joint
        return np.asarray((joined - mean) @ components)


def prepare(audit: Audit, components: int) -> Preparation:
    """Fitted on the rows of `audit`; the same object for the same audit and number of components."""
    key = f"preparation {components}"
    if f"fitted {key}" not in audit.memo:
        blocks = {name: _projection(block, components) for name, block in audit.blocks.items()}
        joined = _joined(blocks, audit)
        mean = joined.mean(axis=0) if len(joined) else np.zeros(joined.shape[1])
        _, directions = principal_directions(joined - mean, components)
        audit.memo[f"fitted {key}"] = Preparation(key, blocks, (mean, directions))
    fitted: Preparation = audit.memo[f"fitted {key}"]
    return fitted


def _projection(block: Block, components: int) -> Projection:
    rows = np.asarray(block.rows[block.present], float)
    mean = rows.mean(axis=0) if len(rows) else np.zeros(block.rows.shape[1])
    variances, directions = principal_directions(rows - mean, components)
    total = float(variances.sum())
    return mean, directions / np.sqrt(total) if total > 0 else directions


def _joined(blocks: Mapping[str, Projection], audit: Audit) -> Floats:
    """A modality a row does not have counts as its mean."""
    parts = []
    for name, (mean, directions) in blocks.items():
        block = audit.blocks[name]
        part = np.zeros((len(audit), directions.shape[1]))
        part[block.present] = (np.asarray(block.rows[block.present], float) - mean) @ directions
        parts.append(part)
    return np.hstack(parts) if parts else np.zeros((len(audit), 0))
