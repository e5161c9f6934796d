"""A store of made-up samples with vectors, written in streams."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from misread.schemas.tables import CHECKSUM, IMAGES, PREDICTIONS, TableContract, embeddings_contract
from misread.store import EncoderEntry, TableStore

ENCODER, DIMENSION, AT_ONCE = "made-up", 512, 20_000
MODEL, TARGET = "network", "Effusion"
VIEWS = np.array(["PA", "AP", "lateral"])
METADATA = [
    pa.field("age", pa.float64()),
    pa.field("sex", pa.string()),
    pa.field("view", pa.string()),
    pa.field("scanner", pa.string()),
]


def write(location: Path, samples: int, seed: int = 0) -> None:
    """Images with metadata, one prediction and one vector of `DIMENSION` numbers each; two images a patient."""
    store = TableStore.open_or_new(location)
    with store.commit("benchmark") as commit:
        vectors = embeddings_contract(ENCODER, DIMENSION)
        for contract, extra, rows in (
            (IMAGES, METADATA, _images),
            (PREDICTIONS, [], _predictions),
            (vectors, [], _vectors),
        ):
            schema = pa.schema([f for f in contract.fields if f.name != CHECKSUM] + extra)
            parts = (
                _table(rows(start, min(AT_ONCE, samples - start), seed), schema) for start in range(0, samples, AT_ONCE)
            )
            commit.append_batches(contract.name, parts, schema)
        commit.set_encoder(ENCODER, EncoderEntry("image", DIMENSION, "external", 1))


def _ids(start: int, count: int) -> pa.Array:
    return pa.array([f"s{row:08d}" for row in range(start, start + count)])


def _images(start: int, count: int, seed: int) -> dict[str, pa.Array]:
    rng = np.random.default_rng([seed, 1, start])
    return {
        "sample_id": _ids(start, count),
        "patient_id": pa.array([f"p{row // 2:08d}" for row in range(start, start + count)]),
        "age": pa.array(rng.integers(0, 100, count).astype(float)),
        "sex": pa.array(np.array(["F", "M"])[rng.integers(0, 2, count)]),
        "view": pa.array(VIEWS[rng.integers(0, 3, count)]),
        "scanner": pa.array([f"scanner {k}" for k in rng.integers(0, 20, count)]),
    }


def _predictions(start: int, count: int, seed: int) -> dict[str, pa.Array]:
    rng = np.random.default_rng([seed, 2, start])
    return {
        "sample_id": _ids(start, count),
        "model": pa.array([MODEL] * count),
        "target": pa.array([TARGET] * count),
        "label": pa.array(rng.integers(0, 2, count), pa.int8()),
        "score": pa.array(rng.random(count)),
    }


def _vectors(start: int, count: int, seed: int) -> dict[str, pa.Array]:
    """Vectors with a few strong directions, as encoders give them."""
    rng = np.random.default_rng([seed, 3, start])
    axes = np.random.default_rng(seed).standard_normal((16, DIMENSION), dtype=np.float32)
    vectors = rng.standard_normal((count, DIMENSION), dtype=np.float32)
    vectors += rng.standard_normal((count, 16), dtype=np.float32) @ axes
    return {
        "sample_id": _ids(start, count),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION),
    }


def _table(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    rows = len(columns["sample_id"])
    return pa.table([columns.get(f.name, pa.nulls(rows, f.type)) for f in schema], schema=schema)


def bytes_of(location: Path) -> int:
    return sum(path.stat().st_size for path in location.rglob("*") if path.is_file())


def uri(location: Path, contract: TableContract | str) -> str:
    return str(location / f"{contract if isinstance(contract, str) else contract.name}.lance")
