"""The vectors of an audit's samples where they lie in the store, read for the samples that are asked for."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from misread.audit.aligned import located
from misread.fitting import COMPONENTS, drawn_to_fit
from misread.fuse import AT_ONCE, Block, Places
from misread.memory import LARGE
from misread.metadata import MetadataFeatures
from misread.plan import Scan
from misread.schemas.tables import VECTOR
from misread.store import TableStore
from misread.store.lance_table import LanceTable

Numbered = tuple[LanceTable, NDArray[np.int64]]
"""A table of vectors and, for every sample, the number its vector is found by, -1 for none."""


@dataclass(frozen=True)
class SampleVectors:
    """The vectors of samples, one modality beside the other, fetched for the samples that are asked for.

    `tables`: by modality; `metadata`: split, and the metadata columns of the samples, in their order; `features`: how
    metadata is fused, None where it is not.
    """

    metadata: pl.DataFrame
    tables: dict[str, Numbered]
    features: MetadataFeatures | None

    def __len__(self) -> int:
        """How many samples there are."""
        return self.metadata.height

    def to_fit(self, rows: Places, seed: int) -> Places:
        """Which of the numbered samples, by sample id, a fusion is fitted on: see `drawn_to_fit`."""
        return drawn_to_fit(rows, (found[rows] >= 0 for _, found in self.tables.values()), seed)

    def some(self, rows: Places) -> "SampleVectors":
        """Those of the numbered samples, for another process: where their vectors lie, and what metadata is fused."""
        columns = [feature.column for feature in self.features.features] if self.features else []
        metadata = self.metadata.select("split", *columns)[rows]
        tables = {name: (table, found[rows]) for name, (table, found) in self.tables.items()}
        return SampleVectors(metadata, tables, self.features)

    def parts(self, at_once: int = AT_ONCE) -> Iterator[dict[str, Block]]:
        """The modalities of all samples, so many at a time."""
        for start in range(0, len(self), at_once):
            yield self.at(np.arange(start, min(start + at_once, len(self))))

    def light(self) -> int:
        """How many samples at a time are read at the least cost."""
        return min((_light(table.dimension) for table, _ in self.tables.values()), default=AT_ONCE)

    def products(self, fitted: int, fused: int) -> float:
        """At most so many products of two numbers are to come where so many samples are fitted on, and fused."""
        sizes = [table.dimension for table, _ in self.tables.values()]
        onto = sum(min(COMPONENTS, size) for size in sizes)
        return sum(sizes) * (fitted * sum(sizes) / 2 + fused * onto)

    def first(self, rows: Places) -> dict[str, Block]:
        """Of each modality the first of the numbered samples that have it, as many as are worked on at a time."""
        having = {name: found[rows][found[rows] >= 0][:AT_ONCE] for name, (_, found) in self.tables.items()}
        blocks = {name: _block(self.tables[name][0], found) for name, found in having.items()}
        return blocks | self._metadata(rows[:AT_ONCE])

    def at(self, rows: Places) -> dict[str, Block]:
        """The modalities of the numbered samples."""
        blocks = {name: _block(table, found[rows]) for name, (table, found) in self.tables.items()}
        return blocks | self._metadata(rows)

    def _metadata(self, rows: Places) -> dict[str, Block]:
        if self.features is None:
            return {}
        return {"metadata": Block(self.features.transform(self.metadata[rows]), np.ones(len(rows), bool))}


def numbered(scan: Scan, store: TableStore, samples: pl.Series) -> Numbered:
    """The table of vectors that is scanned, and where each sample's vector is found there; `samples` are sorted."""
    table = store.table_at(scan.table, scan.version)
    numbers = np.full(len(samples), -1)
    for batch, found in table.located(["sample_id"], None, with_locator=True):
        assert found is not None
        places = located(samples, pl.Series(batch.column("sample_id")))
        numbers[places[places >= 0]] = found.to_numpy()[places >= 0]
    return table, numbers


def _block(table: LanceTable, found: NDArray[np.int64]) -> Block:
    present, size = found >= 0, table.dimension
    places, step = np.flatnonzero(present), _light(size)
    rows = np.zeros((len(found), size), np.float32)
    for start in range(0, len(places), step):
        some = places[start : start + step]
        column = table.fetch(pa.array(found[some], pa.uint64()), [VECTOR])[VECTOR]
        rows[some] = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, size)
    return Block(rows, present)


def _light(size: int) -> int:
    """How many vectors take less than `LARGE` bytes: the machine need not find new memory for every lot of them."""
    return min(AT_ONCE, max(1, (LARGE - 1) // (4 * size)))
