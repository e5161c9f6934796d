"""Checksums of rows, and fingerprints of tables that do not depend on the order of their rows."""

import json
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import pyarrow as pa

from misread.schemas.tables import CHECKSUM, PICTURE, VECTOR

_BYTES = 16


def row_checksum(values: Iterable[object]) -> bytes:
    """16 bytes that name a row's values (JSON scalars; anything else by its text)."""
    text = json.dumps(list(values), ensure_ascii=False, separators=(",", ":"), default=str)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).digest()


def with_checksums(rows: pa.Table) -> pa.Table:
    """The rows with their `checksum` column, over every column but pictures (their sha256 stands for them)."""
    # sorted, as a column that was replaced stands last in its table
    names = sorted(name for name in rows.column_names if name not in (CHECKSUM, PICTURE, VECTOR))
    columns: list[list[object]] = [rows[name].to_pylist() for name in names]
    if VECTOR in rows.column_names:
        columns.append([vector_digest(vector) for vector in vectors_of(rows[VECTOR])])
    # columns without a value are left out, so that an empty column added later changes no row
    digests = [
        row_checksum([[name, value] for name, value in zip([*names, VECTOR], row, strict=False) if value is not None])
        for row in zip(*columns, strict=True)
    ]
    kept = rows.drop_columns([CHECKSUM]) if CHECKSUM in rows.column_names else rows
    return kept.append_column(
        pa.field(CHECKSUM, pa.binary(_BYTES), nullable=False), pa.array(digests, pa.binary(_BYTES))
    )


def vector_digest(vector: np.ndarray) -> str:
    return blake2b(np.ascontiguousarray(vector, dtype="<f4").tobytes(), digest_size=_BYTES).hexdigest()


def vectors_of(column: pa.ChunkedArray) -> np.ndarray:
    """A column of fixed-size lists of float32 without nulls as an (n, d) float32 array."""
    size = column.type.list_size
    flat = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    joined = np.concatenate(flat) if flat else np.empty(0, np.float32)
    return joined.reshape(-1, size).astype(np.float32, copy=False)


def fingerprint(batches: Iterable[pa.RecordBatch]) -> str:
    """The sum of all row checksums (two 64-bit halves, each modulo 2^64) as 32 hex digits."""
    total = np.zeros(2, np.uint64)
    for batch in batches:
        column = batch.column(CHECKSUM)
        if len(column):
            start = column.offset * _BYTES
            raw = np.frombuffer(column.buffers()[1], np.uint8)[start : start + len(column) * _BYTES]
            total += raw.view("<u8").reshape(-1, 2).sum(axis=0, dtype=np.uint64)
    return "".join(f"{int(half):016x}" for half in total)
