"""The file of vectors computed elsewhere, checked: one row a sample and encoder."""

import json
import re
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from misread.encode.registry import encoders as known_encoders
from misread.schemas.values import EXTERNAL, Modality
from misread.store import EncoderEntry

from .cells import texts
from .faultbook import ROW, FaultBook, repeated
from .files import Source, as_text, take
from .known import Known

COLUMNS: Final = ("sample_id", "encoder", "vector", "modality")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MODALITIES: Final[tuple[Modality, ...]] = ("image", "report")


def check_embeddings(
    source: Source, encoders: Mapping[str, EncoderEntry], known: Known, book: FaultBook
) -> pl.DataFrame | None:
    """ROW, sample_id, encoder, modality, vector (float32); None where columns are missing.

    `encoders` are those of the store, whose vectors set the length of further ones.
    """
    taken = take(source, book, ["sample_id", "encoder", "vector"], ["modality"])
    named = None if taken is None else as_text(taken, ["sample_id", "encoder", "modality"], source, book)
    if named is None:
        return None
    whole = book.good(source.name, named)  # all but ragged rows
    vectors = _vectors(whole, source, book)
    if vectors is None:
        return None
    modality = pl.col("modality") if "modality" in whole.columns else pl.lit(None, pl.String)
    absent = texts(whole["vector"]) if whole["vector"].dtype == pl.String else whole["vector"]
    frame = whole.with_columns(
        vectors.alias("vector"),
        modality.fill_null("image").alias("modality"),
        absent.is_null().alias("absent"),
        _is_too_small(vectors).alias("too_small"),
    ).with_columns(pl.col("vector").cast(pl.List(pl.Float32)))
    book.where(source.name, "sample_id", frame, pl.col("sample_id").is_null(), "the sample_id is missing")
    known.check(book, source, frame)
    book.rows(source.name, None, repeated(frame, ["sample_id", "encoder"], "the vector"))
    _check_encoders(source, frame, encoders, book)
    _check_numbers(source, frame, book)
    _check_lengths(source, frame, encoders, book)
    return frame.drop("absent", "too_small")


def _vectors(frame: pl.DataFrame, source: Source, book: FaultBook) -> pl.Series | None:
    cells = frame["vector"]
    if cells.dtype == pl.String:
        return _from_json(frame, source, book)
    if isinstance(cells.dtype, pl.Array) and len(cells.dtype.shape) == 1:
        cells = cells.arr.to_list()
    if not isinstance(cells.dtype, pl.List) or not cells.dtype.inner.is_numeric():
        book.whole(source.name, f"vector is to be a list of numbers, not {cells.dtype}", "vector")
        return None
    return cells.cast(pl.List(pl.Float64))


def _is_too_small(vectors: pl.Series) -> pl.Series:
    """Bool: whether even the largest number of a vector is below what float32 can tell from 0, but for few digits."""
    largest = vectors.list.eval(pl.element().abs()).list.max()
    is_small = (largest > 0) & (largest < float(np.finfo(np.float32).tiny))
    return is_small & (largest.cast(pl.Float32).cast(pl.Float64) != largest)


def _from_json(frame: pl.DataFrame, source: Source, book: FaultBook) -> pl.Series:
    """Vectors written as JSON lists. Cells that are none are faults, and null."""
    found: list[list[float | None] | None] = []
    for row, text in frame.select(ROW, "vector").iter_rows():
        vector = _json_list(text)
        if vector is None and text:
            book.row(source.name, row, "vector", "the vector is not a JSON list of numbers")
        found.append(vector)
    return pl.Series("vector", found, pl.List(pl.Float64))


def _json_list(text: str | None) -> list[float | None] | None:
    try:
        parsed = json.loads(text or "null", parse_int=float)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(parsed, list) and all(isinstance(value, float) or value is None for value in parsed)
    return parsed if plain else None


def _check_encoders(source: Source, frame: pl.DataFrame, encoders: Mapping[str, EncoderEntry], book: FaultBook) -> None:
    """Names that can be a table's, and one modality for each. What is wrong with one is told once, not row by row."""
    book.alike(source.name, "encoder", frame, pl.col("encoder").is_null(), "the encoder is missing")
    reasons = {name: _name_fault(name, encoders) for name in frame["encoder"].drop_nulls().unique()}
    wrong = {name: reason for name, reason in reasons.items() if reason}
    reason = pl.col("encoder").replace_strict(wrong, default=None, return_dtype=pl.String)
    book.alike(source.name, "encoder", frame, pl.col("encoder").is_in(list(wrong)), reason)
    spelled = frame.with_columns(pl.col("encoder").str.to_lowercase().alias("folded"))
    several = pl.col("encoder").n_unique().over("folded") > 1
    text = pl.format("encoder '{}' is spelled in other upper and lower case too", "encoder")
    book.alike(source.name, "encoder", spelled, several, text)
    strange = ~pl.col("modality").is_in(_MODALITIES)
    text = pl.format("modality '{}' is neither image nor report", "modality")
    book.alike(source.name, "modality", frame, strange, text)
    mixed = pl.col("modality").n_unique().over("encoder") > 1
    text = pl.format("encoder '{}' has vectors of more than one modality", "encoder")
    book.alike(source.name, "modality", frame, mixed & pl.col("encoder").is_not_null(), text)
    of_store = {name: entry.modality for name, entry in encoders.items()}
    stored = pl.col("encoder").replace_strict(of_store, default=None, return_dtype=pl.String)
    text = pl.format("the vectors of encoder '{}' in the store are of modality '{}'", "encoder", stored)
    book.alike(source.name, "modality", frame, pl.col("modality") != stored, text)


def _name_fault(name: str, encoders: Mapping[str, EncoderEntry]) -> str:
    if not _NAME.fullmatch(name):
        return f"encoder {name!r}: up to 64 letters, digits, _ and -, a letter or a digit first"
    if name.lower() in {info.name for info in known_encoders()}:
        return f"encoder {name!r} is built in; give vectors computed elsewhere another name"
    if name in encoders and encoders[name].source != EXTERNAL:
        return f"the vectors of encoder {name!r} in the store are of embed; give those computed elsewhere another name"
    twin = next((there for there in encoders if there.lower() == name.lower() and there != name), None)
    return f"the store has the encoder {twin!r}, which differs from {name!r} in case alone" if twin else ""


def _check_numbers(source: Source, frame: pl.DataFrame, book: FaultBook) -> None:
    vector = pl.col("vector")
    book.where(source.name, "vector", frame, pl.col("absent"), "the vector is missing")
    book.where(source.name, "vector", frame, vector.list.len() == 0, "the vector is empty")
    gaps = vector.list.drop_nulls().list.len() < vector.list.len()
    is_nan = vector.list.eval(pl.element().is_nan()).list.any()
    endless = vector.list.eval(pl.element().is_infinite()).list.any()
    book.where(source.name, "vector", frame, gaps | is_nan, "the vector holds NaN")
    book.where(source.name, "vector", frame, endless, "the vector holds an infinite number (as float32)")
    small = "all numbers of the vector are nearly 0 as float32, which keeps none below 1e-38: scale the vectors"
    book.where(source.name, "vector", frame, pl.col("too_small"), small)


def _check_lengths(source: Source, frame: pl.DataFrame, encoders: Mapping[str, EncoderEntry], book: FaultBook) -> None:
    """Every vector as long as those in the store, or else as most of the file; all are at fault on a tie."""
    sized = frame.select(ROW, "encoder", length=pl.col("vector").list.len()).drop_nulls().filter(pl.col("length") > 0)
    for (encoder,), part in sized.group_by(["encoder"]):
        entry = encoders.get(str(encoder))
        lengths = part["length"].value_counts(sort=True)
        top = lengths.filter(pl.col("count") == pl.col("count").max())["length"].to_list()
        if entry is None and len(top) > 1:
            tie = f"the vectors of encoder {encoder!r} differ in length: {', '.join(map(str, sorted(top)))}"
            book.alike(source.name, "vector", part, pl.col("length").is_not_null(), tie)
            continue
        usual, where = (top[0], "the others") if entry is None else (entry.dimension, "those in the store")
        text = pl.format(
            "the vector has length {}, {} of encoder '{}' have {}",
            "length",
            *map(pl.lit, (where, encoder, usual)),
        )
        book.alike(source.name, "vector", part, pl.col("length") != usual, text)


def by_encoder(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The rows of each encoder, encoders by name."""
    parts = frame.partition_by("encoder", maintain_order=True)
    return {part["encoder"][0]: part for part in sorted(parts, key=lambda part: str(part["encoder"][0]))}
