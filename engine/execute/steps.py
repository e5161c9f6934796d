"""What the steps of an audit give to the step above."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.aligned import gathered
from misread.audit.population import Population
from misread.discover import Rule
from misread.fuse import Fusion
from misread.metadata import MetadataFeatures
from misread.spill import Vectors


@dataclass(frozen=True)
class ScannedSamples:
    """What an audit may look at: `images`, sample_id, split, patient and half, one row a sample, by sample_id;
    `metadata`, apart, as its columns may be called as any other: split and every metadata column in the same order;
    `predictions`, long, with `winner`.

    `seed`: of the halves and every draw; `not_selected`: how many images of the store a filter took away.
    """

    seed: int
    images: pl.DataFrame
    metadata: pl.DataFrame
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


@dataclass(frozen=True, eq=False)
class Members:
    """Every scanned sample that a slice's rule takes, the highest score first; ties by sample id.

    `places` (n,) among all samples of the audit, their `scores` and class probabilities (n,). `samples`: sample_id and
    half of all samples; `truth`: label, predicted, error and loss of those that are judged, `judged` telling of every
    sample which row is its own, -1 for none. Rows of text are made as they are read.
    """

    audit_id: str
    slice_id: str
    samples: pl.DataFrame
    truth: pl.DataFrame
    judged: NDArray[np.int32]
    places: NDArray[np.int32]
    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    def ids(self) -> pl.Series:
        return self.samples["sample_id"].gather(self.places)

    def parts(self, most: int) -> Iterator[pl.DataFrame]:
        """The slice's rows of the memberships table, at most `most` at a time."""
        for start in range(0, len(self.places), most):
            here = slice(start, start + most)
            places = self.places[here]
            rows = self.samples[places].hstack(gathered(self.truth, self.judged[places]))
            yield rows.select(
                audit_id=pl.lit(self.audit_id),
                slice_id=pl.lit(self.slice_id),
                sample_id="sample_id",
                half=pl.col("half").cast(pl.String),
                label="label",
                predicted="predicted",
                error="error",
                loss="loss",
                score=pl.Series(self.scores[here]),
                class_probability=pl.Series(self.probabilities[here]),
                rank=pl.int_range(start + 1, start + len(places) + 1, dtype=pl.Int64),
            )


@dataclass(frozen=True)
class FoundSlice:
    """One slice: its rule, its row of the slices table, and its members."""

    population: Population
    true_class: int | None
    rule: Rule
    row: dict[str, object]
    members: Members


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

    def memberships(self, rows: int) -> Iterator[pl.DataFrame]:
        """Rows of that table, slice after slice, at most `rows` at a time; they are never held all at once."""
        return (part for found in self.slices for part in found.members.parts(rows))


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
