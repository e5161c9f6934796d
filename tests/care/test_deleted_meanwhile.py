"""What was opened before a patient was deleted has lost its files: every reader says so, in the same words."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from care.care_inputs import PATIENT, write_input

import misread as mr
from misread.care import delete_patient
from misread.encode import embed
from misread.ingest import ingest
from misread.library import Store
from misread.schemas.errors import StoreError
from misread.store import TableStore
from misread.store.lance_table import LanceTable


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("meanwhile")
    ingest(TableStore.open_or_new(folder / "store"), write_input(folder / "input"))
    embed(TableStore.open(folder / "store"))
    mr.open(folder / "store").scan("m", "T").fuse().discover(min_size=10, stability=0, permutations=19).sink("first")
    return folder / "store"


@pytest.fixture
def opened(made: Path, tmp_path: Path) -> Store:
    """A store that somebody has open; the patient is deleted by `gone`."""
    shutil.copytree(made, tmp_path / "store")
    return mr.open(tmp_path / "store")


def gone(store: Store) -> None:
    delete_patient(TableStore.open(store.location), PATIENT)


def readers(table: LanceTable) -> dict[str, Callable[[], object]]:
    found = next(table.located(["remark"], None, with_locator=True))[1]
    assert found is not None
    return {
        "batches": lambda: list(table.batches()),
        "read": table.read,
        "pictures": lambda: list(table.pictures()),
        "count": lambda: table.count("age > 1"),
        "located": lambda: list(table.located(["picture"], None, with_locator=False)),
        "fetch": lambda: table.fetch(found, ["age"]),
        "fetch pictures": lambda: table.fetch(found, ["picture"]),
    }


@pytest.mark.parametrize("name", ["batches", "read", "pictures", "count", "located", "fetch", "fetch pictures"])
def test_a_table_says_that_it_is_gone(opened: Store, name: str) -> None:
    """Also in the middle of reading: no reader ends in Lance's own words."""
    read = readers(mr.open(opened.location).table("images"))[name]
    gone(opened)
    with pytest.raises(StoreError, match="table 'images' cannot be read: Not found") as caught:
        read()
    assert "deleting a patient" in caught.value.hint
    assert ".rs:" not in caught.value.message


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.sql("SELECT avg(age) FROM images"),
        lambda store: store.sql("SELECT nearest_phrase(slice_id), error_rate(slice_id) FROM slices"),
        lambda store: store.scan("m", "T").filter("age > 1").collect(),
        lambda store: store.scan_table("images", pictures=True).select("picture").collect(),
        lambda store: store.scan("m", "T").fuse().discover(stability=0, permutations=19).collect(),
        lambda store: store.report("first"),
        lambda store: store.assign("first"),
    ],
    ids=["sql", "functions", "rows", "pictures", "discover", "report", "assign"],
)
def test_whatever_is_asked_says_that_its_rows_are_gone(opened: Store, ask: Callable[[Store], object]) -> None:
    """Over DuckDB, too, which hands errors on as text; asked of the newest state, there is an answer."""
    gone(opened)
    with pytest.raises(StoreError, match=r"table '\w+' cannot be read: ") as caught:
        ask(opened)
    assert "deleting a patient" in caught.value.hint
    assert ".rs:" not in caught.value.message
    ask(mr.open(opened.location))
