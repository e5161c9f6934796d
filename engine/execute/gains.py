"""Partial sums of scoring: what each modality adds to the scores of rows, a span of them at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from misread.schemas.tables import EMBEDDINGS_PREFIX, VECTOR
from misread.store import TableStore
from misread.store.lance_table import BATCH_ROWS
from misread.threads import one_thread
from misread.workers import Workers

from .frozen import FrozenAudit, frozen_audit

ROWS_A_SPAN = 16 * BATCH_ROWS

Gains = tuple[pa.Array, NDArray[np.float64]]
"""(n sample ids as text, (n, s) gains along each direction)."""


@dataclass(frozen=True)
class Span:
    """Some rows of one modality, of a store at a state, and the directions (k, s) that they are scored along."""

    location: str
    state: int
    audit_id: str
    modality: str
    start: int
    stop: int
    directions: NDArray[np.float64]


def gains(
    store: TableStore, audit: FrozenAudit, directions: NDArray[np.float64], workers: Workers | None
) -> Iterator[tuple[Gains, int, int]]:
    """(gains, rows done, rows in all) of every row of every modality fused, in the order of modalities and rows."""
    counts = {modality: store.table(_source(audit, modality)[0]).count() for modality in _modalities(audit)}
    total, done = sum(counts.values()), 0
    spans = [
        Span(store.location, store.state, audit.audit_id, modality, start, min(start + rows, count), directions)
        for modality, count in counts.items()
        for rows in [_rows(count, workers)]
        for start in range(0, count, rows)
    ]
    found: Iterator[Gains]
    if workers is None:
        found = (some for span in spans for some in _gains_of(store, audit, span))
    else:
        found = workers.in_order(span_gains, spans)
    for some in found:
        done += len(some[0])
        yield some, done, total


def span_gains(span: Span) -> Gains:
    """The gains of one span, in a process of its own."""
    store, audit = _opened(span.location, span.state, span.audit_id)
    parts = list(_gains_of(store, audit, span))
    return pa.concat_arrays([ids for ids, _ in parts]), np.concatenate([gain for _, gain in parts])


def _gains_of(store: TableStore, audit: FrozenAudit, span: Span) -> Iterator[Gains]:
    """The gains of a span, batch by batch."""
    table, columns = _source(audit, span.modality)
    scorer = audit.fusion.scorer(span.directions)
    for batch in store.table(table).batches(["sample_id", *columns], rows=(span.start, span.stop)):
        with one_thread():
            gain = scorer.gain(span.modality, _numbers(audit, span.modality, batch))
        yield batch.column("sample_id"), gain


@lru_cache(maxsize=2)
def _opened(location: str, state: int, audit_id: str) -> tuple[TableStore, FrozenAudit]:
    store = TableStore.open(location, state=state)
    return store, frozen_audit(store, audit_id)


def _rows(count: int, workers: Workers | None) -> int:
    """Of one span: so few that every process has some, so many that reading them is worth a task; here, all."""
    return min(ROWS_A_SPAN, max(1, -(-count // workers.cpus))) if workers else max(1, count)


def _modalities(audit: FrozenAudit) -> list[str]:
    return [*audit.encoders, *(["metadata"] if "metadata" in audit.fusion.blocks else [])]


def _source(audit: FrozenAudit, modality: str) -> tuple[str, list[str]]:
    """The table and the columns that a modality is read from."""
    if modality == "metadata":
        return "images", [feature.column for feature in audit.features.features]
    return EMBEDDINGS_PREFIX + audit.encoders[modality], [VECTOR]


def _numbers(audit: FrozenAudit, modality: str, batch: Any) -> NDArray[np.floating]:
    """(n, d): one modality of a batch of rows as the fusion takes it."""
    if modality == "metadata":
        return audit.features.transform(pl.DataFrame(batch))
    flat = batch.column(VECTOR).flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(batch.num_rows, -1))
