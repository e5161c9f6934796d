"""The fuse step: fitted in one reading of vectors of the discovery half; then rows stream through it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import pairwise
from typing import Final, TypeVar

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from misread.audit.aligned import gathered, inverse
from misread.audit.copies import copies_across_halves, copies_told
from misread.audit.population import NOT_SELECTED, SEEN_IN_TRAINING, scanned_samples, shares_training_patients
from misread.fitting import FusionFit
from misread.fuse import AT_ONCE, Fusion, Places
from misread.memory import give_back, trim
from misread.metadata import MetadataFeatures, choose_columns, fit_features
from misread.plan import AUTOMATIC, Fuse, Scan
from misread.products import Products, products_for
from misread.progress import Progress
from misread.schemas.errors import AuditError
from misread.schemas.tables import VECTOR
from misread.schemas.values import DISCOVERY, is_small_cell
from misread.spill import HELD_BYTES, Vectors, are_held, cuts_of, put_aside
from misread.sql.limits import SMALLEST_CELL
from misread.store import TableStore
from misread.threads import in_order, one_thread
from misread.workers import Workers, spread

from .sample_vectors import Numbered, SampleVectors, numbered
from .steps import FusedSamples, ScannedSamples

S = TypeVar("S")
T = TypeVar("T")
FUSING: Final = "fusing vectors"
HELD_PER_NUMBER: Final = 32
"""Bytes that finding slices holds for every number of every vector: the vectors, and what a search makes of them.

Vectors that take more than `HELD_BYTES` lie on disk; then what a search makes of them does, too.
"""
HELD_PER_SAMPLE: Final = 200
"""Bytes it holds for every sample besides."""
SPAN: Final = 4 * AT_ONCE
"""Rows whose vectors are summed up or fused in one go, here or by another process; then freed memory is given back."""
MOST_SUMS: Final = 128
"""Of more spans the sums are added up where they were made: what travels does not grow with rows."""


@dataclass(frozen=True)
class FittedFusion:
    """A fusion fitted on samples, before any other vector is read.

    `samples`: those that were selected, with `left_out`; `columns`: the metadata that describes them.
    """

    below: ScannedSamples
    samples: pl.DataFrame
    vectors: SampleVectors
    fusion: Fusion
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    products: Products
    workers: Workers | None = None

    @cached_property
    def kept(self) -> Places:
        return np.flatnonzero(self.samples["left_out"].is_null().to_numpy())

    def held(self, progress: Progress, memory: int | None) -> FusedSamples:
        """Every vector: held, on disk or by workers. Raises AuditError where that takes more than `memory` bytes."""
        rows, dimension = self.samples.height, self.fusion.dimension
        needed = min(rows * dimension, HELD_BYTES // 8) * HELD_PER_NUMBER + rows * HELD_PER_SAMPLE
        if memory is not None and needed > memory:
            raise AuditError(
                f"finding slices among {self.samples.height} samples takes about {needed / 1e6:.0f} MB; "
                f"the budget is {memory / 1e6:.0f} MB",
                "allow more memory, or choose samples with filter",
            )
        vectors = self._every_vector(progress)
        give_back()
        features = self.vectors.features or MetadataFeatures(())
        notes = (*self.notes, *self.products.notes)
        return FusedSamples(self.below, self.samples, vectors, self.fusion, features, self.columns, notes)

    def _every_vector(self, progress: Progress) -> Vectors:
        """The vectors of all samples, zeros for those that are left out."""
        done, (rows, dimension) = 0, (self.samples.height, self.fusion.dimension)

        def tick(more: int) -> None:
            nonlocal done
            done += more
            progress(done, rows, FUSING)

        tick(0)
        work = partial(_fused_part, self.fusion, self.products)
        if self.workers and not are_held(rows, dimension):
            return spread((rows, dimension), work, self._part, tick)
        parts = (self._part(slice(*ends)) for ends in pairwise(cuts_of(rows).tolist()))
        return put_aside(rows, dimension, _ticked(_beside(work, parts, self.workers), tick))

    def _part(self, rows: slice) -> "Part":
        kept = self.kept[slice(*np.searchsorted(self.kept, (rows.start, rows.stop)))]
        return rows.stop - rows.start, kept - rows.start, self.vectors.some(kept)

    def batches(self, batch_rows: int, progress: Progress) -> Iterator[pa.RecordBatch]:
        """sample_id, half and vector of the samples that are kept, by sample id."""
        kept = self.samples.select("sample_id", "half").to_arrow().cast(_TEXTS)
        waiting: list[pa.RecordBatch] = []
        work = partial(_fused, self.fusion, self.products)
        for rows, part in _over_spans(work, self.vectors, self.kept, SPAN, progress, FUSING, self.workers):
            fixed = pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), part.shape[1])
            columns = [kept[name].combine_chunks().take(pa.array(rows)) for name in _TEXTS.names]
            waiting.append(pa.RecordBatch.from_arrays([*columns, fixed], [*_TEXTS.names, VECTOR]))
            ready = pa.Table.from_batches(waiting).combine_chunks().to_batches(batch_rows)
            full = [batch for batch in ready if batch.num_rows == batch_rows]
            yield from full
            waiting = [batch for batch in ready if batch.num_rows < batch_rows]
        yield from waiting


_TEXTS = pa.schema([("sample_id", pa.string()), ("half", pa.string())])


def fit_samples(
    node: Fuse, below: ScannedSamples, store: TableStore, progress: Progress, workers: Workers | None = None
) -> FittedFusion:
    """Fits a fusion on the discovery half. Raises AuditError where no sample is left, or nothing tells them apart."""
    if not node.modalities:
        raise AuditError("a plan needs at least one modality", "fuse image, report or metadata")
    ids = below.images["sample_id"]
    tables = {name: numbered(vectors.first(Scan), store, ids) for name, vectors in node.vectors.items()}
    samples = scanned_samples(below.images, _has_vector(node, below, tables), include_train=below.include_train)
    kept = samples["left_out"].is_null()
    if not kept.any():
        raise AuditError("no sample is left to audit", _why_nothing(samples, below.not_selected))
    fitted_on = (kept & (samples["half"] == DISCOVERY)).to_numpy()
    columns, notes = _metadata(node, below, kept)
    samples = samples.select("sample_id", "patient", "half", "left_out")
    below = replace(below, images=samples, metadata=below.metadata.select("split", *columns))  # no other is read again
    notes += _seen_elsewhere(samples, store)
    features = fit_features(below.metadata.filter(pl.Series(fitted_on)), columns) if node.metadata is not None else None
    vectors = SampleVectors(below.metadata, tables, features)
    give_back()
    waiting = np.flatnonzero(fitted_on)
    rows = vectors.to_fit(waiting, below.seed)
    if len(rows) < len(waiting):
        notes.append(f"the fusion is fitted on {len(rows)} of {len(waiting)} discovery samples, drawn by the seed")
    products = Products() if workers else products_for(vectors.products(len(rows), int(kept.sum())))
    fit = _fit(vectors, rows, progress, products, workers)
    with one_thread():
        fusion = fit.fusion()
    notes += [_drowned(name) for name in fit.drowned()]
    return FittedFusion(below, samples, vectors, fusion, tuple(columns), tuple(notes), products, workers)


def _fit(
    vectors: SampleVectors, rows: Places, progress: Progress, products: Products, workers: Workers | None
) -> FusionFit:
    empty = FusionFit(vectors.first(rows), products)
    fit, size = empty.summed([]), SPAN * max(len(rows) // (SPAN * MOST_SUMS), 1)
    for _, part in _over_spans(partial(_sums, empty), vectors, rows, size, progress, "fitting the fusion", workers):
        fit.merge(part)
    return fit


def _drowned(modality: str) -> str:
    return (
        f"a few {modality} vectors of the discovery half, or one, lie so far from the middle of all that hardly "
        "anything tells the others apart beside them; if they are damaged (blank images, a faulty encoder), mend "
        "them or leave their samples out (--where)"
    )


Part = tuple[int, Places, SampleVectors]
"""Consecutive samples: how many, which of them are kept, and their vectors."""


def _sums(empty: FusionFit, vectors: SampleVectors) -> FusionFit:
    return empty.summed(vectors.parts())


def _fused(fusion: Fusion, products: Products, vectors: SampleVectors) -> NDArray[np.float64]:
    at_once = AT_ONCE if products.device else vectors.light()
    return np.concatenate([fusion.transform(part, products) for part in vectors.parts(at_once)])


def _fused_part(fusion: Fusion, products: Products, part: Part) -> NDArray[np.float64]:
    rows, kept, vectors = part
    fused = np.zeros((rows, fusion.dimension))
    if len(kept):
        fused[kept] = _fused(fusion, products, vectors)
    return fused


def _alone(work: Callable[[S], T], item: S) -> T:
    """In a process of its own; here many threads share the setting."""
    with one_thread():
        return work(item)


def _beside(work: Callable[[S], T], items: Iterable[S], workers: Workers | None) -> Iterator[T]:
    """The results of `work` in the order of `items`: worked out here or by workers."""
    with one_thread():
        for result in workers.in_order(partial(_alone, work), items) if workers else in_order(work, items, waiting=0):
            yield result
            trim()


def _ticked(parts: Iterable[NDArray[np.float64]], tick: Callable[[int], None]) -> Iterator[NDArray[np.float64]]:
    for part in parts:
        yield part
        tick(len(part))


def _over_spans(
    work: Callable[[SampleVectors], T],
    vectors: SampleVectors,
    rows: Places,
    size: int,
    progress: Progress,
    what: str,
    workers: Workers | None,
) -> Iterator[tuple[Places, T]]:
    """The results of `work` over spans of `size` rows, always the same, in their order: here or by workers."""
    spans = [rows[start : start + size] for start in range(0, len(rows), size)]
    items = (vectors.some(span) for span in spans)
    progress(0, len(rows), what)
    done = 0
    for span, result in zip(spans, _beside(work, items, workers), strict=True):
        yield span, result
        done += len(span)
        progress(done, len(rows), what)


def _has_vector(node: Fuse, below: ScannedSamples, tables: Mapping[str, Numbered]) -> pl.Series:
    """(n,): who has a vector in any modality; metadata has everybody."""
    if node.metadata is not None:
        return pl.repeat(True, below.images.height, eager=True)
    return pl.Series(np.any([found >= 0 for _, found in tables.values()], axis=0))


def _seen_elsewhere(samples: pl.DataFrame, store: TableStore) -> list[str]:
    """Notes on samples whose patients the model was trained on, and on copies of files in both halves."""
    notes = [SEEN_IN_TRAINING] if shares_training_patients(samples) else []
    copies, patients = copies_across_halves(samples, store.table("images").batches(["sample_id", "sha256"]))
    return notes + ([copies_told(None if is_small_cell(patients, SMALLEST_CELL) else copies)] if copies else [])


def _why_nothing(samples: pl.DataFrame, not_selected: int) -> str:
    counts = dict(samples.group_by("left_out").len().sort("left_out").iter_rows())
    reasons = {NOT_SELECTED: not_selected, **counts} if not_selected else counts
    if not reasons:
        return "the store holds none: ingest samples"
    return "left out: " + "; ".join(f"{rows} rows ({reason})" for reason, rows in reasons.items())


def _metadata(node: Fuse, below: ScannedSamples, kept: pl.Series) -> tuple[list[str], list[str]]:
    """The columns that describe samples (and are fused, if metadata is), and a note on those left out."""
    asked = None if node.metadata in (AUTOMATIC, None) else node.metadata
    metadata = below.metadata.filter(kept).drop("split")
    labels = _labels(below.predictions, kept) if metadata.columns and asked is None else {}
    columns, left_out = choose_columns(metadata, labels, asked)
    notes = [f"metadata column {name} is left out of the vectors: it {why}" for name, why in left_out.items()]
    return columns, notes


def _labels(predictions: pl.DataFrame, kept: pl.Series) -> dict[str, pl.Series]:
    """By target the labels of the samples that are kept (n,); null where there is none."""
    labels = predictions.select("place", "target", "label").drop_nulls()
    return {
        str(target): gathered(rows.select("label"), inverse(rows["place"].to_numpy(), len(kept)))["label"].filter(kept)
        for (target,), rows in labels.partition_by("target", as_dict=True).items()
    }
