"""What the steps of an audit give to the step above."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from misread.audit.population import Population
from misread.discover import Rule
from misread.fuse import Fusion
from misread.metadata import MetadataFeatures
from misread.schemas.tables import MEMBERSHIPS
from misread.spill import Vectors


@dataclass(frozen=True)
class ScannedSamples:
    """What an audit may look at: `images`, one row a sample, by sample_id; `predictions`, long, with `winner`.

    `seed`: of the halves and every draw; `not_selected`: how many images of the store a filter took away.
    """

    seed: int
    images: pl.DataFrame
    predictions: pl.DataFrame
    not_selected: int = 0
    include_train: bool = False


@dataclass(frozen=True)
class FusedSamples:
    """`samples`: every sample that was selected, with `left_out` (a reason or null); `vectors`: (n, k) in that order.

    The vector of a sample that is left out is zero.
    """

    below: ScannedSamples
    samples: pl.DataFrame
    vectors: Vectors
    fusion: Fusion
    features: MetadataFeatures
    columns: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class FoundSlice:
    """One slice: its rule, its row of the slices table, and its memberships."""

    population: Population
    true_class: int | None
    rule: Rule
    row: dict[str, object]
    memberships: pl.DataFrame


@dataclass(frozen=True)
class Discovered:
    """Every population audited and every slice found, in canonical order.

    By model and target: `target_notes`, and `effects`, the columns of audit_targets on the smallest effects.
    `comparisons`: rows of that table.
    """

    below: FusedSamples
    audit_id: str
    populations: tuple[Population, ...]
    slices: tuple[FoundSlice, ...]
    target_notes: dict[tuple[str, str], str]
    effects: dict[tuple[str, str], dict[str, object]]
    comparisons: tuple[dict[str, object], ...]

    def memberships(self) -> pl.DataFrame:
        empty = pl.DataFrame(MEMBERSHIPS.schema.empty_table()).drop(MEMBERSHIPS.hidden)
        return pl.concat([empty, *(found.memberships for found in self.slices)])


@dataclass(frozen=True)
class Described:
    """What was discovered and told in words: `below`'s slices have theirs in their rows.

    `phrases`, `contrast_words`, `examples`: rows of those tables; `notes`: how phrases were chosen, and what was not.
    """

    below: Discovered
    phrases: tuple[dict[str, object], ...] = ()
    contrast_words: tuple[dict[str, object], ...] = ()
    examples: tuple[dict[str, object], ...] = ()
    notes: tuple[str, ...] = ()


def positions(fused: FusedSamples, samples: pl.Series) -> np.ndarray:
    """(n,) the rows of `fused.vectors` that hold these samples."""
    return fused.samples["sample_id"].search_sorted(samples).to_numpy()
