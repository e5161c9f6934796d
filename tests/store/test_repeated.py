"""Text that repeats is stored once; nobody who reads it can tell."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from misread.schemas.tables import CHECKSUM, MEMBERSHIPS, TableContract
from misread.store import TableStore
from misread.store.checksums import with_checksums
from misread.store.lance_table import LanceTable
from misread.store.lance_writer import LanceWriter

PLAIN = TableContract("memberships", MEMBERSHIPS.fields, MEMBERSHIPS.key)
PREDICATES = (
    "slice_id = 'a-3'",
    "slice_id = 'nobody'",
    "slice_id IN ('a-1', 'b-0', 'it''s')",
    "slice_id >= 'a-4' AND half = 'discovery'",
    "half IS NULL OR slice_id < 'a-1'",
    "NOT (half = 'discovery')",
    "audit_id = 'b' AND rank > 20",
    "label = 1 AND slice_id <> 'b-2'",
)


def made() -> pa.Table:
    rng = np.random.default_rng(0)
    audits = rng.choice(["a", "b"], 400)
    rows = {
        "audit_id": pa.array(audits),
        "slice_id": pa.array(
            ["it's" if k == 9 else f"{a}-{k}" for a, k in zip(audits, rng.integers(0, 10, 400), strict=True)]
        ),
        "sample_id": pa.array([f"s{k}" for k in range(400)]),
        "half": pa.array(rng.choice(np.array(["discovery", "confirmation", None], object), 400)),
        "label": pa.array(rng.integers(0, 2, 400), pa.int8()),
        "rank": pa.array(rng.permutation(400)),
    }
    names = [field for field in MEMBERSHIPS.fields if field.name != CHECKSUM]
    return pa.table({f.name: rows.get(f.name, pa.nulls(400, f.type)) for f in names}, schema=pa.schema(names))


def batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """In parts, each with values that the one before does not have."""
    for start in (0, 7, 150, 390):
        stop = {0: 7, 7: 150, 150: 390, 390: 400}[start]
        yield from rows.slice(start, stop - start).combine_chunks().to_batches()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[LanceTable, LanceTable]:
    """The same rows stored with repeated text and without, the last ones added later."""
    folder, rows, found = tmp_path_factory.mktemp("tables"), made(), []
    rows = with_checksums(rows)
    for contract in (MEMBERSHIPS, PLAIN):
        uri = str(folder / ("repeated.lance" if contract.repeated else "plain.lance"))
        *first, last = batches(rows)
        writer = LanceWriter(uri, contract, None)
        writer.append(first, rows.schema)
        writer.append([last], rows.schema)
        entry = writer.entry()
        assert entry is not None
        found.append(LanceTable(uri, contract, entry.version))
    return found[0], found[1]


def test_repeated_text_takes_less_room(tables: tuple[LanceTable, LanceTable]) -> None:
    """What is repeated comes to an engine as a dictionary; else this file would test nothing."""
    kinds = [table.as_dataset().schema.field("slice_id").type for table in tables]
    assert [pa.types.is_dictionary(kind) for kind in kinds] == [True, False]


def test_every_reader_gets_the_same_text(tables: tuple[LanceTable, LanceTable]) -> None:
    """Schema, batches, whole tables, rows by number: equal, value by value and type by type."""
    repeated, plain = tables
    assert repeated.schema == plain.schema
    assert repeated.readable == plain.readable
    assert repeated.read().equals(plain.read())
    assert list(repeated.batches(batch_rows=50)) == list(plain.batches(batch_rows=50))
    rows = [list(t.located(["slice_id", "rank"], "rank < 50", with_locator=True)) for t in tables]
    assert rows[0] == rows[1]
    numbers = rows[0][0][1]
    assert repeated.fetch(numbers, ["slice_id", "half"]) == plain.fetch(numbers, ["slice_id", "half"])


@pytest.mark.parametrize("predicate", PREDICATES)
def test_predicates_choose_the_same_rows(tables: tuple[LanceTable, LanceTable], predicate: str) -> None:
    """As Lance's own predicates, and pushed down by DuckDB, over text that repeats and text that does not."""
    chosen = []
    for table in tables:
        connection = duckdb.connect()
        connection.register("rows", table.as_dataset())
        asked = connection.sql(f"SELECT sample_id, slice_id FROM rows WHERE {predicate} ORDER BY sample_id").fetchall()
        counted = connection.sql(f"SELECT count(*) FROM rows WHERE {predicate}").fetchall()
        read = pl.DataFrame(table.read(["sample_id", "slice_id"], predicate)).sort("sample_id").rows()
        assert asked == read
        assert counted == [(len(read),)]
        assert table.count(predicate) == len(read)
        chosen.append(read)
    assert chosen[0] == chosen[1]


def test_rows_are_removed_and_added_where_text_was_not_repeated_yet(tmp_path: Path) -> None:
    """A table from before stays as it is stored, and takes more rows."""
    rows = made()
    store = TableStore.open_or_new(tmp_path / "store")
    with store.commit("test") as commit:
        commit.append("memberships", rows.slice(0, 100))
    with TableStore.open(tmp_path / "store").commit("test") as commit:
        commit.writer("memberships").delete("half = 'discovery'")
        commit.append("memberships", rows.slice(100))
    kept = pl.DataFrame(TableStore.open(tmp_path / "store").table("memberships").read()).drop(CHECKSUM)
    before, after = pl.DataFrame(rows.slice(0, 100)), pl.DataFrame(rows.slice(100))
    assert kept.rows() == [*before.filter(pl.col("half").ne_missing("discovery")).rows(), *after.rows()]


def test_a_table_stored_before_takes_more_rows(tmp_path: Path) -> None:
    """Rows added to a table without repeated text are stored as that table is."""
    rows = with_checksums(made())
    uri = str(tmp_path / "older.lance")
    older = LanceWriter(uri, PLAIN, None)
    older.append(rows.slice(0, 200).to_batches(), rows.schema)
    entry = older.entry()
    assert entry is not None
    newer = LanceWriter(uri, MEMBERSHIPS, entry.version)
    newer.append(rows.slice(200).to_batches(), rows.schema)
    entry = newer.entry()
    assert entry is not None
    assert LanceTable(uri, MEMBERSHIPS, entry.version).read().equals(rows)
