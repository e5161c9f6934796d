"""Archives of made-up images and reports with planted slices, written to a store in streams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from misread.schemas.tables import CHECKSUM, IMAGES, PREDICTIONS, embeddings_contract
from misread.store import EncoderEntry, TableStore

ENCODERS = {"image": "made-up-image", "report": "made-up-report"}
DIMENSION, AT_ONCE = 768, 10_000
MODEL, TARGET = "network", "Effusion"
LATENT = 100
OUTSIDE, INSIDE = 0.15, 0.6
"""Error rates outside and inside a planted slice."""
PER_PATIENT = np.array([1, 1, 2, 1, 4, 1, 2, 3])
"""Images of one patient after the other, repeated: 15 images of 8 patients."""


@dataclass(frozen=True)
class Plant:
    """A slice: a share of all rows, within one true class, shifted along latent directions of its own."""

    name: str
    share: float
    true_class: int
    directions: tuple[int, ...]
    shift: float


PLANTS = (
    Plant("5 %, missed", 0.05, 1, (5, 8), 2.5),
    Plant("5 %, false alarm", 0.05, 0, (6, 9), 2.5),
    Plant("0.5 %, missed", 0.005, 1, (11, 14, 17), 4.0),
    Plant("0.1 %, missed", 0.001, 1, (20, 23, 26, 29), 6.0),
    Plant("0.1 %, false alarm", 0.001, 0, (21, 24, 27, 30), 6.0),
)
"""The shift is in standard deviations of a row's own spread, over all directions of the slice together."""


@dataclass(frozen=True)
class Part:
    """Rows `start` and on: `plant` (n,) the number of each row's planted slice, -1 for none; `label`, `score` (n,)."""

    start: int
    plant: NDArray[np.intp]
    label: NDArray[np.int8]
    score: NDArray[np.float64]
    vectors: dict[str, NDArray[np.float32]]


def parts(rows: int, seed: int, *, with_vectors: bool = True, dimension: int = DIMENSION) -> Iterator[Part]:
    """The archive's rows, always the same for the same seed, `AT_ONCE` at a time; vectors of `dimension` numbers."""
    rng = np.random.default_rng([seed, 0])
    scale = 1 / np.sqrt(1 + np.arange(LATENT))
    mixing = {m: rng.standard_normal((LATENT, dimension), dtype=np.float32) for m in ENCODERS}
    for start in range(0, rows, AT_ONCE):
        n = min(AT_ONCE, rows - start)
        scalars, numbers = np.random.default_rng([seed, 1, start]), np.random.default_rng([seed, 2, start])
        plant = _planted(scalars.random(n))
        label = (scalars.random(n) < 0.5).astype(np.int8)
        for number, one in enumerate(PLANTS):
            label[plant == number] = one.true_class
        wrong = scalars.random(n) < np.where(plant >= 0, INSIDE, OUTSIDE)
        sure = 0.5 + 0.5 * scalars.random(n)
        score = np.where((label == 1) != wrong, sure, 1 - sure)
        vectors = {}
        if with_vectors:
            hidden = numbers.standard_normal((n, LATENT))
            for number, one in enumerate(PLANTS):
                hidden[np.ix_(plant == number, one.directions)] += one.shift / np.sqrt(len(one.directions))
            hidden[:, 2] += 0.7 * label  # a classifier's vectors tell the classes apart to some degree
            latent = (hidden * scale).astype(np.float32)
            for modality, axes in mixing.items():
                vectors[modality] = latent @ axes + 0.3 * numbers.standard_normal((n, dimension), dtype=np.float32)
        yield Part(start, plant, label, score, vectors)


def _planted(draws: NDArray[np.float64]) -> NDArray[np.intp]:
    plant = np.full(len(draws), -1)
    low = 0.0
    for number, one in enumerate(PLANTS):
        plant[(draws >= low) & (draws < low + one.share)] = number
        low += one.share
    return plant


def patient_numbers(rows: int) -> NDArray[np.intp]:
    """(rows,): whose image each is."""
    cycle = np.repeat(np.arange(len(PER_PATIENT)), PER_PATIENT)
    number = np.arange(rows)
    return number // len(cycle) * len(PER_PATIENT) + cycle[number % len(cycle)]


def write(location: Path, rows: int, seed: int = 0, dimension: int = DIMENSION) -> None:
    store = TableStore.open_or_new(location)
    patients = patient_numbers(rows)
    with store.commit("benchmark") as commit:
        images, predictions = _schema(IMAGES), _schema(PREDICTIONS)
        scalars = [(part.start, len(part.label)) for part in parts(rows, seed, with_vectors=False)]
        commit.append_batches("images", (_images(patients, start, n, images) for start, n in scalars), images)
        told = (_predictions(part, predictions) for part in parts(rows, seed, with_vectors=False))
        commit.append_batches("predictions", told, predictions)
        for modality, encoder in ENCODERS.items():
            contract = embeddings_contract(encoder, dimension)
            schema = _schema(contract)
            filled = (_vectors(part, modality, schema) for part in parts(rows, seed, dimension=dimension))
            commit.append_batches(contract.name, filled, schema)
            commit.set_encoder(encoder, EncoderEntry(modality, dimension, "external", 1))


def _schema(contract: object) -> pa.Schema:
    return pa.schema([field for field in contract.fields if field.name != CHECKSUM])  # type: ignore[attr-defined]


def ids(start: int, count: int) -> pa.Array:
    return pa.array([f"s{row:08d}" for row in range(start, start + count)])


def _images(patients: NDArray[np.intp], start: int, count: int, schema: pa.Schema) -> pa.Table:
    own = pa.array([f"p{patient:08d}" for patient in patients[start : start + count]])
    return _table({"sample_id": ids(start, count), "patient_id": own}, schema)


def _predictions(part: Part, schema: pa.Schema) -> pa.Table:
    count = len(part.label)
    columns = {
        "sample_id": ids(part.start, count),
        "model": pa.array([MODEL] * count),
        "target": pa.array([TARGET] * count),
        "label": pa.array(part.label),
        "score": pa.array(part.score),
        "threshold": pa.array(np.full(count, 0.5)),
    }
    return _table(columns, schema)


def _vectors(part: Part, modality: str, schema: pa.Schema) -> pa.Table:
    flat = pa.array(part.vectors[modality].ravel())
    numbers = pa.FixedSizeListArray.from_arrays(flat, part.vectors[modality].shape[1])
    return _table({"sample_id": ids(part.start, len(part.label)), "vector": numbers}, schema)


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    rows = len(columns["sample_id"])
    return pa.table([columns.get(f.name, pa.nulls(rows, f.type)) for f in schema], schema=schema)
