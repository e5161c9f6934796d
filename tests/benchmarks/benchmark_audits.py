"""Small audits with a slice planted in them."""

import numpy as np
import polars as pl

from benchmarks.peers import Audit
from misread.fuse import Block


def planted(seed: int, rows: int = 900, dimension: int = 12) -> tuple[Audit, np.ndarray]:
    """Rows of which a group, shifted along two axes and all of class 1, is mostly wrong; and who is in the group."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((rows, dimension))
    label = rng.integers(0, 2, rows)
    group = (label == 1) & (rng.random(rows) < 0.25)
    vectors[group, :2] += 4.0
    right = rng.random(rows) < np.where(group, 0.25, 0.9)
    sure = 0.5 + 0.5 * rng.random(rows)
    score = np.where(right == (label == 1), sure, 1 - sure)
    metadata = pl.DataFrame({"place": np.where(group, "there", "here"), "age": rng.integers(20, 90, rows)})
    return audit_of(vectors, label, score, metadata), group


def audit_of(vectors: np.ndarray, label: np.ndarray, score: np.ndarray, metadata: pl.DataFrame) -> Audit:
    predicted = (score >= 0.5).astype(np.intp)
    blocks = {"image": Block(vectors, np.ones(len(vectors), bool))}
    return Audit(blocks, metadata, label.astype(np.intp), score, predicted, predicted != label, np.arange(len(label)))
