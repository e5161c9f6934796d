"""Vectors for SQL: a sample's own, and the samples nearest to it, every one compared in one pass."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from misread.principal import unit
from misread.schemas.errors import QueryError, command, unknown_name
from misread.schemas.tables import EMBEDDINGS_PREFIX, VECTOR
from misread.schemas.values import MODALITIES, SCORE_DECIMALS
from misread.sql import Work
from misread.store import TableStore, newest_encoder
from misread.store.lance_table import in_list

Floats = NDArray[np.float64]
Check = Callable[[], None]

NEIGHBOUR = pa.struct([("rank", pa.int64()), ("sample_id", pa.string()), ("similarity", pa.float64())])
MOST_NEIGHBOURS = 10_000
READ_ROWS = 2048
"""Vectors that are read at a time; Lance reads ahead many times as many, which take memory."""


def vector_of(store: TableStore) -> Work:
    """The function behind `vector_of`. Raises UnknownNameError for vectors that the store does not have."""

    def work(check: Check, samples: pa.Array, asked: pa.Array) -> pa.Array:
        names = asked.to_pylist()
        found = {name: vectors_of(store, encoder_named(store, name), samples.to_pylist()) for name in set(names)}
        check()
        rows = [found[name].get(sample) for name, sample in zip(names, samples.to_pylist(), strict=True)]
        return pa.array(rows, pa.list_(pa.float32()))

    return work


def nearest_samples(store: TableStore) -> Work:
    """The function behind `nearest_samples`. Raises as `vector_of`, and QueryError for an odd k."""

    def work(check: Check, samples: pa.Array, ks: pa.Array, asked: pa.Array) -> pa.Array:
        rows = list(zip(samples.to_pylist(), ks.to_pylist(), asked.to_pylist(), strict=True))
        found: dict[Any, list[dict[str, object]]] = {}
        for name, k in {(name, k) for _, k, name in rows}:
            if k is None or not 0 < k <= MOST_NEIGHBOURS:
                raise QueryError(f"k is {k}", f"ask for 1 to {MOST_NEIGHBOURS} neighbours")
            wanted = sorted({sample for sample, n, kind in rows if (kind, n) == (name, k) and sample is not None})
            nearest = _nearest(store, encoder_named(store, name), wanted, k, check)
            found |= {(sample, k, name): neighbours for sample, neighbours in nearest.items()}
        return pa.array([found.get(row, []) for row in rows], pa.list_(NEIGHBOUR))

    return work


def encoder_named(store: TableStore, name: str | None) -> str:
    """The encoder of that name, or the one last embedded for a modality. Raises UnknownNameError."""
    encoders = store.encoders
    of_modality = {encoder: entry for encoder, entry in encoders.items() if entry.modality == name}
    if of_modality:
        return newest_encoder(of_modality)
    if name not in encoders:
        there = {entry.modality for entry in encoders.values()}
        error = unknown_name("vectors", str(name), [*encoders, *(m for m in MODALITIES if m in there)], store.location)
        if not encoders:
            error.hint = f"make them with: {command('embed', store.location)}"
        raise error
    return str(name)


def vectors_of(store: TableStore, encoder: str, samples: Sequence[str | None]) -> dict[str, NDArray[np.float32]]:
    """The vectors of some samples, of those that have one."""
    wanted = sorted({sample for sample in samples if sample is not None})
    if not wanted:
        return {}
    table = store.table(EMBEDDINGS_PREFIX + encoder)
    rows = table.read(["sample_id", VECTOR], in_list("sample_id", wanted))
    return dict(zip(rows["sample_id"].to_pylist(), _matrix(rows[VECTOR].combine_chunks()), strict=True))


def every_vector(store: TableStore, encoder: str, check: Check, rows: tuple[int, int] | None = None) -> Any:
    """(sample ids, their vectors scaled to length 1 as (n, d) float64), a batch at a time, in stored order.

    `rows`: from one stored row to before one.
    """
    table = store.table(EMBEDDINGS_PREFIX + encoder)
    for batch in table.batches(["sample_id", VECTOR], batch_rows=READ_ROWS, rows=rows):
        check()
        yield batch.column("sample_id").to_pylist(), unit(_matrix(batch.column(VECTOR)))


def _matrix(column: pa.Array) -> NDArray[np.float32]:
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(len(column), -1)) if len(column) else np.zeros((0, 0), np.float32)


def _nearest(
    store: TableStore, encoder: str, samples: Sequence[str], k: int, check: Check
) -> dict[str, list[dict[str, object]]]:
    own = vectors_of(store, encoder, samples)
    asked = [sample for sample in samples if sample in own]
    if not asked:
        return {}
    queries = unit(np.stack([own[sample] for sample in asked]))
    best: list[list[tuple[float, str]]] = [[] for _ in asked]
    for ids, rows in every_vector(store, encoder, check):
        similarity = np.round(queries @ rows.T, SCORE_DECIMALS)
        for place, sample in enumerate(asked):
            best[place] = _merged(best[place], similarity[place], ids, sample, k)
    return {
        sample: [
            {"rank": rank, "sample_id": other, "similarity": -distance}
            for rank, (distance, other) in enumerate(neighbours, 1)
        ]
        for sample, neighbours in zip(asked, best, strict=True)
    }


def _merged(
    best: list[tuple[float, str]], similarity: Floats, ids: Sequence[str], own: str, k: int
) -> list[tuple[float, str]]:
    """The k best of those so far and of a batch, as (-similarity, sample), best first."""
    needed = -best[-1][0] if len(best) == k else -np.inf
    if len(similarity) > k + 1:
        # the own sample may be among them; ties with the last one stay in
        needed = max(needed, float(np.partition(similarity, -(k + 1))[-(k + 1)]))
    places = np.flatnonzero(similarity >= needed).tolist()
    return sorted([*best, *((-float(similarity[i]), ids[i]) for i in places if ids[i] != own)])[:k]
