"""Samples that may be one image under two patients, for SQL."""

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from misread.audit.halves import patient_unit
from misread.neighbours import nearest_of_others
from misread.schemas.errors import QueryError
from misread.schemas.tables import EMBEDDINGS_PREFIX, IMAGES
from misread.sql import Work
from misread.store import TableStore

from .vectors import Check, encoder_named, every_vector

COPY = pa.struct(
    [
        ("sample_id", pa.string()),
        ("other_sample_id", pa.string()),
        ("similarity", pa.float64()),
        ("distance_ratio", pa.float64()),
    ]
)


def likely_copies(store: TableStore) -> Work:
    """The function behind `likely_copies`. Raises as `vector_of`, and QueryError for a ratio that is none."""

    def work(check: Check, asked: pa.Array, ratios: pa.Array) -> pa.Array:
        rows = zip(asked.to_pylist(), ratios.to_pylist(), strict=True)
        return pa.array([_copies(store, name, at_most, check) for name, at_most in rows], pa.list_(COPY))

    return work


def _copies(store: TableStore, name: str | None, at_most: float | None, check: Check) -> list[dict[str, Any]]:
    if at_most is None or not at_most >= 0:
        raise QueryError(f"at_most is {at_most}", "it is a distance as a share of the usual one, 0 or more")
    samples, vectors, patients = _by_patient(store, encoder_named(store, name), check)
    others, cosines = nearest_of_others(vectors, patients, check)
    distances = np.sqrt(np.maximum(2 - 2 * cosines, 0))
    usual = float(np.median(distances)) if len(distances) else 0.0
    ratios = np.where(distances > 0, distances / usual if usual else np.inf, 0.0)
    found = np.flatnonzero((others >= 0) & (ratios <= at_most)).tolist()
    told = [(float(ratios[row]), samples[row], samples[others[row]], float(cosines[row])) for row in found]
    return [
        {"sample_id": sample, "other_sample_id": other, "similarity": cosine, "distance_ratio": ratio}
        for ratio, sample, other, cosine in sorted(told)
    ]


def _by_patient(
    store: TableStore, encoder: str, check: Check
) -> tuple[list[str], NDArray[np.float32], NDArray[np.intp]]:
    """The samples that have a vector, by patient and sample; their vectors (n, d) of length 1, and patients' codes."""
    ids = pl.DataFrame(store.table(EMBEDDINGS_PREFIX + encoder).read(["sample_id"])).with_row_index("row")
    images = pl.DataFrame(store.table(IMAGES.name).read(["sample_id", "patient_id"]))
    rows = ids.join(images, on="sample_id", how="left").with_columns(patient_unit()).sort("patient", "sample_id")
    place = np.argsort(rows["row"].to_numpy())
    vectors = np.zeros((len(place), store.encoders[encoder].dimension), np.float32)
    start = 0
    for _, part in every_vector(store, encoder, check):
        vectors[place[start : start + len(part)]] = part
        start += len(part)
    return rows["sample_id"].to_list(), vectors, rows["patient"].rank("dense").to_numpy().astype(np.intp)
