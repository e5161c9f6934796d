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
"""From this share of the usual distance on a bound leaves nearly all samples, and would only take time."""
TILE_BYTES = 1 << 27
"""Vectors of a tile take no more; two tiles are held and compared at a time."""


def likely_copies(store: TableStore) -> Work:
    """The function behind `likely_copies`. Raises as `vector_of`, and QueryError for a ratio that is none.

    The usual distance is the median of `SAMPLED` samples' distances to the nearest of another patient, those with the
    lowest hash of their `sample_id`. Beside their n * d * `SAMPLED` products, n * n / 2 bounds of a few dozen products
    are worked out, and what they leave is compared in full. Where there are no more samples than that, or `BOUNDED` and
    more is asked for, every two are compared; but for the usual distance the answer is the same either way. Never
    more than two tiles of vectors are held, each read again for every tile before it.
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
    others, cosines = _nearest(held, rows)
    distances = _distances(cosines)
    usual = float(np.median(distances[sampled])) if usual is None else usual
    ratios = np.where(distances > 0, distances / usual if usual else np.inf, 0.0)
    found = np.flatnonzero((others >= 0) & (ratios <= at_most))
    samples, nearest = ([held.samples[row] for row in places.tolist()] for places in (rows[found], others[found]))
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

    def parts(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[Rows, Floats]]:
        """Vectors (b, d) of length 1 in stored order, and whose they are (b,); those from `start` to before `stop`."""
        stop = len(self.place) if stop is None else stop
        for _, part in every_vector(self.store, self.encoder, self.check, (start, stop)):
            yield self.place[start : start + len(part)], part
            start += len(part)

    @property
    def dimension(self) -> int:
        return self.store.encoders[self.encoder].dimension

    def of(self, rows: Rows) -> NDArray[np.float32]:
        """(k, d): the vectors of some samples, scaled to length 1; `rows` rise."""
        found = np.zeros((len(rows), self.dimension), np.float32)
        wanted = np.full(len(self.place), -1)
        wanted[rows] = np.arange(len(rows))
        for whose, part in self.parts():
            there = wanted[whose] >= 0
            found[wanted[whose[there]]] = part[there]
        return found

    def tiles(self, rows: Rows) -> list["_Tile"]:
        """Some samples in stored order, so many at a time that their vectors take no more than `TILE_BYTES`."""
        most = max(TILE_BYTES // (4 * self.dimension), 1)
        wanted = np.zeros(len(self.place), bool)
        wanted[rows] = True
        stored = np.flatnonzero(wanted[self.place])
        return [_Tile(self, stored[start : start + most]) for start in range(0, len(stored), most)]


@dataclass(frozen=True, eq=False)
class _Tile:
    """Samples by where their vectors are `stored` (m,), which rises."""

    held: _Held
    stored: Rows

    def read(self) -> tuple[Rows, NDArray[np.float32]]:
        """Whose the vectors are (m,), which rises, and they (m, d), scaled to length 1."""
        rows = np.sort(self.held.place[self.stored])
        found = np.empty((len(rows), self.held.dimension), np.float32)
        for whose, part in self.held.parts(int(self.stored[0]), int(self.stored[-1]) + 1):
            places = np.searchsorted(rows, whose)
            there = rows[np.minimum(places, len(rows) - 1)] == whose
            found[places[there]] = part[there]
        return rows, found


def _nearest(held: _Held, rows: Rows) -> tuple[Rows, Floats]:
    """(k,) twice: for each of some samples (they rise) the most similar of them of another patient, and their cosine.

    As `nearest_of_others` of them all at once, which ties go to the same one as.
    """
    others, cosines = np.full(len(held.samples), -1), np.full(len(held.samples), np.nan)

    def offer(own: Rows, queries: NDArray[np.float32], theirs: Rows, vectors: NDArray[np.float32]) -> None:
        places, found = nearest_of_others(queries, held.patients[own], vectors, held.patients[theirs], held.check)
        near = theirs[places]
        known, best = others[own], cosines[own]
        better = (places >= 0) & ((known < 0) | (found > best) | ((found == best) & (near < known)))
        others[own[better]], cosines[own[better]] = near[better], found[better]

    tiles = held.tiles(rows)
    for number, tile in enumerate(tiles):
        here = tile.read()
        offer(*here, *here)
        for behind in tiles[number + 1 :]:
            there = behind.read()
            offer(*here, *there)
            offer(*there, *here)
    return others[rows], cosines[rows]


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
