"""Writers of one table that no lock keeps apart, as in an object store: none gets another's rows."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from store.store_rows import reports

from misread.schemas.errors import StoreError
from misread.store import Commit, TableStore
from misread.store import files as store_files
from misread.store.lance_writer import LanceWriter

FIRST = reports(("a", "s", "clear"), ("b", "s", "clear"))
MINE, THEIRS = reports(("m", None, "mine")), reports(("t", None, "theirs"))
MEANWHILE = "the (table|store) .* was changed by another process meanwhile"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TableStore:
    monkeypatch.setattr(store_files.StoreFiles, "writing", lambda _: contextlib.nullcontext())
    store = TableStore.open_or_new(tmp_path / "store")
    with store.commit("ingest") as commit:
        commit.append("reports", FIRST)
    return store


def texts(store: TableStore) -> list[str]:
    return sorted(TableStore.open(store.location).table("reports").read(["report"])["report"].to_pylist())


def ways() -> dict[str, Callable[[Commit], object]]:
    """Every way to change a table that is there."""
    column = pa.table({"sample_id": ["a", "b"], "report": ["mine", "mine"]})
    return {
        "append": lambda commit: commit.append("reports", MINE),
        "upsert": lambda commit: commit.upsert("reports", reports(("a", "s", "mine"))),
        "upsert with NULL": lambda commit: commit.upsert("reports", reports(("a", "s", "mine"), (None, "s", "mine"))),
        "delete": lambda commit: commit.writer("reports").delete("sample_id = 'a'"),
        "rewrite": lambda commit: commit.writer("reports").rewrite("sample_id = 'a'"),
        "compact": lambda commit: commit.writer("reports").compact(),
        "set_columns": lambda commit: commit.writer("reports").set_columns(column, "sample_id"),
    }


@pytest.mark.parametrize("way", ways())
def test_a_writer_goes_on_from_its_own_version(store: TableStore, way: str) -> None:
    """What another wrote on top of a writer's last version is in none of its later ones, however it writes on."""
    alone = TableStore.open_or_new(f"{store.location}-alone")
    with alone.commit("ingest") as commit:
        commit.append("reports", FIRST)
    for place in (alone, store):
        with place.commit("mine") as mine:
            mine.writer("reports").delete("sample_id = 'b'")
            if place is store:
                with pytest.raises(ZeroDivisionError):
                    given_up(store)
            ways()[way](mine)
    rows = [TableStore.open(place.location).table("reports").read().to_pylist() for place in (alone, store)]
    assert rows[0] == rows[1]


def given_up(store: TableStore) -> None:
    """Writes on top of whatever is there, and ends without a commit."""
    with store.commit("theirs") as theirs:
        theirs.append("reports", THEIRS)
        raise ZeroDivisionError


@pytest.mark.parametrize("way", ways())
def test_a_writer_that_another_comes_between_is_told(
    store: TableStore, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lance puts two writers' rows into one version; no commit names it, and the one who was first is not held up."""
    with store.commit("theirs") as theirs:
        own = LanceWriter._own

        def overtaken(writer: LanceWriter) -> object:
            dataset = own(writer)
            monkeypatch.setattr(LanceWriter, "_own", own)
            theirs.append("reports", THEIRS)
            return dataset

        def late() -> None:
            with TableStore.open(store.location).commit("mine") as mine:
                ways()[way](mine)

        monkeypatch.setattr(LanceWriter, "_own", overtaken)
        with pytest.raises(StoreError, match=MEANWHILE):
            late()
    assert texts(store) == ["clear", "clear", "theirs"]


def test_a_stream_that_another_overtakes_is_told(store: TableStore) -> None:
    """The same, where the other writes while rows stream in."""

    def late(theirs: Commit) -> None:
        def stream() -> Iterator[pa.Table]:
            yield MINE
            theirs.append("reports", THEIRS)

        with TableStore.open(store.location).commit("mine") as mine:
            mine.append_batches("reports", stream(), MINE.schema)

    with store.commit("theirs") as theirs, pytest.raises(StoreError, match=MEANWHILE):
        late(theirs)
    assert texts(store) == ["clear", "clear", "theirs"]
