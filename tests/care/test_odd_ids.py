"""Deleting patients whose ids are short, odd, parts of others, or missing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

import misread as mr
from misread.care import delete_patient, verify
from misread.ingest import Sources, ingest
from misread.queries import keep_question, kept_questions
from misread.schemas.errors import MisreadError, StoreError
from misread.store import TableStore

ODD = ["O'Neil", "%", "_", "P1", "P10", "P1-2", "p1", "a b", "日本太郎", "e\u0301lan", "\u202eabc", '"q"', "a\\b",
       "x;DROP", "*", "-- x", "{0}", "../x", "PA", "1", "12"]  # fmt: skip

Make = Callable[..., TableStore]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Ingests films, a patient each (None: without one), and predictions given as (sample, label, score)."""

    def made(patients: Sequence[str | None], predictions: Sequence[tuple[str, int, float]] = ()) -> TableStore:
        rows = {"sample_id": [f"film{i}" for i in range(len(patients))], "patient_id": patients, "view": "PA"}
        pl.DataFrame(rows).write_csv(tmp_path / "metadata.csv")
        names = ["sample_id", "label", "score"]
        judged = pl.DataFrame(predictions, names, orient="row").with_columns(model=pl.lit("m"), target=pl.lit("t"))
        judged.write_csv(tmp_path / "predictions.csv")
        sources = Sources(metadata=tmp_path / "metadata.csv", predictions=tmp_path / "predictions.csv")
        if not predictions:
            sources = Sources(metadata=tmp_path / "metadata.csv")
        ingest(TableStore.open_or_new(tmp_path / "store"), sources, skip_faulty=True)
        return TableStore.open(tmp_path / "store")

    return made


def patients_of(store: TableStore) -> list[str | None]:
    found: list[str | None] = TableStore.open(store.location).table("images").read(["patient_id"])[0].to_pylist()
    return found


@pytest.mark.slow
def test_odd_ids_are_no_patterns(make: Make) -> None:
    """One patient goes, with the questions that name it in quotes; those whose ids are like its stay."""
    store = make(ODD)
    questions = {f"of_{i}": f"SELECT * FROM images WHERE patient_id = '{one.replace(chr(39), chr(39) * 2)}'"
                 for i, one in enumerate(ODD)}  # fmt: skip
    for name, text in questions.items():
        keep_question(TableStore.open(store.location), name, text)
    for place, one in enumerate(ODD):
        assert delete_patient(TableStore.open(store.location), one).rows == {"images": 1}
        questions[f"of_{place}"] = "SELECT * FROM images WHERE patient_id = '(deleted)'"
        assert sorted(patients_of(store)) == sorted(ODD[place + 1 :])
        assert kept_questions(TableStore.open(store.location)) == questions
    assert verify(TableStore.open(store.location)) == []


def test_a_number_is_no_id_among_labels_and_rows(make: Make, tmp_path: Path) -> None:
    """The rejected rows of others stay where the patient is called 1 and labels, scores and rows are 1."""
    store = make(["1", "2", "3"], [("film0", 1, 7.0), ("film1", 1, 7.0), ("nobody", 1, 1.0), ("1", 0, 1.0)])
    assert delete_patient(store, "1").rejected == 2
    left = pl.read_csv(tmp_path / "store.rejected" / "predictions.csv", infer_schema=False)
    assert left["sample_id"].to_list() == ["film1", "nobody"]
    before = TableStore.open(store.location).state
    for nobody in ("7", "3000"):
        with pytest.raises(MisreadError, match="no patient"):
            delete_patient(TableStore.open(store.location), nobody)
    assert TableStore.open(store.location).state == before


def test_a_number_that_a_reason_quotes_is_an_id(make: Make, tmp_path: Path) -> None:
    """A reason that tells the patient by its id goes, though the row is another's."""
    store = make(["1", "2"], [("film1", 1, 7.0)])
    place = tmp_path / "store.rejected" / "predictions.csv"
    row = pl.read_csv(place, infer_schema=False)
    pl.concat([row, row.with_columns(misread_reason=pl.lit("the study is also of '1'"))]).write_csv(place)
    assert delete_patient(store, "1").rejected == 1
    assert pl.read_csv(place).height == 1


def test_a_film_without_a_patient_is_deleted_by_its_own_id(make: Make) -> None:
    """It stands for a patient everywhere else; that of somebody else is not taken by the id of the film."""
    store = make([None, "somebody", None])
    assert delete_patient(store, "film0").rows == {"images": 1}
    with pytest.raises(MisreadError, match="no patient 'film1'"):
        delete_patient(TableStore.open(store.location), "film1")
    assert patients_of(store) == ["somebody", None]
    assert verify(TableStore.open(store.location)) == []


def test_a_reader_of_a_state_that_went_is_told_to_open_the_store_again(make: Make) -> None:
    """What it reads is gone for good; nothing is damaged."""
    store = make(["a patient", "another"])
    reader = mr.open(store.location)
    delete_patient(store, "a patient")
    with pytest.raises(StoreError, match="open the store again, as deleting a patient removes all older states"):
        reader.sql("SELECT count(*) FROM images")
    assert mr.open(store.location).sql("SELECT count(*) AS n FROM images")["n"].to_list() == [1]
