"""Rows of one table in the order of another's samples, by whole numbers: a join would hold every id twice."""

import numpy as np
import polars as pl
from numpy.typing import NDArray


def located(samples: pl.Series, ids: pl.Series) -> NDArray[np.intp]:
    """(m,): where each of `ids` stands among `samples`, which are sorted and differ; -1 for one that is not there."""
    if samples.is_empty():
        return np.full(len(ids), -1)
    places = samples.search_sorted(ids).cast(pl.Int64).clip(upper_bound=len(samples) - 1)
    return np.where((samples.gather(places) == ids).to_numpy(), places.to_numpy(), -1)


def inverse(places: NDArray[np.integer], count: int) -> NDArray[np.int32]:
    """(count,): at which of `places` each number below `count` stands, the last one counting; -1 for none."""
    found = np.full(count + 1, -1, np.int32)
    found[places] = np.arange(len(places), dtype=np.int32)  # a place of -1 is the one behind the last
    return found[:count]


def gathered(rows: pl.DataFrame, numbers: NDArray[np.signedinteger]) -> pl.DataFrame:
    """The numbered rows; nulls for -1."""
    index = pl.Series(numbers)
    return rows.select(pl.all().gather(index.set(index < 0, None)))
