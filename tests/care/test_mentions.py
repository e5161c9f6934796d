"""Ids of a deleted patient in texts that people wrote."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from care.care_inputs import PATIENT, TRACE, traces, write_input
from typer.testing import CliRunner

import misread as mr
from misread.care import delete_patient
from misread.care.mentions import without_ids
from misread.cli.main import app
from misread.ingest import ingest
from misread.queries import keep_question, kept_questions
from misread.schemas.tables import AUDITS, VERDICTS
from misread.store import TableStore
from stores import table

QUOTED = f"SELECT * FROM images WHERE patient_id = '{PATIENT}' OR sample_id = '{TRACE}0'"
LIKE = f"SELECT * FROM images WHERE patient_id LIKE '%{PATIENT}%'"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A store whose questions, audit and verdicts name the patient or one of its films."""
    place = tmp_path / "store"
    ingest(TableStore.open_or_new(place), write_input(tmp_path / "input"))
    keep_question(TableStore.open(place), "mine", QUOTED)
    keep_question(TableStore.open(place), "others", "SELECT * FROM images WHERE patient_id = 'p1'")
    where = f"patient_id <> '{PATIENT}'"
    audit = {"audit_id": "a" * 12, "where": where, "parameters": json.dumps({"filter": [{"predicates": [where]}]})}
    now = datetime.now(UTC)
    verdict = {"audit_id": "a" * 12, "slice_id": "s", "judged_at": now, "judged_by": "me"}
    with TableStore.open(place).commit("test") as commit:
        commit.append("audits", table(AUDITS, [audit]))
        commit.append("verdicts", table(VERDICTS, [verdict | {"note": f"most are of {PATIENT}, see {TRACE}0."}]))
    return place


def test_ids_in_texts_go_with_the_patient(place: Path) -> None:
    """Texts keep their meaning without the ids, what was changed is told without them, and no file holds them."""
    done = CliRunner().invoke(app, ["delete", str(place), "--patient", PATIENT])
    assert done.exit_code == 0, done.output
    assert "taken out of the saved question mine, the filter of audit aaaaaaaaaaaa, the note on slice s." in done.output
    assert PATIENT not in done.output
    assert TRACE not in done.output
    assert traces(place) == []
    store = TableStore.open(place)
    assert kept_questions(store) == {
        "mine": "SELECT * FROM images WHERE patient_id = '(deleted)' OR sample_id = '(deleted)'",
        "others": "SELECT * FROM images WHERE patient_id = 'p1'",
    }
    row = store.table("audits").read().to_pylist()[0]
    assert row["where"] == "patient_id <> '(deleted)'"
    assert json.loads(row["parameters"]) == {"filter": [{"predicates": ["patient_id <> '(deleted)'"]}]}
    assert store.table("verdicts").read()["note"].to_pylist() == ["most are of (deleted), see (deleted)."]
    assert mr.open(place).sql(kept_questions(store)["mine"]).height == 0


def test_ids_that_stand_otherwise_are_told_and_go_when_asked_again(place: Path) -> None:
    """A question that cannot be mended is named; saved anew, its old text goes with a second deletion."""
    keep_question(TableStore.open(place), "like", LIKE)
    done = CliRunner().invoke(app, ["delete", str(place), "--patient", PATIENT])
    assert "may still stand in the saved question like." in done.output
    assert PATIENT not in done.output
    keep_question(TableStore.open(place), "like", "SELECT 1")
    delete_patient(TableStore.open(place), PATIENT)
    assert traces(place) == []


def test_an_id_that_begins_with_another_goes_whole(place: Path) -> None:
    """Of a film that is called after its patient no end stays behind, whichever of the two ids comes first."""
    with TableStore.open(place).commit("test") as commit:
        verdict = {"audit_id": "a" * 12, "slice_id": "t", "judged_at": datetime.now(UTC), "judged_by": "me"}
        commit.append("verdicts", table(VERDICTS, [verdict | {"note": f"{PATIENT}_1-2 of {PATIENT}, {PATIENT}_1"}]))
    with TableStore.open(place).commit("test") as commit:
        without_ids(commit, [PATIENT, f"{PATIENT}_1", f"{PATIENT}_1-2"])
    assert "(deleted) of (deleted), (deleted)" in TableStore.open(place).table("verdicts").read()["note"].to_pylist()


def test_numbers_are_not_taken_for_ids(tmp_path: Path) -> None:
    """Where a patient is called 7, a filter by age and a note that counts stay as they are."""
    sources = write_input(tmp_path / "input")
    assert sources.metadata is not None
    sources.metadata.write_text(sources.metadata.read_text().replace("p1,", "7,"))
    place = tmp_path / "store"
    ingest(TableStore.open_or_new(place), sources)
    texts = {"age": "SELECT age, patient_id FROM images WHERE age > 7", "text": "SELECT '7' AS seven"}
    for name, text in texts.items():
        keep_question(TableStore.open(place), name, text)
    removed = delete_patient(TableStore.open(place), "7")
    assert removed.rows["images"] == 1
    assert kept_questions(TableStore.open(place)) == texts
    assert removed.texts.mended == ()
