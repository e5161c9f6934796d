"""What a method of slice discovery is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.fuse import Block

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]

MOST = 5
"""Slices a method may return."""


@dataclass(frozen=True, eq=False)
class Audit:
    """One half of the audited rows, in the order of their sample ids; every array is (n, ...).

    `blocks`: per modality its vectors. `metadata`: raw columns, none where metadata is no modality of the audit.
    `score`: the classifier's probability of class 1. `memo` keeps what several methods prepare alike.
    """

    blocks: Mapping[str, Block]
    metadata: pl.DataFrame
    label: Integers
    score: Floats
    predicted: Integers
    error: Booleans
    patients: Integers
    memo: dict[str, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: NDArray[Any]) -> Audit:
        """The audit of some rows: a mask or row numbers."""
        blocks = {name: Block(b.rows[rows], b.present[rows]) for name, b in self.blocks.items()}
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        metadata = self.metadata[numbers.tolist()] if self.metadata.width else self.metadata
        kept = (self.label, self.score, self.predicted, self.error, self.patients)
        return Audit(blocks, metadata, *(values[rows] for values in kept))


class Fitted(Protocol):
    """Slices found on the fitting half. Both methods take any rows; best slice first, at most 5."""

    def score(self, audit: Audit, with_labels: bool) -> Floats:
        """(n, s) how strongly each row belongs to each slice; higher is more."""
        ...

    def members(self, audit: Audit, with_labels: bool) -> Booleans:
        """(n, s) who is in."""
        ...


class Method(Protocol):
    """A way to find slices. Without anything to find it gives no slice."""

    def fit(self, audit: Audit, seed: int) -> Fitted: ...
