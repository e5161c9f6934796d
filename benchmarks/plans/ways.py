"""The same questions as a plan, through polars and through DuckDB, over the same Lance tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

import misread as mr
from benchmarks.plans.store import ENCODER, uri

VECTORS = f"embeddings_{ENCODER}"
CHOSEN = "age < 60 AND view <> 'lateral'"
Way = Callable[[Path], int]


def _plan(ask: Callable[[mr.Store], mr.LazyFrame]) -> Way:
    return lambda location: ask(mr.open(location)).collect(cache=False).height


class _Tables(NamedTuple):
    images: pl.LazyFrame
    predictions: pl.LazyFrame
    vectors: pl.LazyFrame


def _polars(ask: Callable[[_Tables], pl.LazyFrame]) -> Way:
    def way(location: Path) -> int:
        tables = _Tables(*(pl.scan_lance(uri(location, name)) for name in ("images", "predictions", VECTORS)))
        return ask(tables).collect(engine="streaming").height

    return way


def _duckdb(statement: str) -> Way:
    def way(location: Path) -> int:
        import duckdb
        import lance

        connection = duckdb.connect(config={"memory_limit": "1GB"})
        for name in ("images", "predictions", VECTORS):
            connection.register(name.partition("_")[0], lance.dataset(uri(location, name)))
        rows = connection.sql(statement).to_arrow_table().num_rows
        connection.close()
        return rows

    return way


def _worst(store: mr.Store) -> mr.LazyFrame:
    vectors = store.scan_table(VECTORS).select("sample_id", "vector")
    predictions = store.scan_table("predictions").select("sample_id", "score")
    images = store.scan_table("images").filter(CHOSEN).select("sample_id", "age")
    return images.join(predictions, on="sample_id").join(vectors, on="sample_id").sort("score").head(100)


def _few(store: mr.Store) -> mr.LazyFrame:
    images = store.scan_table("images").filter("scanner = 'scanner 7' AND age > 95").select("sample_id")
    return images.join(store.scan_table(VECTORS).select("sample_id", "vector"), on="sample_id")


_FEW = (pl.col("scanner") == "scanner 7") & (pl.col("age") > 95)
_CHOSEN = (pl.col("age") < 60) & (pl.col("view") != "lateral")

QUESTIONS: dict[str, dict[str, Way]] = {
    "metadata: age and view of films under 60": {
        "misread": _plan(lambda s: s.scan_table("images").filter(CHOSEN).select("sample_id", "age", "view")),
        "polars": _polars(lambda t: t.images.filter(_CHOSEN).select("sample_id", "age", "view")),
        "DuckDB": _duckdb(f"SELECT sample_id, age, view FROM images WHERE {CHOSEN}"),
    },
    "metadata and predictions: the 1,000 lowest scores": {
        "misread": _plan(
            lambda s: s.scan().filter(CHOSEN).sort("score").head(1000).select("sample_id", "age", "score")
        ),
        "polars": _polars(
            lambda t: (
                t.images.filter(_CHOSEN)
                .select("sample_id", "age")
                .join(t.predictions.select("sample_id", "score"), on="sample_id", how="left")
                .sort("score", nulls_last=True)
                .head(1000)
            )
        ),
        "DuckDB": _duckdb(
            f"SELECT sample_id, age, score FROM (FROM images WHERE {CHOSEN}) LEFT JOIN predictions USING (sample_id) "
            "ORDER BY score LIMIT 1000"
        ),
    },
    "vectors of the 100 lowest scores": {
        "misread": _plan(_worst),
        "polars": _polars(
            lambda t: (
                t.images.filter(_CHOSEN)
                .select("sample_id", "age")
                .join(t.predictions.select("sample_id", "score"), on="sample_id")
                .join(t.vectors.select("sample_id", "vector"), on="sample_id")
                .sort("score")
                .head(100)
            )
        ),
        "DuckDB": _duckdb(
            f"SELECT sample_id, age, score, vector FROM (FROM images WHERE {CHOSEN}) "
            "JOIN predictions USING (sample_id) JOIN embeddings USING (sample_id) ORDER BY score LIMIT 100"
        ),
    },
    "vectors of a few films": {
        "misread": _plan(_few),
        "polars": _polars(
            lambda t: (
                t.images.filter(_FEW).select("sample_id").join(t.vectors.select("sample_id", "vector"), on="sample_id")
            )
        ),
        "DuckDB": _duckdb(
            "SELECT sample_id, vector FROM (FROM images WHERE scanner = 'scanner 7' AND age > 95) "
            "JOIN embeddings USING (sample_id)"
        ),
    },
}


def fused(location: Path) -> int:
    """Fused vectors of the films chosen, as a plan streams them."""
    frame = mr.open(location).scan().filter(CHOSEN).fuse(modalities=["image"])
    return sum(batch.num_rows for batch in frame.stream())


def fused_by_hand(location: Path) -> int:
    """The same, as somebody who knows Lance and NumPy would write it: two readings, nothing held but sums."""
    import lance

    from misread.audit.halves import half_of

    images = lance.dataset(uri(location, "images"))
    chosen = images.to_table(columns=["sample_id", "patient_id"], filter=CHOSEN)
    vectors = lance.dataset(uri(location, VECTORS))
    ids = vectors.to_table(columns=["sample_id"])["sample_id"]
    place = pa.compute.index_in(ids, value_set=chosen["sample_id"].combine_chunks())
    wanted = place.is_valid().to_numpy()
    half = np.array([half_of(patient, 0) for patient in chosen["patient_id"].to_pylist()]) == "discovery"
    first = wanted.copy()
    first[wanted] = half[place.drop_null().to_numpy()]
    mean, axes = _axes(vectors, first)
    return sum(len(rows @ axes - mean @ axes) for rows in _rows(vectors, wanted))


def _axes(vectors: Any, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    total, products, count, shift = 0.0, 0.0, 0, None
    for rows in _rows(vectors, wanted):
        shift = rows.mean(axis=0) if shift is None else shift
        shifted = (rows - shift).astype(np.float32)
        total, products, count = (
            total + shifted.sum(axis=0, dtype=float),
            products + shifted.T @ shifted,
            count + len(rows),
        )
    offset = total / count
    _, axes = np.linalg.eigh(products / count - np.outer(offset, offset))
    assert shift is not None
    return shift + offset, axes[:, -64:]


def _rows(vectors: Any, wanted: np.ndarray) -> Any:
    start = 0
    for batch in vectors.scanner(columns=["vector"], batch_size=8192).to_batches():
        mask = wanted[start : start + batch.num_rows]
        start += batch.num_rows
        rows = batch.column(0).flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, -1)
        yield rows[mask].astype(float)


WAYS: dict[str, Way] = {
    **{f"{question} | {name}": way for question, ways in QUESTIONS.items() for name, way in ways.items()},
    "fused": fused,
    "fused by hand": fused_by_hand,
}
