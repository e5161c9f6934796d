"""Verifying a store, and removing a patient from it."""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from care.care_inputs import MINE, PATIENT, SAMPLES, TRACE, traces, write_input
from formats.dicom_inputs import film_file
from formats.films import films
from typer.testing import CliRunner

import misread as mr
from misread.care import delete_patient, verify
from misread.cli.main import app
from misread.encode import embed
from misread.execute.cache import Cache
from misread.execute.sink import write_audit
from misread.ingest import Sources, ingest
from misread.schemas.errors import MisreadError, StoreError
from misread.store import TableStore
from misread.store.manifest import State


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of several states, with vectors, an audit, kept answers and rejected rows."""
    folder = tmp_path_factory.mktemp("care")
    place = folder / "store"
    ingest(TableStore.open_or_new(place), write_input(folder / "input"))
    embed(TableStore.open(place))
    ingest(TableStore.open(place), write_input(folder / "input", age=51))
    store = mr.open(place)
    audit = store.scan("m", "T").fuse(image="hog").discover(min_size=10, stability=0)
    audit.describe().sink("first")
    store.scan_table("images").filter(f"patient_id = '{PATIENT}'").select("sample_id", "remark").collect()
    bad = pl.read_csv(folder / "input" / "predictions.csv").with_columns(loss=pl.lit("high"))
    bad.write_csv(folder / "bad.csv")
    ingest(TableStore.open(place), Sources(predictions=folder / "bad.csv"), skip_faulty=True)
    return folder


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "store"


def test_a_whole_store_is_found_whole(place: Path) -> None:
    """Nothing is reported of a store that nobody touched, whatever was written to it."""
    assert verify(TableStore.open(place)) == []
    assert verify(TableStore.open(place, state=1)) == []
    done = CliRunner().invoke(app, ["verify", str(place)])
    assert done.exit_code == 0
    assert "as they were written" in done.output


def flipped(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 0x10
    path.write_bytes(bytes(content))


def test_one_flipped_bit_of_a_vector_is_found(place: Path) -> None:
    """Lance reads a flipped vector back without a word; verifying names its row."""
    vector = mr.open(place).table("embeddings_hog").read(["vector"])["vector"][5].values.to_numpy()
    wanted = np.ascontiguousarray(vector, "<f4").tobytes()
    (path,) = (p for p in place.glob("embeddings_hog.lance/data/*") if wanted in p.read_bytes())
    sample = mr.open(place).table("embeddings_hog").read(["sample_id"])["sample_id"][5].as_py()
    flipped(path, path.read_bytes().index(wanted) + 41)
    found = verify(TableStore.open(place))
    assert [(d.table, d.row) for d in found] == [("embeddings_hog", sample)]
    done = CliRunner().invoke(app, ["verify", str(place)])
    assert done.exit_code == 1
    assert sample in done.output
    readable, writable = os.pipe()
    os.close(readable)
    command = [sys.executable, "-m", "misread.cli", "verify", str(place)]
    unread = subprocess.run(command, stdout=writable, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writable)
    assert unread.returncode == 1  # `| head` hides no damage
    assert unread.stderr.startswith("1 place is damaged;")
    assert unread.stderr.count("\n") == 1


def test_one_flipped_bit_of_a_picture_is_found(place: Path) -> None:
    """A picture is held against its SHA-256."""
    content = films(SAMPLES)[4].encoded("PNG")
    paths = [p for p in place.rglob("*") if p.is_file() and content in p.read_bytes()]
    assert paths
    for path in paths:
        flipped(path, path.read_bytes().index(content) + 60)
    assert ("images.picture", "s4") in [(d.table, d.row) for d in verify(TableStore.open(place))]


def rows_of(store: TableStore) -> Iterator[object]:
    """Everything that can be read of a store, as it is read."""
    for name in store.tables:
        yield store.table(name).read().to_pylist()
    yield [pictures for _, pictures in store.table("images").pictures()]
    yield [store.read_model(entry.model) for entry in store.encoders.values() if entry.model]


@pytest.mark.slow
def test_any_flipped_bit_is_found_or_changes_nothing(place: Path, tmp_path: Path) -> None:
    """Wherever in the data files a bit is flipped: the damage is told, or everything still reads as it did."""
    chance = random.Random(0)
    before = repr(list(rows_of(TableStore.open(place))))
    files = [p for p in sorted(place.rglob("*")) if p.is_file() and p.suffix in (".lance", ".npz", ".blob")]
    for _ in range(40):
        path = chance.choice(files)
        content = path.read_bytes()
        flipped(path, chance.randrange(len(content)))
        if not verify(TableStore.open(place)):
            assert repr(list(rows_of(TableStore.open(place)))) == before
        path.write_bytes(content)


def test_a_missing_file_is_found(place: Path) -> None:
    """A data file that is gone is told of its table, and the other tables are looked at all the same."""
    newest = max(place.glob("predictions.lance/data/*.lance"), key=lambda p: p.stat().st_mtime)
    newest.unlink()
    assert {d.table for d in verify(TableStore.open(place))} == {"predictions"}


def test_rows_that_are_whole_but_others_are_found(place: Path) -> None:
    """As many rows as were written, each with its own checksum, are held against the fingerprint of those written."""
    store = TableStore.open(place)
    entry, other = (store.manifest.tables[name] for name in ("predictions", "images"))
    swapped = replace(entry, fingerprint=other.fingerprint)
    state = State(store.state + 1, "now", "swap", {"predictions": swapped}, {})
    store.manifest = store.manifest.with_state(state)
    found = verify(store)
    assert [(d.table, d.row, d.reason) for d in found] == [
        ("predictions", None, "its rows are not those that were written")
    ]


def test_a_deleted_patient_leaves_no_trace(place: Path) -> None:
    """No file of the store, its older versions, its cache and its rejected rows holds the patient any more; the others
    are as they were."""
    others = f"patient_id <> '{PATIENT}'"
    before = mr.open(place).scan_table("images", pictures=True).filter(others).collect()
    rejected = place.with_name("store.rejected")
    assert traces(place)
    assert traces(rejected)
    unfinished = place / "unfinished" / "hog.key.0.arrow"
    unfinished.parent.mkdir(exist_ok=True)
    unfinished.write_bytes(TRACE.encode())  # a job that was killed
    done = CliRunner().invoke(app, ["delete", str(place), "--patient", PATIENT])
    assert done.exit_code == 0, done.output
    assert f"images: {len(MINE)} removed" in done.output
    assert traces(place) == []
    assert traces(rejected) == []
    store = mr.open(place)
    assert store.scan_table("images", pictures=True).collect().equals(before)
    for table in ("reports", "predictions", "embeddings_hog", "embeddings_tfidf", "audited"):
        assert store.table(table).count() == SAMPLES - len(MINE), table
    assert verify(store) == []
    with pytest.raises(StoreError, match=r"state 1 .* is gone"):
        mr.open(place, state=1)


def test_a_store_works_on_after_a_deletion(place: Path) -> None:
    """It can be embedded, audited, assigned and ingested into, and the patient stays away.

    Neighbours of the patient's films are gone from the examples, whoever they are of.
    """
    named = f"SELECT count(*) FROM examples WHERE starts_with(neighbour_of, '{TRACE}')"
    assert mr.open(place).sql(named).item() > 0
    delete_patient(TableStore.open(place), PATIENT)
    embed(TableStore.open(place))
    store = mr.open(place)
    assert store.sql(named).item() == 0
    store.assign("first", "true")
    audit = store.scan("m", "T").fuse(image="hog").discover(min_size=10, stability=0)
    audit.sink("second")
    assert not store.sql("FROM memberships").filter(pl.col("sample_id").str.starts_with(TRACE)).height


def test_a_deletion_that_was_killed_is_ended_by_the_next(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before anything is removed from the disk, the patient is gone from what is read, and asking again removes
    the rest."""
    with monkeypatch.context() as patched:
        patched.setattr("misread.store.store.remove_unnamed", lambda files, manifest: None)
        delete_patient(TableStore.open(place), PATIENT)
    assert mr.open(place).scan_table("images").filter(f"patient_id = '{PATIENT}'").collect().height == 0
    assert traces(place)
    with pytest.raises(MisreadError, match="no patient"):
        delete_patient(TableStore.open(place), PATIENT)
    assert traces(place) == []


def test_what_came_since_the_store_was_opened_is_deleted_too(place: Path) -> None:
    """A film of the patient that another process stored meanwhile goes with the others."""
    opened = TableStore.open(place)
    sources = write_input(place.parent / "input")
    rows = pl.read_csv(sources.metadata).filter(patient_id=PATIENT).head(1)
    late = rows.with_columns(sample_id=pl.lit(f"{TRACE} late"), study_id=pl.lit(f"study {TRACE} late"))
    late.write_csv(place.parent / "input" / "late.csv")
    ingest(TableStore.open(place), Sources(place.parent / "input" / "late.csv"))
    assert delete_patient(opened, PATIENT).rows["images"] == len(MINE) + 1
    assert mr.open(place).scan_table("images").filter(f"patient_id = '{PATIENT}'").collect(cache=False).height == 0
    assert traces(place) == []


def test_what_was_read_before_a_deletion_is_not_kept_after_it(place: Path) -> None:
    """Neither an audit nor an answer that was being worked out brings the patient back."""
    before = mr.open(place)
    images, table = before.scan_table("images").plan, before.scan_table("audits").collect(cache=False).to_arrow()
    delete_patient(TableStore.open(place), PATIENT)
    Cache(before).answer(images, lambda: table)
    assert Cache(mr.open(place)).kept() == []
    described = SimpleNamespace(below=SimpleNamespace(audit_id="0" * 12))
    with pytest.raises(StoreError, match=r"patients were deleted from the store .* meanwhile"):
        write_audit(before, images, described)
    assert mr.open(place).table("audits").count() == 1
    assert traces(place) == []


def test_half_written_answers_are_deleted(place: Path) -> None:
    """What a killed process leaves of an answer is no answer, and goes with the patient."""
    half = place / "cache" / ".answer-x1y2"
    half.write_text(TRACE)
    delete_patient(TableStore.open(place), PATIENT)
    assert not half.exists()


def test_models_fitted_since_are_not_removed(place: Path) -> None:
    """Removing what is left of a deletion takes no file that a later state needs."""
    delete_patient(TableStore.open(place), PATIENT)
    after = TableStore.open(place)
    with TableStore.open(place).commit("fit") as commit:
        file = commit.put_model("tfidf", {"numbers": np.arange(3.0)})
        commit.set_encoder("tfidf", replace(commit.manifest.encoders["tfidf"], model=file))
    after.purge()
    assert TableStore.open(place).read_model(file)["numbers"].tolist() == [0.0, 1.0, 2.0]


def test_deleting_nobody_is_an_error(place: Path) -> None:
    """A patient that is not there is told, without naming those that are."""
    with pytest.raises(MisreadError, match="no patient 'nobody'") as caught:
        delete_patient(TableStore.open(place), "nobody")
    assert "p1" not in str(caught.value)


def test_a_patient_is_deleted_by_the_id_that_files_have(tmp_path: Path) -> None:
    """Where ids are keyed hashes, the key beside the store is used unasked, and rejected rows that tell the id as it
    was go too: nobody is told that a patient is gone who is not."""
    for number in range(2):
        folder = tmp_path / "archive" / f"MRN0000{number}"
        folder.mkdir(parents=True)
        (folder / "film.dcm").write_bytes(film_file(films(2)[number]))
        (folder / "broken.dcm").write_bytes(b"none")
    place = str(tmp_path / "store")
    taken = ["ingest", place, "--format", "dicom", str(tmp_path / "archive"), "--skip-faulty"]
    assert CliRunner().invoke(app, taken).exit_code == 0
    done = CliRunner().invoke(app, ["delete", place, "--patient", "MRN00001"])
    assert done.exit_code == 0, done.output
    assert "images: 1 removed" in done.output
    assert TableStore.open(place).table("images").count() == 1
    rejected = (tmp_path / "store.rejected" / "files.csv").read_text()
    assert "MRN00000" in rejected
    assert "MRN00001" not in rejected
