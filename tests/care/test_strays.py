"""What lies in a store's folder and belongs to no state is told, and neither called damage nor removed."""

import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from care import killed
from care.care_inputs import write_input
from typer.testing import CliRunner

from misread.care import strays, verify
from misread.care.strays import FOREIGN, UNNAMED
from misread.cli.main import app
from misread.encode import embed
from misread.ingest import Sources, ingest
from misread.schemas.tables import QUERIES
from misread.store import TableStore, put_model
from stores import table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a fitted encoder, beside its input."""
    folder = tmp_path_factory.mktemp("strays")
    whole = write_input(folder / "input")
    ingest(TableStore.open_or_new(folder / "store"), whole)
    embed(TableStore.open(folder / "store"))
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made / "store", tmp_path / "store")
    return tmp_path / "store"


def test_a_store_of_misreads_own_has_none(place: Path) -> None:
    """Tables, manifest, models, kept answers and the vectors of unfinished jobs belong there."""
    for folder in ("cache", "unfinished"):
        (place / folder).mkdir(exist_ok=True)
        (place / folder / "x.arrow").write_bytes(b"1")
    assert strays(TableStore.open(place)) == []
    assert strays(TableStore.open(place, state=1)) == []


def test_files_of_others_are_told_with_their_size_and_stay(place: Path) -> None:
    """Files, folders, links and models by other names: each by name, bytes and what to do; the store is whole."""
    (place / "notes.txt").write_bytes(b"12345")
    (place / "copy" / "of").mkdir(parents=True)
    (place / "copy" / "of" / "films.bin").write_bytes(b"1" * 1000)
    (place / "copy" / "loop").symlink_to(place)
    (place / "patients.lance").mkdir()
    (place / "models" / "mine.pkl").write_bytes(b"1")
    (place / "odd\nname").write_bytes(b"")
    (place / "lost").symlink_to("nowhere")
    before = sorted(place.rglob("*"))
    found = strays(TableStore.open(place))
    link = len(os.fsencode(place))
    assert [(one.name, one.bytes) for one in found] == [
        ("copy", 1000 + link),
        ("lost", len("nowhere")),
        ("models/mine.pkl", 1),
        ("notes.txt", 5),
        ("odd\nname", 0),
        ("patients.lance", 0),
    ]
    assert {one.reason for one in found} == {FOREIGN}
    done = CliRunner().invoke(app, ["verify", str(place)])
    assert done.exit_code == 0
    assert "as they were written" in done.stdout
    assert f"notes.txt (5 bytes) {FOREIGN}" in done.stderr
    assert "odd\\nname (0 bytes)" in done.stderr
    assert sorted(place.rglob("*")) == before
    assert verify(TableStore.open(place)) == []


@pytest.mark.slow
def test_what_a_killed_ingest_left_is_told(made: Path, tmp_path: Path) -> None:
    """A table that no state names and a half-written manifest, from the moment at which an ingest was killed."""
    metadata = made / "input" / "metadata.csv"
    places = [tmp_path / moment for moment in killed.MOMENTS]
    for place in places:
        ingest(TableStore.open_or_new(place), Sources(metadata))
    command = [sys.executable, killed.__file__, str(made / "input"), *map(str, places)]
    subprocess.run(command, check=True, capture_output=True)
    found = strays(TableStore.open(places[-1]))
    names = [one.name for one in found]
    assert {"predictions.lance", "reports.lance"} < set(names)
    assert any(name.startswith(".manifest.json.") for name in names)
    assert {one.reason for one in found} == {UNNAMED}
    assert all(one.bytes > 0 for one in found)
    assert verify(TableStore.open(places[-1])) == []
    TableStore.open(places[-1]).purge()
    assert strays(TableStore.open(places[-1])) == []


def test_what_is_being_written_is_not_called_damaged(place: Path) -> None:
    """A writer's table and model are told as its own, the store as whole; once committed they are no strays."""
    row = {"name": "n", "question": "SELECT 1", "saved_at": None}
    store = TableStore.open(place)
    assert not store.has("queries")
    with store.commit("sql --save") as commit:
        commit.append("queries", table(QUERIES, [row]))
        model = put_model(store.files, "mine", {"weights": np.ones(3)})
        found = strays(TableStore.open(place))
        assert {one.name: one.reason for one in found} == {"queries.lance": UNNAMED, model: UNNAMED}
        assert verify(TableStore.open(place)) == []
    assert [one.name for one in strays(TableStore.open(place))] == [model]


def test_damaged_audits_hide_no_stray(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be read which models are named, none is called a stray; the rest is told."""
    model = put_model(TableStore.open(place).files, "mine", {"weights": np.ones(3)})
    (place / "notes.txt").write_bytes(b"1")
    assert [one.name for one in strays(TableStore.open(place))] == [model, "notes.txt"]

    def refused(*_: object) -> None:
        raise OSError("damaged")

    monkeypatch.setattr(import_module("misread.care.strays"), "named_models", refused)
    assert [one.name for one in strays(TableStore.open(place))] == ["notes.txt"]


def test_embedding_with_refit_removes_what_killed_commands_left(place: Path) -> None:
    """As the reason says: without a deletion, and where nothing is fitted or encoded anew. Older states stay."""
    put_model(TableStore.open(place).files, "fusion", {"x": np.zeros(1)})
    (place / "verdicts.lance").mkdir()
    (left,) = {one.reason for one in strays(TableStore.open(place))}
    assert "misread embed --refit, removes what is left" in left
    state = embed(TableStore.open(place), refit=True).state
    assert strays(TableStore.open(place)) == []
    assert [TableStore.open(place, state=number).state for number in range(1, state + 1)] == [*range(1, state + 1)]
    assert verify(TableStore.open(place)) == []
