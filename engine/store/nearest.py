"""Approximate neighbours by an index of Lance, over a dataset that lives as long as they are asked for."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from misread.schemas.tables import VECTOR

Singles = NDArray[np.float32]
Rows = NDArray[np.int64]

PROBES = 20
"""Partitions of the index in which a row's neighbours are sought."""


Asked = Callable[[Singles], Rows]


def index_over(folder: Path, parts: Iterable[Singles], centroids: Singles, width: int) -> Asked:
    """An index over rows (n, d) that come in parts; asked for rows (m, d), it gives (m, width) row numbers.

    It lies in `folder`, which is the caller's to make, and to remove once nothing is asked any more. Nearest first, -1
    where too few were found. `centroids` (c, d): the middles of the index's partitions; Lance would draw them anew each
    time, and rows would have other neighbours.
    """
    return partial(_found, _indexed(folder / "vectors.lance", parts, centroids), width)


def _indexed(path: Path, parts: Iterable[Singles], centroids: Singles) -> Any:
    import lance

    count, dimension = centroids.shape
    schema = pa.schema([(VECTOR, pa.list_(pa.float32(), dimension))])
    batches = (
        pa.record_batch([pa.FixedSizeListArray.from_arrays(pa.array(part.ravel()), dimension)], schema=schema)
        for part in parts
    )
    dataset = lance.write_dataset(batches, str(path), schema=schema)
    return dataset.create_index(
        VECTOR, "IVF_FLAT", metric="L2", num_partitions=count, ivf_centroids=np.ascontiguousarray(centroids)
    )


def _found(dataset: Any, width: int, queries: Singles) -> Rows:
    """Rows of one part have the numbers that Lance counts them by, as nothing was ever removed."""
    asked = {"column": VECTOR, "q": queries, "k": width, "nprobes": PROBES}
    table = dataset.scanner(columns=[], nearest=asked, with_row_id=True).to_table()
    whose, rows = (table[name].to_numpy().astype(np.int64) for name in ("query_index", "_rowid"))
    order = np.argsort(whose, kind="stable")
    counts = np.bincount(whose, minlength=len(queries))
    places = np.arange(len(whose)) - np.repeat(np.cumsum(counts) - counts, counts)
    found = np.full((len(queries), width), -1, np.int64)
    found[whose[order], places] = rows[order]
    return found
