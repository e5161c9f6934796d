"""What the steps read from a store, as frames and arrays in the order of sample ids."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.halves import patient_unit, with_half
from misread.audit.population import winners
from misread.fuse import Block
from misread.schemas.tables import EMBEDDINGS_PREFIX, IMAGES, VECTOR
from misread.store import TableStore


def read_images(store: TableStore, seed: int) -> pl.DataFrame:
    """sample_id, patient, half, split and the metadata columns, by sample_id."""
    table = store.table("images")
    metadata = [name for name in table.shown if name not in IMAGES.names]
    rows = pl.DataFrame(table.read(["sample_id", "patient_id", "split", *metadata])).sort("sample_id")
    rows = rows.with_columns(patient_unit())
    return with_half(rows, seed).drop("patient_id")


def metadata_columns(store: TableStore) -> list[str]:
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


def read_vectors(store: TableStore, encoder: str, samples: pl.Series) -> Block:
    """The vectors of one encoder in the order of `samples`; `present` says who has one."""
    table = store.table(EMBEDDINGS_PREFIX + encoder)
    position = {sample: row for row, sample in enumerate(samples)}
    vectors = np.zeros((len(samples), store.encoders[encoder].dimension), np.float32)
    present = np.zeros(len(samples), bool)
    for batch in table.batches(["sample_id", VECTOR]):
        rows = np.array([position.get(sample, -1) for sample in batch.column("sample_id").to_pylist()], int)
        wanted = rows >= 0
        flat = batch.column(VECTOR).flatten().to_numpy(zero_copy_only=False)
        vectors[rows[wanted]] = flat.reshape(len(rows), -1)[wanted]
        present[rows[wanted]] = True
    return Block(vectors, present)


def codes(values: pl.Series) -> NDArray[np.intp]:
    """Each value's place among the sorted distinct values; whole numbers are sorted as such, all else as text."""
    ordered = values if values.dtype.is_integer() else values.cast(pl.String)
    return ordered.rank("dense").to_numpy().astype(np.intp) - 1
