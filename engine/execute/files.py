"""Rows into files, a batch at a time."""

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from misread.writing import replacing


def write_parquet(batches: Iterable[pa.RecordBatch], path: str | os.PathLike[str], schema: pa.Schema) -> int:
    """Writes a Parquet file whole or not at all, for its owner alone; returns the number of rows.

    `schema`: that of a file without rows. Raises MisreadError for a place that cannot be written.
    """
    import pyarrow.parquet as pq

    rows = 0
    with replacing(Path(path)) as file:
        waiting = iter(batches)
        first = next(waiting, None)
        with pq.ParquetWriter(file, schema if first is None else first.schema) as writer:
            while first is not None:
                writer.write_batch(first)
                rows += first.num_rows
                first = next(waiting, None)
    return rows
