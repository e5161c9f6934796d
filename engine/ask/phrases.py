"""The phrase nearest to a vector: the direction of the samples whose reports have it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

from misread.describe import REPORT, TERM, UNMENTIONED, PhraseReader
from misread.encode.texts import report_texts
from misread.principal import unit
from misread.schemas.errors import QueryError
from misread.schemas.tables import PHRASES
from misread.schemas.values import SCORE_DECIMALS
from misread.sql import Work
from misread.store import TableStore, newest_encoder

from .vectors import Check, Floats, every_vector

OF_REPORTS = (REPORT, TERM)
"""Where phrases come from that can be read in any report; the other spellings of listed ones are not kept."""


@dataclass(frozen=True, eq=False)
class _Directions:
    """`mean` (d,) of all vectors; `rows` (p, d) from there to each of `phrases`, of length 1."""

    phrases: list[str]
    mean: Floats
    rows: Floats

    def nearest(self, vectors: Floats) -> list[str]:
        similarity = np.round(unit(unit(vectors) - self.mean) @ self.rows.T, SCORE_DECIMALS)
        return [self.phrases[place] for place in np.argmax(similarity, axis=1)]


def nearest_phrase(store: TableStore) -> Work:
    """The function behind `nearest_phrase(vector)`. Raises QueryError for a length that no encoder gives."""
    known: dict[str, _Directions | None] = {}

    def work(check: Check, vectors: pa.Array) -> pa.Array:
        answers: list[str | None] = [None] * len(vectors)
        by_encoder: dict[str, list[int]] = {}
        for place, vector in enumerate(vectors):
            if vector.is_valid:
                by_encoder.setdefault(_encoder_of(store, len(vector.values)), []).append(place)
        for encoder, places in by_encoder.items():
            if encoder not in known:
                known[encoder] = _directions(store, encoder, check)
            directions = known[encoder]
            if directions is not None:
                rows = np.array([vectors[place].as_py() for place in places], np.float64)
                for place, phrase in zip(places, directions.nearest(rows), strict=True):
                    answers[place] = phrase
        return pa.array(answers, pa.string())

    return work


def _encoder_of(store: TableStore, dimension: int) -> str:
    fitting = {name: entry for name, entry in store.encoders.items() if entry.dimension == dimension}
    if not fitting:
        there = ", ".join(f"{name} ({entry.dimension})" for name, entry in sorted(store.encoders.items()))
        raise QueryError(
            f"no encoder of this store gives vectors of {dimension} numbers", f"there is: {there or 'no encoder yet'}"
        )
    return newest_encoder(fitting)


def _directions(store: TableStore, encoder: str, check: Check) -> _Directions | None:
    """None where no report has a phrase that tells a slice."""
    phrases = _report_phrases(store)
    if not phrases:
        return None
    texts = report_texts(store)
    having = {
        sample: np.array([place for place, phrase in enumerate(phrases) if phrase in told], np.intp)
        for sample, told in _told(texts, phrases, check)
    }
    dimension = store.encoders[encoder].dimension
    total, count = np.zeros(dimension), 0
    sums, counts = np.zeros((len(phrases), dimension)), np.zeros(len(phrases))
    for ids, rows in every_vector(store, encoder, check):
        total += rows.sum(axis=0)
        count += len(ids)
        for row, sample in zip(rows, ids, strict=True):
            places = having.get(sample)
            if places is not None:
                sums[places] += row
                counts[places] += 1
    seen = counts > 0
    if not seen.any():
        return None
    mean = total / count
    means = sums[seen] / counts[seen][:, None]
    return _Directions([phrases[i] for i in np.flatnonzero(seen)], mean, unit(means - mean))


def _report_phrases(store: TableStore) -> list[str]:
    if not store.has(PHRASES.name):
        return []
    rows = pl.DataFrame(store.table(PHRASES.name).read(["phrase", "assertion", "source"]))
    said = rows.filter(pl.col("source").is_in(OF_REPORTS), pl.col("assertion").fill_null("") != UNMENTIONED)
    return sorted(said["phrase"].drop_nulls().unique())


def _told(texts: pl.DataFrame, phrases: list[str], check: Check) -> Iterator[tuple[str, set[str]]]:
    """(sample, those of the phrases that its report says)."""
    reader, wanted = PhraseReader(), set(phrases)
    for number, (sample, text) in enumerate(texts.iter_rows()):
        if number % 1000 == 0:
            check()
        yield sample, wanted & {saying.shown for saying in reader.read(text) if saying.assertion != UNMENTIONED}
