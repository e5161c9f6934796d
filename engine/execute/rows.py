"""Running the row steps of a plan: one statement over the scans, then heavy columns for the rows of the answer."""

from collections.abc import Callable, Iterator
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads

from misread.audit.halves import patient_unit, with_half
from misread.plan import Node, Samples, Scan, Select, Take
from misread.schemas.tables import PICTURE
from misread.sql.pipeline import BATCH_ROWS, Pipeline
from misread.store import TableStore
from misread.store.lance_table import PICTURE_ROWS, LanceTable
from misread.store.scanned import ScannedRows

from .compile import Compiled, compile_rows

MEMORY: Final = 1 << 30
"""What DuckDB may hold while it works out rows, unless a plan is run with another budget."""

Frame = Callable[[Node], pa.Table]
"""What gives the rows of a step that is no row step."""


def stream_rows(
    plan: Node,
    store: TableStore,
    frame: Frame,
    *,
    batch_rows: int = BATCH_ROWS,
    memory: int = MEMORY,
    ordered: bool = True,
) -> Iterator[pa.RecordBatch]:
    """The rows of a plan whose last step is a row step, in order, at most `batch_rows` a batch; in none where nobody
    asks for one: rows need not be held then to be sorted."""
    if isinstance(plan, Select):
        for batch in stream_rows(plan.input, store, frame, batch_rows=batch_rows, memory=memory, ordered=ordered):
            yield batch.select(list(plan.columns))
        return
    if isinstance(plan, Take):
        few = min(batch_rows, PICTURE_ROWS) if PICTURE in plan.columns else batch_rows
        table = store.table_at(plan.table.table, plan.table.version) if plan.table.version else None
        for batch in stream_rows(plan.input, store, frame, batch_rows=few, memory=memory, ordered=ordered):
            yield _fetched(batch, plan, table)
        return
    compiled = compile_rows(plan, ordered=ordered)
    with opened(compiled, store, frame, memory) as pipeline:
        for batch in pipeline.batches(compiled.statement, batch_rows):
            yield batch.cast(plan.schema)


def read_rows(plan: Node, store: TableStore, frame: Frame, *, memory: int = MEMORY) -> pa.Table:
    """The same as one table."""
    return pa.Table.from_batches(stream_rows(plan, store, frame, memory=memory), plan.schema)


def opened(compiled: Compiled, store: TableStore, frame: Frame, memory: int) -> Pipeline:
    """A pipeline with the sources of a statement. Close it when done."""
    sources = {name: _source(step, store, frame) for name, step in compiled.sources.items()}
    sources |= {name: _halves(samples, store) for name, samples in compiled.halves.items()}
    return Pipeline(sources, memory)


def _source(step: Node, store: TableStore, frame: Frame) -> pads.Dataset | pa.Table:
    if isinstance(step, Scan) and not step.version:  # a table that the store does not have yet
        return step.schema.empty_table()
    if isinstance(step, Scan):
        return ScannedRows(store.table_at(step.table, step.version), step.columns, step.where, step.locator)
    return frame(step)


def _halves(samples: Samples, store: TableStore) -> pa.Table:
    """sample_id and half of every image."""
    scan = samples.images.first(Scan)
    rows = pl.DataFrame(store.table_at(scan.table, scan.version).read(["sample_id", "patient_id"]))
    told = with_half(rows.with_columns(patient_unit()), samples.seed).select("sample_id", "half")
    return told.to_arrow().cast(pa.schema([("sample_id", pa.string()), ("half", pa.string())]))


def _fetched(batch: pa.RecordBatch, take: Take, table: LanceTable | None) -> pa.RecordBatch:
    """The rows with their heavy columns instead of the locator; NULL where there is no table."""
    found = batch.column(take.table.locator)
    kept = [batch.column(name) for name in batch.schema.names if name != take.table.locator]
    kinds = {name: take.schema.field(name).type for name in take.columns}
    fetched = table.fetch(found, take.columns) if table else {n: pa.nulls(len(found), k) for n, k in kinds.items()}
    return pa.RecordBatch.from_arrays([*kept, *(fetched[name] for name in take.columns)], schema=take.schema)
