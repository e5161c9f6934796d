"""What holds between ingests: the same again, more, changed, wider, in another order."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest.ingest_inputs import Inputs, as_csv, encoded, fingerprints, tree_hash

from misread.ingest import RowCounts, Sources, ingest
from misread.schemas.errors import InputFaultsError, StoreError
from misread.store import TableStore


def test_the_same_input_again_changes_nothing(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """The same files a second time are all unchanged rows and leave the store as it was, byte for byte."""
    sources = inputs.write()
    before = tree_hash(tmp_path / "store")
    result = ingest(filled_store, sources)
    assert tree_hash(tmp_path / "store") == before
    assert dict(result.tables) == {
        "images": RowCounts(unchanged=5),
        "reports": RowCounts(unchanged=2),
        "predictions": RowCounts(unchanged=5),
        "embeddings_clip": RowCounts(unchanged=3),
    }


def test_the_order_of_rows_does_not_matter(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """Files with their rows and columns in another order make the same content in every table."""
    for table in inputs.tables.values():
        table[1:] = reversed(table[1:])
        for row in table:
            row.reverse()
    inputs.embeddings.reverse()
    other = TableStore.open_or_new(tmp_path / "other")
    ingest(other, inputs.write())
    assert fingerprints(other) == fingerprints(filled_store)


def test_new_rows_are_added_and_absent_ones_stay(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """Every file cut in two and ingested in two goes makes the store that the whole files make."""
    two = TableStore.open_or_new(tmp_path / "two")
    whole = {kind: list(table) for kind, table in inputs.tables.items()}
    vectors = list(inputs.embeddings)
    inputs.tables = {kind: [table[0], *table[1:3]] for kind, table in whole.items()}
    inputs.tables["reports"] = whole["reports"][:2]
    inputs.embeddings = vectors[:2]
    ingest(two, inputs.write())
    inputs.tables = {kind: [table[0], *table[3:]] for kind, table in whole.items()}
    inputs.tables["reports"] = [whole["reports"][0], *whole["reports"][2:]]
    inputs.embeddings = vectors[2:]
    result = ingest(two, inputs.write())
    assert result.tables["images"] == RowCounts(added=3)
    assert result.tables["predictions"] == RowCounts(added=3)
    assert fingerprints(two) == fingerprints(filled_store)
    assert _pictures(two) == _pictures(filled_store)


def _pictures(store: TableStore) -> dict[str, bytes]:
    return {i: p for ids, pictures in store.table("images").pictures() for i, p in zip(ids, pictures, strict=True)}


def test_changed_rows_are_updated(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """Changed cells, pictures, reports, predictions and vectors replace the old: the store is as if it had
    been made of the changed files, and counts what changed."""
    inputs.cell("metadata", 3, "age", "62")
    inputs.cell("metadata", 4, "patient_id", "")
    inputs.pictures["a.jpg"] = encoded("JPEG", seed=9)
    inputs.cell("metadata", 6, "image", "a.jpg")
    inputs.cell("metadata", 5, "image", "")
    inputs.cell("reports", 2, "report", "Changed.")
    inputs.cell("predictions", 4, "label", "1")
    inputs.embeddings[0]["vector"] = [0.25, 0.75]
    sources = inputs.write()
    result = ingest(filled_store, sources)
    assert dict(result.tables) == {
        "images": RowCounts(changed=5),
        "reports": RowCounts(changed=1, unchanged=1),
        "predictions": RowCounts(changed=1, unchanged=4),
        "embeddings_clip": RowCounts(changed=1, unchanged=2),
    }
    other = TableStore.open_or_new(tmp_path / "other")
    ingest(other, sources)
    assert fingerprints(filled_store) == fingerprints(other)
    assert _pictures(filled_store) == _pictures(other) == _pictures(TableStore.open(tmp_path / "store"))
    assert _pictures(other)["e"] == inputs.pictures["a.jpg"]
    # the older state is still whole
    old = TableStore.open(tmp_path / "store", state=1)
    assert old.table("images").read(["age"], "sample_id = 'b'").to_pylist() == [{"age": 61}]
    assert "331a" in _pictures(old)


def test_columns_that_are_not_given_stay(inputs: Inputs, filled_store: TableStore) -> None:
    """A file without some columns changes the others alone, in metadata and in predictions."""
    inputs.tables["metadata"] = [["sample_id", "site"], ["a", "north"], ["new", "south"]]
    inputs.only = ("metadata",)
    sources = replace(inputs.write(), images=None)
    result = ingest(filled_store, sources)
    assert result.tables["images"] == RowCounts(added=1, changed=1)
    rows = filled_store.table("images").read(["sample_id", "site", "age", "sha256"]).to_pylist()
    held = {row["sample_id"]: (row["site"], row["age"], row["sha256"] is not None) for row in rows}
    assert held["a"] == ("north", 54, True)
    assert held["b"] == (None, 61, True)
    assert held["new"] == ("south", None, False)
    inputs.only = ("predictions",)
    inputs.column("predictions", "threshold", ["0.5"] * 3 + ["0.25"] * 2)
    ingest(filled_store, inputs.write())
    inputs.without("predictions", "threshold")
    inputs.cell("predictions", 2, "score", "0.125")
    ingest(filled_store, inputs.write())
    held_scores = filled_store.table("predictions").read(["score", "threshold"], "sample_id = 'a' AND model = 'm1'")
    assert held_scores.to_pylist() == [{"score": 0.125, "threshold": 0.5}]
    inputs.tables["predictions"] = [
        ["sample_id", "model", "target", "loss"],
        ["a", "m1", "T", "2"],
        ["e", "m1", "T", "3"],
    ]
    assert ingest(filled_store, inputs.write()).tables["predictions"] == RowCounts(added=1, changed=1)
    held_scores = filled_store.table("predictions").read(
        ["label", "score", "loss"], "sample_id IN ('a', 'e') AND model = 'm1'"
    )
    assert sorted(held_scores.to_pylist(), key=lambda row: row["loss"]) == [
        {"label": 1, "score": 0.125, "loss": 2.0},
        {"label": None, "score": None, "loss": 3.0},
    ]


@pytest.mark.parametrize(
    ("cells", "kind", "held"),
    [
        (["1.5"], "double", [54.0, 61.0, None, 70.0, 40.0, 1.5]),
        (["unknown"], "string", ["54", "61", None, "70", "40", "unknown"]),
        ([""], "int64", [54, 61, None, 70, 40, None]),
    ],
)
def test_a_column_widens(
    cells: list[str], kind: str, held: list[Any], inputs: Inputs, filled_store: TableStore
) -> None:
    """A further row that does not fit widens the whole column, which is told; rows keep their values and
    pictures, and count as changed only if they did."""
    before = _pictures(filled_store)
    inputs.tables["metadata"] = [["sample_id", "patient_id", "age"], ["f", "p5", *cells]]
    inputs.only = ("metadata",)
    result = ingest(filled_store, replace(inputs.write(), images=None))
    table = filled_store.table("images")
    assert result.tables["images"] == RowCounts(added=1)
    assert str(table.schema.field("age").type) == kind
    by_id = {row["sample_id"]: row["age"] for row in table.read(["sample_id", "age"]).to_pylist()}
    assert [by_id[i] for i in ("a", "b", "007", "331a", "e", "f")] == held
    assert _pictures(filled_store) == before
    assert any("column 'age' was int" in notice for notice in result.notices) == (kind != "int64")


def test_a_column_is_found_in_another_case(inputs: Inputs, filled_store: TableStore) -> None:
    """SQL tells no case apart, so `AGE` is the column `age` of the store."""
    inputs.tables["metadata"] = [["Sample_ID", "AGE"], ["a", "55"]]
    inputs.only = ("metadata",)
    result = ingest(filled_store, replace(inputs.write(), images=None))
    assert result.tables["images"] == RowCounts(changed=1)
    assert "AGE" not in filled_store.table("images").schema.names


def test_predictions_alone_later(inputs: Inputs, filled_store: TableStore) -> None:
    """Once the store has samples, files may come without metadata."""
    inputs.only = ("predictions",)
    inputs.tables["predictions"] = [
        ["sample_id", "model", "target", "label", "score"],
        ["331a", "m1", "T", "0", "0.5"],
    ]
    assert dict(ingest(filled_store, inputs.write()).tables) == {"predictions": RowCounts(added=1)}


def test_reports_of_studies(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """A report keyed by its study is stored once; with both keys given, the sample's counts."""
    inputs.only = ("reports",)
    inputs.tables["reports"] = [
        ["study_id", "sample_id", "report"],
        ["s1", "", "Both pictures."],
        ["s2", "007", "One."],
        ["s3", "", ""],
    ]
    result = ingest(filled_store, inputs.write())
    assert result.tables["reports"] == RowCounts(added=2)
    assert any("without a report text" in notice for notice in result.notices)
    inputs.cell("reports", 2, "report", "Changed.")
    assert ingest(filled_store, inputs.write()).tables["reports"] == RowCounts(changed=1, unchanged=1)
    rows = filled_store.table("reports").read(["sample_id", "study_id", "report"], "study_id IS NOT NULL").to_pylist()
    assert rows == [{"sample_id": None, "study_id": "s1", "report": "Changed."}]
    assert filled_store.table("reports").count() == 4


def test_external_vectors(inputs: Inputs, filled_store: TableStore) -> None:
    """Vectors computed elsewhere make a table and an encoder each; only a change moves the encoder's order."""
    inputs.only = ("embeddings",)
    inputs.embeddings = [
        {"sample_id": "a", "encoder": "notes-1", "modality": "report", "vector": [1.0, 2.0, 3.0]},
        {"sample_id": "a", "encoder": "clip", "modality": None, "vector": [0.0, 1.0]},
    ]
    result = ingest(filled_store, inputs.write())
    assert dict(result.tables) == {
        "embeddings_clip": RowCounts(unchanged=1),
        "embeddings_notes-1": RowCounts(added=1),
    }
    encoders = filled_store.encoders
    assert [(n, e.modality, e.dimension, e.source, e.order) for n, e in sorted(encoders.items())] == [
        ("clip", "image", 2, "external", 1),
        ("notes-1", "report", 3, "external", 2),
    ]
    table = filled_store.table("embeddings_notes-1")
    assert str(table.schema.field("vector").type).startswith("fixed_size_list<item: float")
    assert table.read(["sample_id", "input_checksum"]).to_pylist() == [{"sample_id": "a", "input_checksum": None}]


def test_a_picture_that_changes_meanwhile(inputs: Inputs, store: TableStore) -> None:
    """A picture that is another one when it is stored than when it was checked ends the ingest unseen."""
    sources = inputs.write()
    assert sources.images is not None
    target = sources.images / "b.png"

    def meddle(done: int, total: int, what: str) -> None:
        if what == "images checked" and done == total:
            target.write_bytes(encoded("PNG", seed=3))

    with pytest.raises(InputFaultsError) as caught:
        ingest(store, sources, progress=meddle)
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column) == ("metadata.csv", 3, "image")
    assert "changed while it was being ingested" in fault.reason
    with pytest.raises(StoreError, match="there is no misread store"):
        TableStore.open(store.location)
    assert ingest(TableStore.open_or_new(store.location), sources).tables["images"].added == 5


def test_a_store_that_changes_meanwhile(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """What was checked against one state is never written onto another; a store that changed before is read anew."""
    inputs.cell("metadata", 2, "age", "99")
    sources = inputs.write()
    other = Inputs(tmp_path / "other", only=("reports",))
    other.tables["reports"].append(["b", "Clear."])

    def meddle(done: int, total: int, what: str) -> None:
        if done == 1:
            ingest(TableStore.open(filled_store.location), other.write())

    with pytest.raises(StoreError, match="changed by another process"):
        ingest(filled_store, sources, progress=meddle)
    assert ingest(filled_store, sources).tables["images"] == RowCounts(changed=1, unchanged=4)
    assert filled_store.table("reports").count() == 3


def test_progress_is_told_to_its_end(inputs: Inputs, store: TableStore) -> None:
    """Checking and storing pictures each count up to their total."""
    told: dict[str, tuple[int, int]] = {}
    ingest(store, inputs.write(), progress=lambda done, total, what: told.update({what: (done, total)}))
    assert told == {"images checked": (4, 4), "images stored": (5, 5)}


def test_pictures_are_stored_as_they_are(inputs: Inputs, filled_store: TableStore) -> None:
    """Stored bytes are the files' bytes; size, media type and sha256 are those of the picture."""
    assert _pictures(filled_store) == {
        sample: inputs.pictures[name]
        for sample, name in zip(("a", "b", "007", "331a"), sorted(inputs.pictures), strict=True)
    }
    columns = ["sample_id", "width", "height", "media_type"]
    assert filled_store.table("images").read(columns, "sample_id IN ('b', 'e')").to_pylist() == [
        {"sample_id": "b", "width": 20, "height": 24, "media_type": "image/png"},
        {"sample_id": "e", "width": None, "height": None, "media_type": None},
    ]


def test_writing_streams_in_batches(inputs: Inputs, store: TableStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many pictures are written at a time, or rows deleted, changes nothing in the store."""
    monkeypatch.setattr("misread.ingest.images.PICTURE_ROWS", 2)
    monkeypatch.setattr("misread.ingest.images._ID_CHUNK", 1)
    for again in range(2):
        for at, name in enumerate(inputs.pictures):
            inputs.pictures[name] = encoded("JPEG" if name.endswith("jpg") else "PNG", seed=10 * again + at)
        ingest(store, inputs.write())
        names = zip(("a", "b", "007", "331a"), sorted(inputs.pictures), strict=True)
        assert _pictures(store) == {sample: inputs.pictures[name] for sample, name in names}


def test_what_changed_is_asked_once_however_many_columns_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame of n columns takes work for each of them to be asked anything: asked for each, n columns took n * n."""
    asked: list[str] = []
    select, names = pl.DataFrame.select, pl.DataFrame.columns.fget
    assert names is not None

    def counted_select(frame: pl.DataFrame, *parts: Any, **named: Any) -> pl.DataFrame:
        asked.append("select")
        return select(frame, *parts, **named)

    def counted_names(frame: pl.DataFrame) -> list[str]:
        asked.append("columns")
        return names(frame)

    counts = []
    for width in (10, 60):
        table = [["sample_id", *(f"c{i}" for i in range(width))], ["a", *["1"] * width], ["b", *["x"] * width]]
        path = tmp_path / f"{width}.csv"
        path.write_bytes(as_csv(table))
        store = TableStore.open_or_new(tmp_path / f"store{width}")
        ingest(store, Sources(metadata=path))
        with monkeypatch.context() as patch:
            patch.setattr(pl.DataFrame, "select", counted_select)
            patch.setattr(pl.DataFrame, "columns", property(counted_names))
            assert ingest(store, Sources(metadata=path)).tables["images"] == RowCounts(0, 0, 2)
        counts.append(len(asked))
        asked.clear()
    assert counts[0] == counts[1]
