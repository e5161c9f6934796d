"""What the steps of an audit give to the step above."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.aligned import gathered, inverse
from misread.audit.population import Population
from misread.discover import Rule
from misread.fuse import Fusion
from misread.metadata import MetadataFeatures
from misread.spill import Vectors
from misread.threads import one_thread


@dataclass(frozen=True)
class ScannedSamples:
    """What an audit may look at: `images`, sample_id, split, patient and half, one row a sample, by sample_id;
    `metadata`, apart, as its columns may be called as any other: split and every metadata column in the same order;
    `predictions`, long, with `winner` and, for their sample, `place`, where it stands among the images.

    `thresholds`: those that predictions bring, by model and target, whatever images were selected. `seed`: of the
    halves and every draw; `not_selected`: how many images of the store a filter took away.
    """

    seed: int
    images: pl.DataFrame
    metadata: pl.DataFrame
    predictions: pl.DataFrame
    thresholds: Mapping[tuple[str, str], float] = field(default_factory=dict)
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

    `bits`: which of all samples of the audit, whose vectors are `vectors` (n, k), are taken, a bit each. All else is
    worked out as rows are read.
    """

    audit_id: str
    slice_id: str
    population: Population
    rule: Rule
    vectors: Vectors
    bits: NDArray[np.uint8]

    @property
    def taken(self) -> NDArray[np.bool_]:
        """(n,) of all samples."""
        return np.unpackbits(self.bits, count=len(self.vectors)).view(np.bool_)

    def parts(self, most: int) -> Iterator[pl.DataFrame]:
        """The slice's rows of the memberships table, at most `most` at a time."""
        taken, samples = self.taken, self.population.samples.select("sample_id", "half")
        verdicts = self.population.verdicts.select("label", "predicted", "error", "loss")
        judged = inverse(self.population.verdicts["place"].to_numpy(), len(taken))
        with one_thread():
            scores, likely = self.rule.scored(self.vectors, taken)
        order = np.argsort(-scores, kind="stable")  # samples lie by their ids
        ranked = np.flatnonzero(taken)[order].astype(np.int32)
        for start in range(0, len(ranked), most):
            places, here = ranked[start : start + most], order[start : start + most]
            yield (
                samples[places]
                .hstack(gathered(verdicts, judged[places]))
                .select(
                    audit_id=pl.lit(self.audit_id),
                    slice_id=pl.lit(self.slice_id),
                    sample_id="sample_id",
                    half=pl.col("half").cast(pl.String),
                    label="label",
                    predicted="predicted",
                    error="error",
                    loss=pl.col("loss").cast(pl.Float64),
                    score=pl.Series(scores[here]),
                    class_probability=pl.Series(likely[here]),
                    rank=pl.int_range(start + 1, start + len(places) + 1, dtype=pl.Int64),
                )
            )


@dataclass(frozen=True)
class FoundSlice:
    """One slice: its row of the slices table, and its members."""

    population: Population
    true_class: int | None
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
