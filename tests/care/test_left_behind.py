"""What killed commands and earlier fits left of a patient goes with the patient."""

import fcntl
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from care import killed
from care.care_inputs import MINE, PATIENT, TRACE, traces, write_input

import misread as mr
from misread.care import delete_patient, verify
from misread.encode import embed
from misread.ingest import Sources, ingest
from misread.schemas.errors import MisreadError, StoreError
from misread.schemas.tables import QUERIES, REPORTS
from misread.store import TableStore, put_model
from misread.store.whole import remove_half_written
from stores import table


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stores by the moment at which an ingest of the patient was killed: `new-…` do not know the patient, and have
    images alone; `old-…` know the patient's films of before."""
    folder = tmp_path_factory.mktemp("interrupted")
    whole = write_input(folder / "input")
    assert whole.metadata is not None
    others = pl.read_csv(whole.metadata).filter(pl.col("patient_id") != PATIENT)
    others.write_csv(folder / "input" / "others.csv")
    ingest(TableStore.open_or_new(folder / "new"), Sources(folder / "input" / "others.csv"))
    ingest(TableStore.open_or_new(folder / "old"), whole)
    write_input(folder / "later", age=52)
    for kind, files in (("new", "input"), ("old", "later")):
        places = [folder / f"{kind} {moment}" for moment in killed.MOMENTS]
        for place in places:
            shutil.copytree(folder / kind, place)
        if kind == "old":  # rows of another patient make every table differ
            _with_another_film(folder / files)
        command = [sys.executable, killed.__file__, str(folder / files), *map(str, places)]
        ends = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert ends == ["killed"] * len(places)
    return folder


def _with_another_film(folder: Path) -> None:
    rows, reports = pl.read_csv(folder / "metadata.csv"), pl.read_csv(folder / "reports.csv")
    new = rows.filter(patient_id=PATIENT).head(1)
    new = new.with_columns(sample_id=pl.lit(f"{TRACE}late"), study_id=pl.lit(f"study {TRACE}late"))
    pl.concat([rows, new]).write_csv(folder / "metadata.csv")
    late = pl.DataFrame({"study_id": [f"study {TRACE}late"], "report": [f"A late {TRACE} heart."]})
    pl.concat([reports, late]).write_csv(folder / "reports.csv")


@pytest.fixture(params=killed.MOMENTS)
def moment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_a_killed_ingest_left_goes_though_no_state_knows_the_patient(
    interrupted: Path, moment: str, tmp_path: Path
) -> None:
    """Versions on top of a table's newest, tables of no state and half-written files hold nobody any more; the store
    is as it was, and takes the same files afterwards."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / f"new {moment}", place)
    before = mr.open(place).scan_table("images", pictures=True).collect(cache=False)
    if moment != "streaming images":  # Lance may hold few rows back until a file is whole
        assert traces(place)
    with pytest.raises(MisreadError, match="no patient"):
        delete_patient(TableStore.open(place), PATIENT)
    assert traces(place) == []
    assert sorted(path.name for path in place.iterdir()) == ["images.lance", "manifest.json"]
    assert mr.open(place).state == 1
    assert mr.open(place).scan_table("images", pictures=True).collect(cache=False).equals(before)
    assert verify(TableStore.open(place)) == []
    folder = interrupted / "input"
    ingest(TableStore.open(place), Sources(folder / "metadata.csv", None, folder / "reports.csv"))
    assert delete_patient(TableStore.open(place), PATIENT).rows == {"images": len(MINE), "reports": len(MINE)}
    assert traces(place) == []


def test_what_a_killed_ingest_left_goes_with_the_patient(interrupted: Path, moment: str, tmp_path: Path) -> None:
    """A patient whose newer rows no state names is deleted in one go."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / f"old {moment}", place)
    delete_patient(TableStore.open(place), PATIENT)
    assert traces(place) == []
    assert verify(TableStore.open(place)) == []


def test_a_deletion_and_then_an_ingest_killed_leave_nothing_either(interrupted: Path, tmp_path: Path) -> None:
    """Deleted, ingested again by mistake, killed: asking again finds no patient, and leaves nothing."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    delete_patient(TableStore.open(place), PATIENT)
    store = TableStore.open(place)
    given_up = store.commit("ingest")
    writing = given_up.__enter__()
    writing.upsert("reports", table(REPORTS, [{"study_id": "study s1", "report": f"{TRACE} 5"}]))
    given_up.__exit__(ZeroDivisionError, ZeroDivisionError(), None)
    assert traces(place)
    with pytest.raises(MisreadError, match="no patient"):
        delete_patient(TableStore.open(place), PATIENT)
    assert traces(place) == []
    assert verify(TableStore.open(place)) == []


def test_a_writer_at_work_is_not_harmed(interrupted: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """While another process writes, nothing is removed of what it has written; deleting says that it is busy."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    monkeypatch.setattr("misread.store.files.LOCK_SECONDS", 0.1)
    with TableStore.open(place).commit("ingest") as commit:
        commit.append("queries", _question("SELECT 1"))
        before = sorted(place.rglob("*"))
        with pytest.raises(StoreError, match="being written by another process"):
            delete_patient(TableStore.open(place), PATIENT)
        with pytest.raises(StoreError, match="being written by another process"):
            TableStore.open(place).purge()
        assert sorted(place.rglob("*")) == before
    assert TableStore.open(place).table("queries").count() == 1


def test_a_file_that_is_being_written_is_no_leftover(tmp_path: Path) -> None:
    """Temporary files of living writers stay, as they are locked; those of dead ones go."""
    living, dead = tmp_path / ".m.npz.a", tmp_path / ".m.npz.b"
    for path in (living, dead):
        path.write_bytes(b"part")
    with living.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        remove_half_written(tmp_path, ".*")
    assert [path.name for path in tmp_path.iterdir()] == [living.name]


def test_folders_of_others_in_the_store_stay(interrupted: Path, tmp_path: Path) -> None:
    """What misread would not write is not misread's to remove."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    for name in ("notes", "mine.lance"):
        (place / name).mkdir()
        (place / name / "file").write_text("x")
    delete_patient(TableStore.open(place), PATIENT)
    assert (place / "notes" / "file").exists()
    assert (place / "mine.lance" / "file").exists()


def test_a_patient_of_an_older_state_alone_is_deleted(interrupted: Path, tmp_path: Path) -> None:
    """A patient whose films were given to another since is found in the older state, which goes."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    rows = pl.read_csv(interrupted / "input" / "metadata.csv").with_columns(
        patient_id=pl.col("patient_id").replace(PATIENT, "somebody else")
    )
    rows.write_csv(interrupted / "input" / "renamed.csv")
    ingest(TableStore.open(place), Sources(interrupted / "input" / "renamed.csv"))
    assert delete_patient(TableStore.open(place), PATIENT).rows == {}
    assert not [path for path in place.rglob("*") if path.is_file() and PATIENT.encode() in path.read_bytes()]
    assert TableStore.open(place).table("images").count("patient_id = 'somebody else'") == len(MINE)


def _words(place: Path) -> list[str]:
    """Fitted models that know the patient's word (npz files are not packed)."""
    return sorted(path.name for path in (place / "models").iterdir() if TRACE.encode() in path.read_bytes())


def test_a_refit_after_a_deletion_ends_models_that_know_the_patient(interrupted: Path, tmp_path: Path) -> None:
    """Models of before a deletion go with `refit`, with the states that name them; a refit without a deletion before
    keeps its older states."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    embed(TableStore.open(place), image_encoder=None)
    extra = interrupted / "input" / "extra.csv"
    pl.DataFrame({"study_id": ["study s1"], "report": ["quite another sentence, quite another"]}).write_csv(extra)
    ingest(TableStore.open(place), Sources(reports=extra))
    embed(TableStore.open(place), image_encoder=None, refit=True)
    assert len(_words(place)) == 2
    TableStore.open(place, state=2)
    delete_patient(TableStore.open(place), PATIENT)
    assert len(_words(place)) == 1
    told = embed(TableStore.open(place), image_encoder=None, refit=True)
    assert _words(place) == []
    assert any("older states are gone" in notice for notice in told.notices)
    state = TableStore.open(place).state
    again = embed(TableStore.open(place), image_encoder=None, refit=True)
    assert (again.state, again.notices) == (state, ())
    assert verify(TableStore.open(place)) == []


def test_a_model_fitted_while_its_patient_was_deleted_is_not_kept(
    interrupted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedding that learnt of the patient before a deletion raises after it, and the next one completes it."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)

    def fitted_and_deleted(*arguments: object) -> str:
        file = put_model(*arguments)  # type: ignore[arg-type]
        delete_patient(TableStore.open(place), PATIENT)
        return file

    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["misread.encode.embed"], "put_model", fitted_and_deleted)
        with pytest.raises(StoreError, match="patients were deleted"):
            embed(TableStore.open(place), image_encoder=None)
    embed(TableStore.open(place), image_encoder=None)
    assert _words(place) == []


def test_a_store_without_samples_is_told_before_anything_goes(tmp_path: Path) -> None:
    """Nothing is removed of the rejected rows beside a store that has no samples."""
    place = tmp_path / "store"
    with TableStore.open_or_new(place).commit("sql --save") as commit:
        commit.append("queries", _question("SELECT 1"))
    rejected = tmp_path / "store.rejected" / "rows.csv"
    rejected.parent.mkdir()
    rejected.write_text(f"patient_id\n{PATIENT}\n")
    with pytest.raises(MisreadError, match="has no samples"):
        delete_patient(TableStore.open(place), PATIENT)
    assert PATIENT in rejected.read_text()


def test_deleting_nobody_costs_nothing(interrupted: Path, tmp_path: Path) -> None:
    """A mistyped id leaves states, unfinished work and rejected rows as they are."""
    place = tmp_path / "store"
    shutil.copytree(interrupted / "old", place)
    unfinished = place / "unfinished" / "hog.key.0.arrow"
    unfinished.parent.mkdir()
    unfinished.write_bytes(b"vectors")
    with pytest.raises(MisreadError, match="no patient"):
        delete_patient(TableStore.open(place), "nobody")
    assert unfinished.exists()
    assert TableStore.open(place).state == 1


def _question(text: str) -> pa.Table:
    return table(QUERIES, [{"name": "q", "question": text, "saved_at": datetime.now(UTC)}])
