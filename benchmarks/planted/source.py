"""A set of rows into which slices can be planted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.fuse import Block
from misread.principal import principal_directions

FEATURES = 256


@dataclass(frozen=True, eq=False)
class Source:
    """Rows in the order of their sample ids.

    `blocks`: image and report vectors; `metadata`: raw columns; `attributes`: yes/no columns without gaps.
    `features` (n, f): what a trained classifier sees. `targets`: attributes a classifier is to tell;
    `groups`: attributes that make slices; `correlates`: attributes only fit to go along with a target.
    """

    name: str
    blocks: Mapping[str, Block]
    metadata: pl.DataFrame
    attributes: pl.DataFrame
    patients: NDArray[np.intp]
    features: NDArray[np.float32]
    targets: tuple[str, ...]
    groups: tuple[str, ...]
    correlates: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.patients)

    def flags(self, attribute: str) -> NDArray[np.bool_]:
        return self.attributes[attribute].to_numpy().astype(bool)

    @property
    def modalities(self) -> tuple[str, ...]:
        return (*self.blocks, "metadata")


def classifier_features(raw: NDArray[np.floating]) -> NDArray[np.float32]:
    """Standardised columns on their 256 leading directions, of unit variance on the average."""
    rows = np.asarray(raw, float)
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    variances, directions = principal_directions(rows, FEATURES)
    return np.asarray(rows @ directions / np.sqrt(variances.mean()), np.float32)


def patient_codes(names: pl.Series) -> NDArray[np.intp]:
    return np.unique(names.cast(pl.String).to_numpy().astype(str), return_inverse=True)[1].astype(np.intp)
