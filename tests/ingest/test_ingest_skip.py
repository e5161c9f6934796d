"""Leaving faulty rows out: what is stored, what is rejected, and where the rejected rows go."""

import csv
import io
import stat
from pathlib import Path

import polars as pl
import pytest
from ingest.ingest_inputs import METADATA, PREDICTIONS, Inputs, fingerprints, tree_hash

from misread.ingest import RowCounts, Sources, ingest
from misread.schemas.errors import InputFaultsError
from misread.store import TableStore


def _rejected(folder: Path) -> dict[str, list[dict[str, str]]]:
    files = sorted(folder.iterdir())
    return {path.name: list(csv.DictReader(io.StringIO(path.read_text(), newline=""))) for path in files}


def test_good_rows_are_kept(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Skipping makes the store that the good rows alone make; rows that speak of a rejected sample go with it."""
    inputs.cell("metadata", 2, "image", "z.jpg")
    inputs.tables["metadata"].append(["twin", "p7", "s7", "", "1", "F"])
    inputs.tables["metadata"].append(["twin", "p7", "s7", "", "x", "F"])
    inputs.tables["metadata"].append(["short", "p8"])
    inputs.tables["predictions"].append(["twin", "m1", "T", "1", "0.5"])
    inputs.tables["predictions"].append(["e", "m1", "T", "1", "5"])
    result = ingest(store, inputs.write(), skip_faulty=True)
    assert result.rejected == tmp_path / "store.rejected"
    assert [(f.file, f.row, f.column) for f in result.faults] == [
        ("metadata.csv", 2, "image"),
        ("metadata.csv", 7, "sample_id"),
        ("metadata.csv", 8, "sample_id"),
        ("metadata.csv", 9, None),
        ("reports.csv", 2, "sample_id"),
        ("predictions.csv", 2, "sample_id"),
        ("predictions.csv", 5, "sample_id"),
        ("predictions.csv", 7, "sample_id"),
        ("predictions.csv", 8, "score"),
        ("embeddings.parquet", 2, "sample_id"),
    ]
    good = Inputs(tmp_path / "good")
    good.tables["metadata"] = [row for row in METADATA if row[0] != "a"]
    good.tables["predictions"] = [row for row in PREDICTIONS if row[0] != "a"]
    del good.tables["reports"][1], good.embeddings[0]
    other = TableStore.open_or_new(tmp_path / "other")
    ingest(other, good.write())
    assert fingerprints(store) == fingerprints(other)
    assert str(store.table("images").schema.field("age").type) == "int64"  # no word of the rejected twin


def test_what_the_folder_holds(inputs: Inputs, store: TableStore) -> None:
    """The folder is its owner's alone and has a CSV for each file with rejected rows: the columns that are read, as
    written, then row, column and reason, one line a row; columns that are left out are not there either."""
    inputs.column("metadata", "reason", ["r1", "r2", "r3", "r4", "r5"])
    inputs.column("metadata", "c", ["c1", "c2", "c3", "c4", "c5"])
    inputs.column("metadata", "Surname", ["Doe"] * 5)
    inputs.column("predictions", "Surname", ["Doe"] * 5)
    inputs.cell("metadata", 4, "image", "z.jpg")
    inputs.cell("predictions", 3, "score", "high")
    inputs.cell("predictions", 3, "label", "2")
    result = ingest(store, inputs.write(), skip_faulty=True)
    assert result.rejected is not None
    assert stat.S_IMODE(result.rejected.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in result.rejected.iterdir()} == {0o600}
    files = _rejected(result.rejected)
    assert sorted(files) == ["embeddings.csv", "metadata.csv", "predictions.csv"]
    (row,) = files["metadata.csv"]
    assert row["sample_id"] == "007"
    assert (row["reason"], row["c"], row["misread_row"], row["misread_column"]) == ("r3", "c3", "4", "image")
    assert "no such image" in row["misread_reason"]
    assert not any("Doe" in path.read_text() for path in result.rejected.iterdir())
    scores = files["predictions.csv"]
    assert [(r["misread_row"], r["misread_column"], r["score"]) for r in scores] == [
        ("3", "label, score", "high"),
        ("4", "sample_id", "1e-3"),
    ]
    assert scores[0]["misread_reason"] == "label 2 is neither 0, 1 nor missing; score 'high' is not a number"
    assert files["embeddings.csv"][0]["vector"] == "[1.0, 0.0]"


def test_without_faults_there_is_no_folder(inputs: Inputs, store: TableStore) -> None:
    """An input without faults leaves nothing beside the store."""
    result = ingest(store, inputs.write(), skip_faulty=True)
    assert (result.faults, result.rejected) == ((), None)
    assert not Path(f"{store.location}.rejected").exists()


def test_faults_of_whole_files_stop(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """A file that cannot be read as a whole stops the ingest, and only such faults are told then."""
    inputs.cell("metadata", 2, "image", "z.jpg")
    inputs.without("predictions", "score")
    sources = inputs.write()
    before = tree_hash(tmp_path)
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, sources, skip_faulty=True)
    assert [(f.file, f.row, f.column) for f in caught.value.faults] == [("predictions.csv", None, "score")]
    assert tree_hash(tmp_path) == before


def test_no_good_row_at_all_stops(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Where no sample is left, nothing is stored and every fault is told."""
    inputs.only = ("metadata",)
    inputs.tables["metadata"][2:] = []
    inputs.cell("metadata", 2, "sample_id", "")
    with pytest.raises(InputFaultsError, match="no good row of metadata"):
        ingest(store, inputs.write(), skip_faulty=True)
    assert not (tmp_path / "store").exists()


def test_a_rejected_row_leaves_the_stored_one(inputs: Inputs, filled_store: TableStore) -> None:
    """A faulty new version of a row keeps the old one; good rows are then held against what stays."""
    inputs.only = ("predictions",)
    inputs.tables["predictions"] = [
        PREDICTIONS[0],
        ["b", "m1", "T", "1", "7"],
        ["b", "m2", "T", "1", "0.5"],
        ["007", "m2", "T", "0", "0.5"],
    ]
    # alone, the second row agrees with the first; but the first is rejected, and the stored label is 0
    result = ingest(filled_store, inputs.write(), skip_faulty=True)
    assert [(f.row, f.column) for f in result.faults] == [(2, "score"), (3, "label")]
    assert result.tables["predictions"] == RowCounts(added=1)
    labels = filled_store.table("predictions").read(["label"], "sample_id = 'b'")["label"].to_pylist()
    assert labels == [0, 0]


def test_a_study_goes_with_its_last_sample(inputs: Inputs, store: TableStore) -> None:
    """A report of a study is rejected when every sample of the study is, and kept while one is left."""
    inputs.tables["reports"] = [["study_id", "report"], ["s1", "x"], ["s2", "y"]]
    inputs.cell("metadata", 2, "image", "z.jpg")
    inputs.cell("metadata", 4, "image", "z.jpg")
    result = ingest(store, inputs.write(), skip_faulty=True)
    assert [(f.row, f.reason) for f in result.faults if f.file == "reports.csv"] == [(3, "its study 's2' was rejected")]


def test_mended_rows_complete_the_store(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """The rejected rows, mended where they lie and ingested again, make the store the whole input makes."""
    other = TableStore.open_or_new(tmp_path / "other")
    inputs.cell("predictions", 3, "score", "high")
    sources = inputs.write()
    result = ingest(other, sources, skip_faulty=True)
    assert result.rejected is not None
    path = result.rejected / "predictions.csv"
    path.write_bytes(path.read_bytes().replace(b",high,", b",0.25,"))
    mended = ingest(other, Sources(predictions=path))
    assert mended.tables["predictions"] == RowCounts(added=1)
    assert fingerprints(other) == fingerprints(filled_store)


def test_rejected_rows_of_parquet(store: TableStore, tmp_path: Path) -> None:
    """Rejected rows of a Parquet file are written as CSV."""
    frame = pl.DataFrame({"sample_id": [1, 2, 2], "age": [5.5, None, 7.0]})
    frame.write_parquet(tmp_path / "m.parquet")
    result = ingest(store, Sources(metadata=tmp_path / "m.parquet"), skip_faulty=True)
    assert result.rejected is not None
    assert [row["misread_row"] for row in _rejected(result.rejected)["m.csv"]] == ["3", "4"]
    assert store.table("images").read(["sample_id", "age"]).to_pylist() == [{"sample_id": "1", "age": 5.5}]


def test_rows_that_are_told_once_are_rejected_one_by_one(inputs: Inputs, store: TableStore) -> None:
    """A name that is wrong in many rows is one fault; each of its rows is rejected with the reason, and no other."""
    of_others = [{**row, "encoder": "../x"} for row in inputs.embeddings]
    inputs.embeddings = [of_others[0], *inputs.embeddings, *of_others[1:]]
    result = ingest(store, inputs.write(), skip_faulty=True)
    assert [(f.row, f.column) for f in result.faults] == [(2, "encoder")]
    assert result.faults[0].reason.endswith("; 3 times: rows 2, 6, 7")
    assert result.rejected is not None
    rows = _rejected(result.rejected)["embeddings.csv"]
    assert [(row["misread_row"], row["encoder"]) for row in rows] == [("2", "../x"), ("6", "../x"), ("7", "../x")]
    assert {row["misread_reason"] for row in rows} == {
        "encoder '../x': up to 64 letters, digits, _ and -, a letter or a digit first"
    }
    assert result.tables["embeddings_clip"] == RowCounts(added=3)


def test_one_fault_of_a_hundred_thousand_rows(inputs: Inputs, store: TableStore) -> None:
    """What is told of a name does not grow with its rows: six of them are named, and how many there are."""
    inputs.tables["predictions"][1:] = [["a", "", "T", "1", "0.5"]] * 100_000
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, inputs.write())
    (fault,) = caught.value.faults
    assert (fault.row, fault.column) == (2, "model")
    assert fault.reason == "the model is missing; 100,000 times: rows 2, 3, 4, 5, 6, 7, …"
