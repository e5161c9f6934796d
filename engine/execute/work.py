"""Running plans: one function a step, each step once."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from misread.audit.aligned import located
from misread.audit.halves import patient_unit, with_half
from misread.audit.population import Population, population, winners
from misread.memory import map_large, trim
from misread.plan import Assign, Describe, Discover, Filter, Fuse, Node, Samples, Scan, Score, Select, Take, optimise
from misread.progress import Progress, silent
from misread.schemas.errors import AuditError
from misread.schemas.tables import IMAGES, VECTOR
from misread.sql.pipeline import BATCH_ROWS
from misread.store import TableStore
from misread.threads import one_thread
from misread.workers import Workers

from .cache import Cache
from .compile import ROW_STEPS
from .fusing import FittedFusion, fit_samples
from .inputs import given_thresholds
from .rows import MEMORY, read_rows, stream_rows
from .steps import Described, Discovered, FusedSamples, ScannedSamples


@dataclass
class Work:
    """One running of a plan: what its steps share, and what each of them has given.

    `memory`: bytes that rows may take while they are worked out, and the vectors of an audit; None: `MEMORY` for rows,
    no limit for vectors.
    `workers`: other processes that may fuse and hold vectors, and assign rows.
    `cache`: where what audits found is kept, and read back whatever is asked of it; None: nowhere.
    """

    store: TableStore
    progress: Progress = silent
    memory: int | None = None
    workers: Workers | None = None
    cache: Cache | None = None
    done: dict[Node, Any] = field(default_factory=dict)

    def value(self, node: Node) -> Any:
        """What a step of an audit gives; worked out once."""
        if node not in self.done:
            state = _state_of(node)
            is_own = state == self.store.state
            work = self if is_own else replace(self, store=TableStore.open(self.store.location, state=state))
            self.done[node] = _given(node, work)
        return self.done[node]

    def table(self, node: Node) -> pa.Table:
        """The rows of any step."""
        if isinstance(node, (*ROW_STEPS, Take)):
            return read_rows(node, self.store, self.table, memory=self.memory or MEMORY)
        if self.cache is not None and isinstance(node, Discover | Describe):
            return self.cache.answer(node, lambda: _table(node, self.value(node)))
        return _table(node, self.value(node))

    def parts(self, node: Node) -> Iterator[pl.DataFrame]:
        """The rows of a row step as they come, in no order, for which they would all be held; first an empty part."""
        yield pl.DataFrame(node.schema.empty_table())
        for batch in stream_rows(node, self.store, self.table, memory=self.memory or MEMORY, ordered=False):
            # copied, a column by itself: else what is kept of one column holds all others of its batch
            copy = batch.take(pa.array(np.arange(batch.num_rows)))
            yield pl.DataFrame([pl.Series(name, copy[name]) for name in batch.schema.names])
            trim()

    def rows(self, node: Node) -> pl.DataFrame:
        """The same, a column after the other: a long table is not held twice."""
        table = self.table(node)
        columns = []
        for name in table.column_names:
            columns.append(pl.Series(name, table[name]))
            table = table.drop_columns([name])
        return pl.DataFrame(columns)

    def stream(self, node: Node, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """The rows of any step, in order, at most `batch_rows` a batch. Only steps over whole tables hold them all."""
        if isinstance(node, (*ROW_STEPS, Take)):
            yield from stream_rows(node, self.store, self.table, batch_rows=batch_rows, memory=self.memory or MEMORY)
        elif isinstance(node, Fuse):
            yield from fitted(node, self, described=False).batches(batch_rows, self.progress)
        elif isinstance(node, Discover):
            for part in self.value(node).memberships(batch_rows):
                yield from part.to_arrow().cast(node.schema).to_batches()
        else:
            yield from self.table(node).to_batches(max_chunksize=batch_rows)


def _state_of(node: Node) -> int:
    """The state of the store that a step of an audit was written over; a join may stand on steps of two states."""
    if isinstance(node, Assign | Score):
        return node.state
    return max(step.state for step in node.walk() if isinstance(step, Scan))


def _given(node: Node, work: Work) -> Any:
    """What a step of an audit gives."""
    match node:
        case Fuse():
            return fitted(node, work, described=True).held(work.progress, work.memory)
        case Discover():
            from .discovering import discover

            fused: FusedSamples = work.value(node.input)
            populations = _populations(node, fused)
            with one_thread():
                return discover(node, fused, populations, work.progress)
        case Describe():
            from .describing import describe

            discovered: Discovered = work.value(node.input)
            with one_thread():
                return describe(node, work.store, discovered)
        case Assign() | Score():
            from .assigning import assign, score

            return assign(node, work) if isinstance(node, Assign) else score(node, work)
    raise TypeError(f"no step for {type(node).__name__} (store {work.store.location})")


def fitted(node: Fuse, work: Work, *, described: bool) -> FittedFusion:
    """A fusion fitted on what a plan selects; `described`: with the metadata that slices may be described by."""
    map_large()
    samples = _samples(node.input)
    if not described and node.metadata is None:  # then nothing but who there is decides
        keys = tuple(name for name in ("sample_id", "patient_id", "split") if name in samples.images.gives)
        nobody = optimise(Filter(samples.predictions, ("false",)))
        samples = replace(samples, images=optimise(Select(samples.images, keys)), predictions=nobody)
    return fit_samples(node, _scanned(samples, work), work.store, work.progress, work.workers)


def _samples(node: Node) -> Samples:
    """The samples below filters, which only ever ask about images here."""
    if isinstance(node, Filter):
        below = _samples(node.input)
        return replace(below, images=Filter(below.images, node.predicates))
    assert isinstance(node, Samples)
    return node


def _scanned(samples: Samples, work: Work) -> ScannedSamples:
    images, metadata = _images(samples, work)
    trim()
    # a task's winner may be another target than those asked for
    predictions = winners(_predictions(samples, work, images["sample_id"]), "place")
    predictions = predictions.filter(pl.col("target").is_in(list(samples.targets)))
    few = {"model": samples.models, "target": samples.targets}
    return ScannedSamples(
        seed=samples.seed,
        images=images,
        metadata=metadata,
        predictions=predictions.with_columns(pl.col(name).cast(pl.Enum(sorted(few[name]))) for name in few),
        thresholds=given_thresholds(work.store, samples),
        not_selected=work.store.manifest.tables["images"].rows - images.height,
        include_train=samples.include_train,
    )


def _images(samples: Samples, work: Work) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The selected images by sample_id, with patient and half; apart, split and metadata, which may have any name."""
    own = pl.col("split").cast(pl.Categorical), pl.col("sample_id"), patient_unit()
    others = [pl.col(name).alias(f"={name}") for name in samples.images.gives if name not in IMAGES.names]
    rows = with_half(_joined(part.select(*own, *others) for part in work.parts(samples.images)), samples.seed)
    rows = rows.sort("sample_id")
    metadata = rows.select("split", *(pl.col(name).alias(name[1:]) for name in rows.columns if name.startswith("=")))
    return rows.select("sample_id", "split", "patient", "half"), metadata


def _predictions(samples: Samples, work: Work, ids: pl.Series) -> pl.DataFrame:
    """Those of the selected images, whose `ids` are sorted, with the place of each instead of its id."""
    names = pl.col("model", "task", "target").cast(pl.Categorical)

    def told(part: pl.DataFrame) -> pl.DataFrame:
        place = pl.Series("place", located(ids, part["sample_id"]))
        rows = part.drop("sample_id", "threshold").with_columns(names, place).filter(place >= 0)
        nothing = [name for name in ("task", "loss") if rows[name].null_count() == rows.height]
        return rows.with_columns(pl.col("place").cast(pl.UInt32), pl.col(nothing).cast(pl.Null))  # takes no memory

    return _joined(map(told, work.parts(samples.predictions)))


def _joined(parts: Iterator[pl.DataFrame]) -> pl.DataFrame:
    """One frame of many, a column after the other: no more than one is held twice."""
    held, columns = [part.get_columns() for part in parts], []
    while held[0]:
        columns.append(pl.concat([part.pop().to_frame() for part in held], how="vertical_relaxed", rechunk=True))
        trim()
    return pl.concat(columns[::-1], how="horizontal")


def _populations(node: Discover, below: FusedSamples) -> list[Population]:
    """Those of every model and target, sorted. Raises AuditError where no sample to audit has a prediction."""
    predictions = below.below.predictions
    if predictions.is_empty():
        raise AuditError(
            "no sample to audit has a prediction of a model and target that are asked for",
            "choose other samples, models or targets, or ingest predictions of these samples",
        )
    return [
        population(
            below.samples,
            predictions.filter(pl.col("model") == model, pl.col("target") == target).drop("model", "target"),
            model,
            target,
            node.threshold,
            given=below.below.thresholds.get((model, target)),
            by_loss=node.losses,
            not_selected=below.below.not_selected,
        )
        for model, target in sorted(predictions.select("model", "target").unique().iter_rows())
    ]


def _table(node: Node, value: Any) -> pa.Table:
    """The rows that an audit's step gives, from its value."""
    if isinstance(value, FusedSamples):
        kept = value.samples["left_out"].is_null()
        fused = value.samples.filter(kept).select("sample_id", pl.col("half").cast(pl.String))
        return fused.with_columns(pl.Series(VECTOR, value.vectors[kept.to_numpy()])).to_arrow()
    if isinstance(value, Described):
        rows = [{name: found.row.get(name) for name in node.gives} for found in value.below.slices]
        return pa.Table.from_pylist(rows, schema=node.schema)
    if isinstance(value, Discovered):
        parts = value.memberships(BATCH_ROWS)
    else:
        parts = (value.rows[start : start + BATCH_ROWS] for start in range(0, value.rows.height, BATCH_ROWS))
    told = (part.to_arrow().cast(node.schema) for part in parts)  # never all of it twice
    return pa.concat_tables([node.schema.empty_table(), *told])
