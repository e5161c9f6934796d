"""The reports of a source, in the order of its rows."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.planted.demo import population
from benchmarks.planted.public import data_folder, read_reports
from benchmarks.planted.source import Source
from benchmarks.planted.sources import load
from misread.demo import appearances, write_report


@lru_cache
def reports(name: str, cache: Path, films: int) -> tuple[str | None, ...]:
    """One a row; None for a film that has none."""
    source = load(name, cache, films)
    texts = _demo(source) if name == "demo" else read_reports(data_folder())["text"].to_list()
    present = source.blocks["report"].present
    return tuple(text if there else None for text, there in zip(texts, present, strict=True))


def _demo(source: Source) -> list[str]:
    rows: list[pl.DataFrame] = []
    while sum(chunk.height for chunk in rows) < len(source):
        rows.append(population(len(rows)))
    films = pl.concat(rows)
    return [write_report(a, int(seed)) for a, seed in zip(appearances(films), films["film_seed"], strict=True)]


def known(texts: tuple[str | None, ...]) -> np.ndarray:
    """(n,) who has a report."""
    return np.array([text is not None for text in texts])
