"""A commit is visible whole, or not at all."""

import contextlib
import threading
from pathlib import Path

import numpy as np
import pytest
from store.store_rows import images, reports

from misread.schemas.errors import MisreadError, StoreError, UnknownNameError
from misread.store import EncoderEntry, TableStore
from misread.store import files as store_files

A, B = reports(("a", None, "clear")), reports(("b", None, "effusion"))


def texts(store: TableStore) -> list[str]:
    return sorted(store.table("reports").read(["report"])["report"].to_pylist())


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    store = TableStore.open_or_new(tmp_path / "store")
    with store.commit("ingest") as commit:
        commit.append("reports", A)
    return store


def test_a_commit_shows_all_its_tables_encoders_and_models_at_its_end(store: TableStore) -> None:
    """Nothing of a commit is seen before its end, and everything after it."""
    with store.commit("more") as commit:
        commit.append("reports", B)
        commit.append("images", images(["a"]))
        commit.set_encoder("hog", EncoderEntry("image", 2, "built-in", commit.next_state))
        before = TableStore.open(store.location)
        assert (before.state, before.tables, before.encoders, texts(before)) == (1, ["reports"], {}, ["clear"])
    after = TableStore.open(store.location)
    assert (after.state, after.tables, list(after.encoders)) == (2, ["images", "reports"], ["hog"])
    assert texts(after) == texts(store) == ["clear", "effusion"]
    assert [entry.command for entry in after.manifest.states] == ["ingest", "more"]


def test_a_commit_that_raises_changes_nothing(store: TableStore) -> None:
    """An exception after writes leaves the store, and what a later commit builds on, as they were."""

    def fails() -> None:
        with store.commit("fails") as commit:
            commit.append("reports", B)
            commit.writer("reports").delete("sample_id = 'a'")
            commit.append("images", images(["a"]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert TableStore.open(store.location).manifest == store.manifest
    assert texts(TableStore.open(store.location)) == ["clear"]
    with store.commit("works") as commit:
        assert not commit.has("images")
        commit.append("reports", B)
        commit.append("images", images(["b"]))
    assert texts(store) == ["clear", "effusion"]
    assert store.table("images").count() == 1


def test_a_commit_without_changes_is_no_state(store: TableStore) -> None:
    """Looking at a table, asking for a writer, or deleting from nothing makes no state."""
    before = store.manifest
    with store.commit("looks") as commit:
        assert commit.table("reports").count() == 1
        commit.writer("reports")
        commit.writer("images").delete("true")
    assert store.manifest == before == TableStore.open(store.location).manifest


def test_an_older_state_reads_the_same_after_later_commits(store: TableStore) -> None:
    """A state's rows, columns and encoders never change, whatever is committed after it."""
    with store.commit("second") as commit:
        commit.append("images", images(["a", "b"]))
    second = TableStore.open(store.location)
    rows = second.table("images").read().to_pylist()
    with store.commit("third") as commit:
        commit.upsert("images", images(["b", "c"], round_=1, view="AP"))
        commit.writer("images").delete("sample_id = 'a'")
        commit.append_batches("reports", [B], B.schema, replacing=True)
    with store.commit("fourth") as commit:
        commit.set_encoder("hog", EncoderEntry("image", 2, "built-in", commit.next_state))
    old = TableStore.open(store.location, state=2)
    assert old.table("images").read().to_pylist() == rows == second.table("images").read().to_pylist()
    assert (texts(old), old.encoders) == (["clear"], {})
    assert texts(TableStore.open(store.location)) == ["effusion"]
    with pytest.raises(StoreError, match="no state 9"):
        TableStore.open(store.location, state=9)


def test_an_old_reader_that_commits_builds_on_the_newest_state(store: TableStore) -> None:
    """A commit starts from the newest state, not from the one its store object had read."""
    old = TableStore.open(store.location)
    with store.commit("second") as commit:
        commit.append("reports", B)
    with old.commit("third") as commit:
        commit.append("reports", reports(("c", None, "nodule")))
    assert texts(old) == ["clear", "effusion", "nodule"]


def test_the_second_writer_waits_for_the_first(store: TableStore) -> None:
    """Two writers at once end as if one had come after the other."""
    inside, go = threading.Event(), threading.Event()

    def first() -> None:
        with TableStore.open(store.location).commit("first") as commit:
            inside.set()
            commit.append("reports", B)
            go.wait(5)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(5)
    threading.Timer(0.2, go.set).start()
    with store.commit("second") as commit:
        commit.append("reports", reports(("c", None, "nodule")))
    thread.join()
    assert texts(store) == ["clear", "effusion", "nodule"]
    assert [entry.command for entry in store.manifest.states] == ["ingest", "first", "second"]


def test_a_writer_that_waits_too_long_is_told(store: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stays busy is a StoreError, and the waiting writer has changed nothing."""
    monkeypatch.setattr(store_files, "LOCK_SECONDS", 0.1)
    other = TableStore.open(store.location)
    with store.commit("first") as commit:
        commit.append("reports", B)
        with pytest.raises(StoreError, match="being written"), other.commit("second"):
            pytest.fail("two writers at once")
    assert texts(store) == ["clear", "effusion"]


def test_a_store_changed_behind_the_lock_is_not_overwritten(store: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no lock (an object store), the commit that ends second is refused."""
    monkeypatch.setattr(store_files.StoreFiles, "writing", lambda _: contextlib.nullcontext())
    other = TableStore.open(store.location)

    def overtaken() -> None:
        with other.commit("loses") as commit:
            commit.append("reports", reports(("c", None, "nodule")))
            with store.commit("wins") as winner:
                winner.append("reports", B)

    with pytest.raises(StoreError, match="changed by another process"):
        overtaken()
    assert texts(TableStore.open(store.location)) == ["clear", "effusion"]
    with other.commit("again") as commit:
        commit.append("reports", reports(("c", None, "nodule")))
    assert texts(other) == ["clear", "effusion", "nodule"]


def test_an_error_from_a_stream_arrives_as_it_was_raised(store: TableStore) -> None:
    """Lance wraps what its reader raises; the user sees the error itself."""

    def stream() -> object:
        yield B
        raise UnknownNameError("no such thing", "there is: another")

    with pytest.raises(UnknownNameError, match="no such thing"), store.commit("fails") as commit:
        commit.append_batches("reports", stream(), B.schema)  # type: ignore[arg-type]
    assert texts(TableStore.open(store.location)) == ["clear"]


@pytest.mark.parametrize(
    "rows",
    [A.drop_columns(["report"]), A.append_column("extra", A["report"]), A.set_column(2, "report", [np.arange(1)])],
    ids=["missing", "unknown", "type"],
)
def test_rows_that_break_the_contract_are_refused(store: TableStore, rows: object) -> None:
    """A missing, unknown or wrongly typed column never reaches a table, new or there already."""
    for name in ("reports", "audits"):
        for verb in ("append", "upsert"):
            with pytest.raises(MisreadError, match="breaks its contract"), store.commit("fails") as commit:
                getattr(commit, verb)(name, rows)
    assert TableStore.open(store.location).manifest == store.manifest


@pytest.mark.parametrize("left", ["reports.lance", "embeddings_hog.lance"])
def test_what_a_killed_first_writer_left_is_in_nobodys_way(tmp_path: Path, left: str) -> None:
    """A folder of tables alone, whichever was written first, is a store that its first commit will make."""
    (tmp_path / "store" / left).mkdir(parents=True)
    with TableStore.open_or_new(tmp_path / "store").commit("ingest") as commit:
        commit.append("images", images(["a"]))
    assert TableStore.open(tmp_path / "store").tables == ["images"]


@pytest.mark.parametrize("other", ["films.lance", "reports", "notes"])
def test_a_folder_of_other_things_is_no_place_for_a_store(tmp_path: Path, other: str) -> None:
    """Nothing is written into it."""
    (tmp_path / "store" / other).mkdir(parents=True)
    with pytest.raises(StoreError, match="not empty and not a misread store"):
        TableStore.open_or_new(tmp_path / "store")
    assert [path.name for path in (tmp_path / "store").iterdir()] == [other]
