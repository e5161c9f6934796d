"""What the steps read from a store, as frames and arrays in the order of sample ids."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.population import winners
from misread.schemas.tables import IMAGES
from misread.store import TableStore


def metadata_columns(store: TableStore) -> list[str]:
    """The columns of images that are metadata, but for `split`, sorted."""
    return sorted(name for name in store.table("images").shown if name not in IMAGES.names)


def read_predictions(store: TableStore, models: Sequence[str], targets: Sequence[str]) -> pl.DataFrame:
    """The predictions of some models and targets, with `winner` for the classes of a task."""
    columns = ["sample_id", "model", "task", "target", "label", "score", "threshold", "loss"]
    rows = pl.DataFrame(store.table("predictions").read(columns)).filter(pl.col("model").is_in(list(models)))
    # before targets are chosen: a task's winner may be another class
    return winners(rows).filter(pl.col("target").is_in(list(targets)))


def model_targets(store: TableStore) -> list[tuple[str, str]]:
    """Every (model, target) that has predictions, sorted."""
    found: set[tuple[str, str]] = set()
    for batch in store.table("predictions").batches(["model", "target"]):
        found.update(pl.DataFrame(batch).unique().iter_rows())
    return sorted(found)


def codes(values: pl.Series) -> NDArray[np.intp]:
    """Each value's place among the sorted distinct values; whole numbers are sorted as such, all else as text.

    Numbers without a sign are those of patients, from 0 on: nothing needs to be sorted.
    """
    if not values.dtype.is_unsigned_integer():
        ordered = values if values.dtype.is_integer() else values.cast(pl.String)
        return ordered.rank("dense").to_numpy().astype(np.intp) - 1
    numbers = values.to_numpy()
    there = np.zeros(int(numbers.max(initial=0)) + 1, np.bool_)
    there[numbers] = True
    return np.asarray((np.cumsum(there) - 1)[numbers])
