"""One function a node: what a plan's step gives, from what the step below gave."""

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
import polars as pl

from misread.audit.population import Population, population, scanned_samples
from misread.discover import Rule
from misread.fuse import Block, Fusion, fuse
from misread.metadata import MetadataFeatures, choose_columns, fit_features
from misread.plan import AUTOMATIC, Assign, Describe, Discover, Filter, Fuse, Node, Scan
from misread.progress import Progress
from misread.schemas.errors import AuditError
from misread.schemas.values import DISCOVERY
from misread.store import TableStore
from misread.threads import one_thread

from .inputs import metadata_columns, read_images, read_predictions, read_vectors


@dataclass(frozen=True)
class ScannedSamples:
    """`images`: one row a sample, by sample_id; `predictions`: long; `selected`: sample ids, None for all."""

    scan: Scan
    images: pl.DataFrame
    predictions: pl.DataFrame
    selected: frozenset[str] | None = None


@dataclass(frozen=True)
class FusedSamples:
    """`samples`: every sample of the store with `left_out` (a reason or null); `vectors`: (n, k) in that order."""

    below: ScannedSamples
    samples: pl.DataFrame
    vectors: np.ndarray
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
        schema = {"audit_id": pl.String, "slice_id": pl.String, "sample_id": pl.String, "half": pl.String}
        empty = pl.DataFrame(schema={**schema, "score": pl.Float64, "class_probability": pl.Float64, "rank": pl.Int64})
        return pl.concat([empty, *(found.memberships for found in self.slices)])


@dataclass(frozen=True)
class Described:
    """What was discovered, with the phrases of every slice (rows of the phrases table)."""

    below: Discovered
    phrases: tuple[dict[str, object], ...]


@singledispatch
def run(node: Node, store: TableStore, progress: Progress) -> object:
    """Runs a plan and gives the value of its last node."""
    raise TypeError(f"no step for {type(node).__name__} (store {store.location}, {progress})")


@run.register
def _(node: Scan, store: TableStore, progress: Progress) -> ScannedSamples:  # noqa: ARG001 - every step takes the same
    return ScannedSamples(node, read_images(store, node.seed), read_predictions(store, node.models, node.targets))


@run.register
def _(node: Filter, store: TableStore, progress: Progress) -> ScannedSamples:
    from misread.query import selected_samples

    below = run(node.input, store, progress)
    assert isinstance(below, ScannedSamples)
    where = " AND ".join(f"({predicate})" for predicate in node.predicates)
    chosen = frozenset(selected_samples(store, where))
    selected = chosen if below.selected is None else chosen & below.selected
    return ScannedSamples(below.scan, below.images, below.predictions, selected)


@run.register
def _(node: Fuse, store: TableStore, progress: Progress) -> FusedSamples:
    below = run(node.input, store, progress)
    assert isinstance(below, ScannedSamples)
    blocks = {
        name: read_vectors(store, encoder, below.images["sample_id"])
        for name, encoder in (("image", node.image), ("report", node.report))
        if encoder
    }
    has_vector = np.any([block.present for block in blocks.values()], axis=0) if blocks else None
    if node.metadata is not None:
        has_vector = np.ones(below.images.height, bool)
    if has_vector is None:
        raise AuditError("a plan needs at least one modality", "fuse image, report or metadata")
    with_vector = below.images["sample_id"].filter(pl.Series(has_vector)).to_list()
    samples = scanned_samples(below.images, below.selected, with_vector, include_train=below.scan.include_train)
    kept = samples["left_out"].is_null()
    fitted_on = (kept & (samples["half"] == DISCOVERY)).to_numpy()
    if not kept.any():
        raise AuditError("no sample is left to audit", _why_nothing(samples))
    columns, notes = _metadata(node, store, below, samples.filter(kept))
    features = fit_features(samples.filter(pl.Series(fitted_on)), columns if node.metadata is not None else [])
    if node.metadata is not None:
        blocks["metadata"] = Block(features.transform(samples), np.ones(samples.height, bool))
    progress(0, 1, "fusing vectors")
    with one_thread():
        fusion, vectors = fuse(blocks, fitted_on)
    progress(1, 1, "fusing vectors")
    return FusedSamples(below, samples, vectors, fusion, features, tuple(columns), tuple(notes))


@run.register
def _(node: Discover, store: TableStore, progress: Progress) -> Discovered:
    from .discovering import discover
    from .identity import audit_id_of

    below = run(node.input, store, progress)
    assert isinstance(below, FusedSamples)
    predictions = below.below.predictions.partition_by("model", "target", as_dict=True)
    populations = [
        population(
            below.samples, rows.drop("model", "target"), str(model), str(target), node.threshold, by_loss=node.losses
        )
        for (model, target), rows in sorted(predictions.items())
    ]
    with one_thread():
        return discover(node, below, populations, audit_id_of(store, node), progress)


@run.register
def _(node: Describe, store: TableStore, progress: Progress) -> Described:
    from .describing import describe

    below = run(node.input, store, progress)
    assert isinstance(below, Discovered)
    return Described(below, tuple(describe(node, store, below)))


@run.register
def _(node: Assign, store: TableStore, progress: Progress) -> object:
    from .assigning import assign

    return assign(node, store, progress)


def positions(fused: FusedSamples, samples: pl.Series) -> np.ndarray:
    """(n,) the rows of `fused.vectors` that hold these samples."""
    return fused.samples["sample_id"].search_sorted(samples).to_numpy()


def _why_nothing(samples: pl.DataFrame) -> str:
    counts = samples.group_by("left_out").len().sort("left_out")
    return "left out: " + "; ".join(f"{rows} rows ({reason})" for reason, rows in counts.iter_rows())


def _metadata(node: Fuse, store: TableStore, below: ScannedSamples, kept: pl.DataFrame) -> tuple[list[str], list[str]]:
    """The columns that describe samples (and are fused, if metadata is), and a note on those left out."""
    asked = None if node.metadata in (AUTOMATIC, None) else node.metadata
    labels = below.predictions.select("sample_id", "target", "label").drop_nulls().unique(["sample_id", "target"])
    ids = kept.select("sample_id")
    by_target = {
        str(target): ids.join(rows, on="sample_id", how="left", maintain_order="left")["label"]
        for (target,), rows in labels.partition_by("target", as_dict=True).items()
    }
    columns, left_out = choose_columns(kept.select(metadata_columns(store)), by_target, asked)
    notes = [f"metadata column {name} is left out of the vectors: it {why}" for name, why in left_out.items()]
    return columns, notes
