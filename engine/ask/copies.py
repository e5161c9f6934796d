"""Samples that may be one image under two patients, for SQL."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from misread.audit.halves import patient_unit
from misread.neighbours import COSINE_DECIMALS, leading_directions, may_be_near, nearest_of_others, projected
from misread.schemas.errors import QueryError
from misread.schemas.tables import EMBEDDINGS_PREFIX, IMAGES
from misread.sql import Work
from misread.store import TableStore

from .vectors import Check, Floats, encoder_named, every_vector

Rows = NDArray[np.intp]

COPY = pa.struct(
    [
        ("sample_id", pa.string()),
        ("other_sample_id", pa.string()),
        ("similarity", pa.float64()),
        ("distance_ratio", pa.float64()),
    ]
)
SAMPLED = 1024
"""Samples whose distances tell what is usual, where there are more: their median is seldom off by 1 %."""
BOUNDED = 0.8
"""From this share of the usual distance on a bound leaves so many samples that all are compared at once."""


def likely_copies(store: TableStore) -> Work:
    """The function behind `likely_copies`. Raises as `vector_of`, and QueryError for a ratio that is none.

    The usual distance is the median of `SAMPLED` samples' distances to the nearest of another patient, those with the
    lowest hash of their `sample_id`. Beside their n * d * `SAMPLED` products, n * n / 2 bounds of a few dozen products
    are worked out, and what they leave is compared in full. Where there are no more samples than that, or `BOUNDED` and
    more is asked for, every two are compared; but for the usual distance the answer is the same either way.
    """

    def work(check: Check, asked: pa.Array, ratios: pa.Array) -> pa.Array:
        rows = zip(asked.to_pylist(), ratios.to_pylist(), strict=True)
        return pa.array([_copies(store, name, at_most, check) for name, at_most in rows], pa.list_(COPY))

    return work


def _copies(store: TableStore, name: str | None, at_most: float | None, check: Check) -> list[dict[str, Any]]:
    if at_most is None or not at_most >= 0:
        raise QueryError(f"at_most is {at_most}", "it is a distance as a share of the usual one, 0 or more")
    held = _held(store, encoder_named(store, name), check)
    if not held.samples or held.patients[0] == held.patients[-1]:
        return []
    sampled, rows, usual = _sampled(held.samples), np.arange(len(held.samples)), None
    if len(sampled) < len(rows) and at_most < BOUNDED:
        usual, rows = _not_ruled_out(held, sampled, at_most)
    vectors, patients = held.of(rows), held.patients[rows]
    others, cosines = nearest_of_others(vectors, patients, vectors, patients, check)
    distances = _distances(cosines)
    usual = float(np.median(distances[sampled])) if usual is None else usual
    ratios = np.where(distances > 0, distances / usual if usual else np.inf, 0.0)
    found = np.flatnonzero((others >= 0) & (ratios <= at_most))
    samples, nearest = ([held.samples[row] for row in rows[places].tolist()] for places in (found, others[found]))
    return [
        {"sample_id": sample, "other_sample_id": other, "similarity": cosine, "distance_ratio": ratio}
        for ratio, sample, other, cosine in sorted(
            zip(ratios[found].tolist(), samples, nearest, cosines[found].tolist(), strict=True)
        )
    ]


@dataclass(frozen=True, eq=False)
class _Held:
    """The samples that have a vector, by patient and sample, and the codes of their patients (n,).

    `place` (n,): of every stored vector, whose of them it is.
    """

    store: TableStore
    encoder: str
    samples: list[str]
    patients: Rows
    place: Rows
    check: Check

    def parts(self) -> Iterator[tuple[Rows, Floats]]:
        """Vectors (b, d) of length 1 in stored order, and whose they are (b,)."""
        start = 0
        for _, part in every_vector(self.store, self.encoder, self.check):
            yield self.place[start : start + len(part)], part
            start += len(part)

    def of(self, rows: Rows) -> NDArray[np.float32]:
        """(k, d): the vectors of some samples, scaled to length 1; `rows` rise."""
        found = np.zeros((len(rows), self.store.encoders[self.encoder].dimension), np.float32)
        wanted = np.full(len(self.place), -1)
        wanted[rows] = np.arange(len(rows))
        for whose, part in self.parts():
            there = wanted[whose] >= 0
            found[wanted[whose[there]]] = part[there]
        return found


def _held(store: TableStore, encoder: str, check: Check) -> _Held:
    ids = pl.DataFrame(store.table(EMBEDDINGS_PREFIX + encoder).read(["sample_id"])).with_row_index("row")
    images = pl.DataFrame(store.table(IMAGES.name).read(["sample_id", "patient_id"]))
    rows = ids.join(images, on="sample_id", how="left").with_columns(patient_unit()).sort("patient", "sample_id")
    patients = rows["patient"].rank("dense").to_numpy().astype(np.intp)
    return _Held(store, encoder, rows["sample_id"].to_list(), patients, np.argsort(rows["row"].to_numpy()), check)


def _sampled(samples: list[str]) -> Rows:
    """The places of `SAMPLED` samples, or of all where there are no more, by a hash of their names alone; they rise."""
    if len(samples) <= SAMPLED:
        return np.arange(len(samples))
    hashed = ((blake2b(sample.encode(), digest_size=8).digest(), place) for place, sample in enumerate(samples))
    return np.sort([place for _, place in nsmallest(SAMPLED, hashed)])


def _not_ruled_out(held: _Held, sampled: Rows, at_most: float) -> tuple[float, Rows]:
    """The usual distance, and all samples that may lie within so many times of it of another patient's."""
    queries = held.of(sampled)
    directions = leading_directions(queries.astype(np.float64))
    bounds = np.empty((len(held.samples), directions.shape[1] + 1), np.float32)
    cosines = np.full(len(sampled), -1.0)
    for whose, part in held.parts():
        bounds[whose] = projected(part, directions)
        order = np.argsort(held.patients[whose], kind="stable")
        patients = held.patients[whose[order]]
        _, near = nearest_of_others(
            queries, held.patients[sampled], part[order].astype(np.float32), patients, held.check
        )
        cosines = np.fmax(cosines, near)
    usual = float(np.median(_distances(cosines)))
    least = 1 - (at_most * usual) ** 2 / 2 - 10.0**-COSINE_DECIMALS  # what rounding may add
    return usual, np.flatnonzero(may_be_near(bounds, held.patients, least, held.check))


def _distances(cosines: Floats) -> Floats:
    """Of vectors of length 1."""
    return np.sqrt(np.maximum(2 - 2 * cosines, 0))
