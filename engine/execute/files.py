"""Rows into files, a batch at a time."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from misread.schemas.errors import MisreadError


def write_parquet(batches: Iterable[pa.RecordBatch], path: str | os.PathLike[str], schema: pa.Schema) -> int:
    """Writes a Parquet file whole or not at all, for its owner alone; returns the number of rows.

    `schema`: that of a file without rows. Raises MisreadError for a place that cannot be written.
    """
    import pyarrow.parquet as pq

    target = Path(path)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise MisreadError(
            f"{target} cannot be written: {error.strerror}", "name a file in a folder that is there"
        ) from error
    rows = 0
    try:
        with os.fdopen(descriptor, "wb") as file:
            waiting = iter(batches)
            first = next(waiting, None)
            with pq.ParquetWriter(file, schema if first is None else first.schema) as writer:
                while first is not None:
                    writer.write_batch(first)
                    rows += first.num_rows
                    first = next(waiting, None)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return rows
