"""Every fault gives its row in the fault table, and leaves the store as it was, byte for byte."""

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest.ingest_inputs import METADATA, Inputs, Spoil, as_csv, encoded, tree_hash

from misread.ingest import Sources, ingest
from misread.schemas.errors import Fault, InputFaultsError, MisreadError
from misread.schemas.values import PRETRAINED
from misread.store import EncoderEntry, TableStore

Expected = list[tuple[str, int | None, str | None, str]]


def _cell(kind: str, row: int, column: str, value: str) -> Spoil:
    return lambda inputs: inputs.cell(kind, row, column, value)


def _row(kind: str, *cells: str) -> Spoil:
    return lambda inputs: inputs.tables[kind].append(list(cells))


def _raw(kind: str, content: bytes) -> Spoil:
    return lambda inputs: inputs.raw.update({kind: content})


def _picture(name: str, content: bytes) -> Spoil:
    return lambda inputs: inputs.pictures.update({name: content})


def _vector(**values: Any) -> Spoil:
    return lambda inputs: inputs.embeddings[1].update(values)


def _column(kind: str, name: str, *values: str) -> Spoil:
    return lambda inputs: inputs.column(kind, name, list(values))


def _both(one: Spoil, other: Spoil) -> Spoil:
    return lambda inputs: (one(inputs), other(inputs))


def _all_vectors(**values: Any) -> Spoil:
    return lambda inputs: [row.update(values) for row in inputs.embeddings]


M, R, P, E = "metadata.csv", "reports.csv", "predictions.csv", "embeddings.parquet"
_JPEG, _PNG = encoded("JPEG", seed=5), encoded("PNG", seed=5)
_LATIN = as_csv(METADATA).decode().replace("54,F", "54,é").encode("latin-1")

CASES: dict[str, tuple[Spoil, Expected]] = {
    # pictures
    "truncated JPEG": (_picture("a.jpg", _JPEG[:-40]), [(M, 2, "image", "unreadable.*truncated")]),
    "truncated PNG": (_picture("b.png", _PNG[:-40]), [(M, 3, "image", "unreadable")]),
    "PNG without its end": (_picture("b.png", _PNG[:-2]), [(M, 3, "image", "ends too early")]),
    "damaged PNG": (
        _picture("b.png", _PNG[:-60] + b"\0\0" + _PNG[-58:]),
        [(M, 3, "image", "unreadable")],
    ),
    "only a JPEG's first bytes": (_picture("a.jpg", b"\xff\xd8\xff\xe0"), [(M, 2, "image", "unreadable")]),
    "empty picture": (_picture("a.jpg", b""), [(M, 2, "image", "the file is empty")]),
    "neither JPEG nor PNG": (
        _picture("a.jpg", b"GIF89a" + bytes(40)),
        [(M, 2, "image", "neither JPEG nor PNG")],
    ),
    "missing picture": (
        _cell("metadata", 2, "image", "z.jpg"),
        [(M, 2, "image", "no such image: 'z.jpg'")],
    ),
    "picture above the folder": (
        _cell("metadata", 2, "image", "../metadata.csv"),
        [(M, 2, "image", "out of the images folder: ")],
    ),
    "absolute picture path": (_cell("metadata", 2, "image", "/etc/hosts"), [(M, 2, "image", "absolute")]),
    "picture is a folder": (_cell("metadata", 2, "image", "."), [(M, 2, "image", "no file")]),
    "picture with an endless name": (
        _cell("metadata", 2, "image", "x" * 5000),
        [(M, 2, "image", "cannot be found")],
    ),
    # metadata
    "missing sample_id": (_cell("metadata", 5, "sample_id", " "), [(M, 5, "sample_id", "missing")]),
    "duplicate sample_id": (
        _row("metadata", "e", "p9", "s9", "", "1", "F"),
        [(M, 6, "sample_id", "'e' is there 2 times: rows 6, 7"), (M, 7, "sample_id", "rows 6, 7")],
    ),
    "short row": (
        lambda i: i.tables["metadata"][5].pop(),
        [(M, 6, None, "the row has 5 cells, the header 6")],
    ),
    "long row": (
        lambda i: i.tables["metadata"][5].append("x"),
        [(M, 6, None, "the row has 7 cells, the header 6")],
    ),
    "no column sample_id": (
        lambda i: i.tables["metadata"][0].__setitem__(0, "sampleid"),
        [(M, None, "sample_id", "no column 'sample_id'; did you mean 'sampleid'")],
    ),
    "wrong separator": (
        _raw("metadata", as_csv(METADATA).replace(b",", b";")),
        [(M, None, "sample_id", "separated by commas")],
    ),
    "the same column twice": (
        _column("metadata", "Age", "1", "2", "3", "4", "5"),
        [(M, None, "age", "same name.*age, Age")],
    ),
    "a name that is a pattern": (
        _both(_column("metadata", "*", *"12345"), _column("metadata", "^a.*$", *"12345")),
        [(M, None, "*", r"stand for several columns: \*, \^a\.\*\$; rename them")],
    ),
    "two columns for one name": (
        _both(
            _column("metadata", "width", "1", "2", "3", "4", "5"),
            _column("metadata", "metadata_width", "1", "2", "3", "4", "5"),
        ),
        [(M, None, "width", "stored as 'metadata_width' too"), (M, None, "metadata_width", "stored as")],
    ),
    "wrong encoding": (
        _raw("metadata", _LATIN),
        [(M, None, None, r"wrong encoding: line 2, byte 18 \(0xe9\) is not UTF-8")],
    ),
    "UTF-16": (
        _raw("metadata", as_csv(METADATA).decode().encode("utf-16")),
        [(M, None, None, "wrong encoding.*UTF-16")],
    ),
    "empty file": (_raw("metadata", b""), [(M, None, None, "the file is empty")]),
    "blank file": (_raw("metadata", b"\n \n\n"), [(M, None, None, "the file is empty|not a header")]),
    "file without rows": (_raw("metadata", b"sample_id,age\r\n\r\n"), [(M, None, None, "no rows")]),
    "unclosed quote": (
        _raw("metadata", b'sample_id,age\na,"5\nb,6\n'),
        [(M, None, None, "not a CSV file: line 3: unexpected end")],
    ),
    "binary file": (_raw("metadata", b"sample_id,age\na,\0\n"), [(M, None, None, "line 2 holds a NUL")]),
    "Excel file": (_raw("metadata", b"PK\x03\x04rest"), [(M, None, None, "zip or Excel")]),
    "broken gzip": (_raw("metadata", b"\x1f\x8b\x08rest"), [(M, None, None, "not a whole gzip")]),
    # reports
    "report of an unknown sample": (_row("reports", "z", "Clear."), [(R, 4, "sample_id", "no sample 'z'")]),
    "report without a key": (
        _row("reports", "", "Clear."),
        [(R, 4, "sample_id", "no sample_id and no study_id")],
    ),
    "two reports of a sample": (
        _row("reports", "a", "Clear."),
        [(R, 2, "sample_id", "rows 2, 4"), (R, 4, "sample_id", "rows 2, 4")],
    ),
    "report of an unknown study": (
        _raw("reports", b"study_id,report\ns1,x\ns9,y\n"),
        [(R, 3, "study_id", "no study 's9'")],
    ),
    "reports without a key column": (
        _raw("reports", b"study,report\ns1,x\n"),
        [(R, None, "sample_id", "no column 'sample_id'")],
    ),
    "no column report": (
        _raw("reports", b"sample_id,Reports\na,x\n"),
        [(R, None, "report", "did you mean 'Reports'")],
    ),
    # predictions
    "prediction for an unknown sample": (
        _cell("predictions", 4, "sample_id", "7"),
        [(P, 4, "sample_id", "no sample '7'")],
    ),
    "prediction without a sample": (
        _cell("predictions", 4, "sample_id", ""),
        [(P, 4, "sample_id", "the sample_id is missing")],
    ),
    "prediction without a model": (
        _cell("predictions", 4, "model", ""),
        [(P, 4, "model", "model is missing")],
    ),
    "prediction without a target": (
        _cell("predictions", 4, "target", ""),
        [(P, 4, "target", "target is missing")],
    ),
    "score above 1": (
        _cell("predictions", 3, "score", "1.2"),
        [(P, 3, "score", r"score 1\.2 is outside 0\.\.1")],
    ),
    "score below 0": (_cell("predictions", 3, "score", "-1e-9"), [(P, 3, "score", "outside")]),
    "score NaN": (_cell("predictions", 3, "score", "NaN"), [(P, 3, "score", "score is NaN")]),
    "score infinite": (_cell("predictions", 3, "score", "inf"), [(P, 3, "score", "outside")]),
    "score a word": (_cell("predictions", 3, "score", "high"), [(P, 3, "score", "'high' is not a number")]),
    "score with a decimal comma": (
        _cell("predictions", 3, "score", "0,5"),
        [(P, 3, "score", "not a number")],
    ),
    "score missing": (_cell("predictions", 3, "score", ""), [(P, 3, "score", "the score is missing")]),
    "label 2": (_cell("predictions", 3, "label", "2"), [(P, 3, "label", "label 2 is neither")]),
    "label a half": (_cell("predictions", 3, "label", "0.5"), [(P, 3, "label", "neither")]),
    "label a word": (_cell("predictions", 3, "label", "yes"), [(P, 3, "label", "label yes is neither")]),
    "conflicting labels": (
        _cell("predictions", 5, "label", "0"),
        [(P, 2, "label", r"differ: 0 \(row 5\), 1 \(row 2\)"), (P, 5, "label", "differ")],
    ),
    "the same prediction twice": (
        _row("predictions", "b", "m1", "T", "0", "0.25"),
        [(P, 3, None, "'b', 'm1', 'T' is there 2 times: rows 3, 7"), (P, 7, None, "rows 3, 7")],
    ),
    "conflicting thresholds": (
        _column("predictions", "threshold", "0.5", "0.5", "0.25", "0.1", ""),
        [(P, 4, "threshold", r"0\.25 differs from 0\.5")],
    ),
    "thresholds without a majority": (
        _column("predictions", "threshold", "0.5", "0.25", "", "", ""),
        [(P, 2, "threshold", "differ"), (P, 3, "threshold", r"0\.25 \(row 3\), 0\.5 \(row 2\)")],
    ),
    "threshold NaN": (
        _column("predictions", "threshold", "nan", "", "", "", ""),
        [(P, 2, "threshold", "is nan")],
    ),
    "threshold infinite": (
        _column("predictions", "threshold", "-inf", "", "", "", ""),
        [(P, 2, "threshold", "is -inf")],
    ),
    "loss NaN": (_column("predictions", "loss", "0.1", "NaN", "NA", "", "2"), [(P, 3, "loss", "is NaN")]),
    "loss a word": (
        _column("predictions", "loss", "0.1", "low", "", "", "2"),
        [(P, 3, "loss", "not a number")],
    ),
    "two classes of a task": (
        _both(
            _column("predictions", "task", "kind", "kind", "kind", "kind", "kind"),
            _row("predictions", "a", "m1", "U", "1", "0.1", "kind"),
        ),
        [
            (P, 2, "label", "more than one class"),
            (P, 7, "label", r"T \(row 2\), U \(row 7\)"),
        ],
    ),
    "half of a model and target in a task": (
        _column("predictions", "task", "kind", "", "kind", "kind", "kind"),
        [(P, 3, "task", "the row has no task; other rows of its model and target have one")],
    ),
    "no column score": (
        lambda i: i.without("predictions", "score"),
        [(P, None, "score", "no column 'score'")],
    ),
    # embeddings
    "vector of an unknown sample": (_vector(sample_id="z"), [(E, 3, "sample_id", "no sample 'z'")]),
    "vector of no sample": (_vector(sample_id=None), [(E, 3, "sample_id", "missing")]),
    "vector of no encoder": (_vector(encoder=""), [(E, 3, "encoder", "missing")]),
    "vector of another length": (_vector(vector=[1.0, 2.0, 3.0]), [(E, 3, "vector", "has length 3.*have 2")]),
    "vector with NaN": (_vector(vector=[1.0, float("nan")]), [(E, 3, "vector", "NaN")]),
    "vector with a gap": (_vector(vector=[1.0, None]), [(E, 3, "vector", "NaN")]),
    "vector with infinity": (_vector(vector=[1.0, float("inf")]), [(E, 3, "vector", "infinite")]),
    "vector too large for float32": (_vector(vector=[1.0, 1e300]), [(E, 3, "vector", "infinite")]),
    "vector empty": (_vector(vector=[]), [(E, 3, "vector", "the vector is empty")]),
    "vector missing": (_vector(vector=None), [(E, 3, "vector", "the vector is missing")]),
    "the same vector twice": (
        lambda i: i.embeddings.append(dict(i.embeddings[1])),
        [(E, 3, None, "'b', 'clip' is there 2 times"), (E, 5, None, "rows 3, 5")],
    ),
    "built-in encoder": (_all_vectors(encoder="tfidf"), [(E, r, "encoder", "built in") for r in (2, 3, 4)]),
    "encoder with a bad name": (
        _all_vectors(encoder="../x"),
        [(E, r, "encoder", "letters") for r in (2, 3, 4)],
    ),
    "strange modality": (
        _all_vectors(modality="sound", encoder="other"),
        [(E, r, "modality", "neither image nor report") for r in (2, 3, 4)],
    ),
    "not a Parquet file": (
        _raw("embeddings", b"sample_id,encoder\n"),
        [(E, None, None, "not a Parquet file")],
    ),
    "cut Parquet file": (_raw("embeddings", b"PAR1" + bytes(50)), [(E, None, None, "not a whole Parquet")]),
    "vectors that are numbers": (
        lambda i: [row.update(vector=1.0) for row in i.embeddings],
        [(E, None, "vector", "list of numbers, not Float64")],
    ),
}


def _failed(store: TableStore, sources: Sources) -> tuple[Fault, ...]:
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, sources)
    return caught.value.faults


def _assert_faults(faults: tuple[Fault, ...], expected: Expected) -> None:
    assert [(f.file, f.row, f.column) for f in faults] == sorted(
        ((file, row, column) for file, row, column, _ in expected), key=lambda f: (f[1] or 0, f[2] or "")
    )
    for file, row, column, reason in expected:
        (fault,) = (f for f in faults if (f.file, f.row, f.column) == (file, row, column))
        assert re.search(reason, fault.reason), fault


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_and_makes_no_store(name: str, inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Each fault gives exactly its rows in the fault table; where there was no store, there is none after."""
    spoil, expected = CASES[name]
    spoil(inputs)
    sources = inputs.write()
    before = tree_hash(tmp_path)
    _assert_faults(_failed(store, sources), expected)
    assert tree_hash(tmp_path) == before


@pytest.mark.parametrize("name", CASES)
def test_a_fault_leaves_a_store_unchanged(name: str, inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """A store that is there stays as it was, byte for byte, whatever is wrong with further input."""
    spoil, expected = CASES[name]
    spoil(inputs)
    sources = inputs.write()
    before = tree_hash(tmp_path)
    _assert_faults(_failed(filled_store, sources), expected)
    assert tree_hash(tmp_path) == before


def test_all_faults_at_once(inputs: Inputs, store: TableStore) -> None:
    """Every fault of every file is told in one go, by file and row."""
    inputs.cell("metadata", 2, "image", "z.jpg")
    inputs.cell("metadata", 6, "sample_id", "")
    inputs.tables["reports"].append(["z", "Clear."])
    inputs.cell("predictions", 2, "score", "7")
    inputs.cell("predictions", 3, "label", "x")
    inputs.embeddings[0]["vector"] = [float("nan"), 0.0]
    told = [(f.file, f.row, f.column) for f in _failed(store, inputs.write())]
    # e has lost its row, so that its report has no sample
    assert told == [
        (M, 2, "image"),
        (M, 6, "sample_id"),
        (R, 3, "sample_id"),
        (R, 4, "sample_id"),
        (P, 2, "score"),
        (P, 3, "label"),
        (E, 2, "vector"),
    ]


def test_a_file_that_cannot_be_read_hides_no_other_fault(inputs: Inputs, store: TableStore) -> None:
    """Without readable metadata, the other files are still checked for what can be judged."""
    inputs.raw["metadata"] = b""
    inputs.cell("predictions", 2, "score", "7")
    assert [(f.file, f.row) for f in _failed(store, inputs.write())] == [(M, None), (P, 2)]


def test_a_symbolic_link_out_of_the_images_folder(inputs: Inputs, store: TableStore) -> None:
    """A picture that is a link to a file outside of the images folder is refused; one inside is taken."""
    sources = inputs.write()
    assert sources.images is not None
    outside = inputs.folder / "secret.jpg"
    outside.write_bytes(encoded("JPEG"))
    (sources.images / "a.jpg").unlink()
    (sources.images / "a.jpg").symlink_to(outside)
    (fault,) = _failed(store, sources)
    assert (fault.row, fault.column) == (2, "image")
    assert f"out of the images folder, by a link to {outside.parent} (" in fault.reason
    (sources.images / "a.jpg").unlink()
    (sources.images / "a.jpg").symlink_to(sources.images / "d.jpg")
    assert ingest(store, sources).tables["images"].added == 5


def test_a_file_that_does_not_exist(inputs: Inputs, store: TableStore) -> None:
    """A file name that leads nowhere is a fault with the nearest name that does."""
    inputs.write()
    (fault,) = _failed(store, Sources(metadata=inputs.folder / "metadat.csv"))
    assert fault.file == "metadat.csv"
    assert "did you mean 'metadata.csv'" in fault.reason
    (fault,) = _failed(store, Sources(metadata=inputs.folder))
    assert "a folder, not a file" in fault.reason


def test_an_images_folder_that_does_not_exist(inputs: Inputs, store: TableStore) -> None:
    """A missing folder of images is one fault, not one for each picture."""
    inputs.write()
    sources = Sources(metadata=inputs.folder / "metadata.csv", images=inputs.folder / "nowhere")
    (fault,) = _failed(store, sources)
    assert "no such folder" in fault.reason


def test_two_files_of_one_name_are_told_apart(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Faults name files of the same base name by their whole paths."""
    sources = inputs.write()
    other = tmp_path / "other" / "metadata.csv"
    other.parent.mkdir()
    other.write_bytes(b"sample_id,report\nz,x\n")
    (fault,) = _failed(store, Sources(sources.metadata, sources.images, reports=other))
    assert fault.file == str(other)


@pytest.mark.parametrize("given", [(), ("predictions",), ("images",)])
def test_a_store_needs_samples_first(given: tuple[str, ...], inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Nothing to ingest, or nothing to hang it on, is an error that makes no store."""
    sources = inputs.write()
    with pytest.raises(MisreadError):
        ingest(store, Sources(**{name: getattr(sources, name) for name in given}))
    assert not (tmp_path / "store").exists()


def test_labels_and_thresholds_are_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """New predictions may not contradict the label, threshold or class that stays in the store."""
    inputs.only = ("predictions",)
    inputs.tables["predictions"] = [
        ["sample_id", "model", "target", "label", "score", "threshold"],
        ["a", "m3", "T", "0", "0.5", "0.5"],
    ]
    (fault,) = _failed(filled_store, inputs.write())
    assert re.search(r"0 \(row 2\), 1 \(in the store\)", fault.reason)
    inputs.cell("predictions", 2, "label", "1")
    ingest(filled_store, inputs.write())
    rows = [["b", "m3", "T", "0", "0.5", "0.4"], ["007", "m3", "T", "0", "0.5", "0.4"]]
    inputs.tables["predictions"][1:] = rows
    faults = _failed(filled_store, inputs.write())
    assert [(f.row, f.column) for f in faults] == [(2, "threshold"), (3, "threshold")]
    # a file that replaces every row of the sample and target may correct the label
    inputs.tables["predictions"][1:] = [["a", model, "T", "0", "0.5", "0.4"] for model in ("m1", "m2", "m3")]
    assert ingest(filled_store, inputs.write()).tables["predictions"].changed == 3


def test_being_in_a_task_is_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """A later file may not put a part of a model and target into a task; one that brings all of its rows may."""
    inputs.only = ("predictions",)
    header = ["sample_id", "model", "target", "label", "score", "task"]
    a, b = (["a", "m4", "U", "0", "0.5"], ["b", "m4", "U", "0", "0.5"])
    inputs.tables["predictions"] = [header, [*a, ""]]
    ingest(filled_store, inputs.write())
    inputs.tables["predictions"] = [header, [*b, "kind"]]
    (fault,) = _failed(filled_store, inputs.write())
    assert (fault.row, fault.column) == (2, "task")
    assert "the row has the task kind; other rows of its model and target have none" in fault.reason
    inputs.tables["predictions"] = [header, [*a, "kind"], [*b, "kind"]]
    assert ingest(filled_store, inputs.write()).tables["predictions"].changed == 1


def test_vectors_are_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """Further vectors of an encoder have the length, modality and spelling of those in the store."""
    inputs.only = ("embeddings",)
    inputs.embeddings = [{"sample_id": "e", "encoder": "clip", "vector": [1.0, 2.0, 3.0], "modality": "report"}]
    faults = _failed(filled_store, inputs.write())
    assert [f.column for f in faults] == ["modality", "vector"]
    inputs.embeddings = [{"sample_id": "e", "encoder": "CLIP", "vector": [1.0, 2.0]}]
    (fault,) = _failed(filled_store, inputs.write())
    assert "differs from 'CLIP' in case alone" in fault.reason


def test_vectors_that_embed_made_are_told_from_those_of_built_in_encoders(
    inputs: Inputs, filled_store: TableStore
) -> None:
    """An encoder of the store that a pretrained model stands behind takes no vectors from elsewhere, and says why."""
    with filled_store.commit("embed") as commit:
        commit.set_encoder("rad-dino", EncoderEntry("image", 2, PRETRAINED, commit.next_state))
    inputs.only = ("embeddings",)
    inputs.embeddings = [{"sample_id": "e", "encoder": "rad-dino", "vector": [1.0, 2.0]}]
    (fault,) = _failed(filled_store, inputs.write())
    assert "'rad-dino' in the store are of embed" in fault.reason


def test_vectors_as_json_in_csv(inputs: Inputs, store: TableStore) -> None:
    """CSV may hold vectors as JSON lists; what is none is a fault of its row, and ids read as written."""
    path = inputs.folder / "vectors.csv"
    sources = inputs.write()
    path.write_text('sample_id,encoder,vector\na,x,"[1, 2.5]"\n007,x,oops\nb,x,"[1, ""2""]"\ne,x,\n331a,x,"[NaN, 1]"\n')
    faults = _failed(store, Sources(sources.metadata, sources.images, embeddings=path))
    assert [(f.row, f.column, f.reason) for f in faults] == [
        (3, "vector", "the vector is not a JSON list of numbers"),
        (4, "vector", "the vector is not a JSON list of numbers"),
        (5, "vector", "the vector is missing"),
        (6, "vector", "the vector holds NaN"),
    ]
    path.write_text('sample_id,encoder,vector\na,x,"[1, 2.5]"\n007,x,"[0, 1]"\n')
    ingest(store, Sources(sources.metadata, sources.images, embeddings=path))
    assert store.table("embeddings_x").read(["sample_id", "vector"]).to_pylist() == [
        {"sample_id": "a", "vector": [1.0, 2.5]},
        {"sample_id": "007", "vector": [0.0, 1.0]},
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pl.Series([1.5, 2.0]), "sample_id is to be text or whole numbers, not Float64"),
        (pl.Series([True, False]), "not Boolean"),
        (pl.Series([[1], [2]]), r"not List\(Int64\)"),
    ],
)
def test_ids_in_parquet_are_text_or_whole_numbers(
    values: pl.Series, reason: str, store: TableStore, tmp_path: Path
) -> None:
    """A Parquet id column of another type is one fault of the column."""
    pl.DataFrame({"sample_id": values, "age": [1, 2]}).write_parquet(tmp_path / "m.parquet")
    (fault,) = _failed(store, Sources(metadata=tmp_path / "m.parquet"))
    assert (fault.row, fault.column) == (None, "sample_id")
    assert re.search(reason, fault.reason)


def test_infinite_metadata_in_parquet(store: TableStore, tmp_path: Path) -> None:
    """An infinite number is a fault of its row; NaN is missing."""
    pl.DataFrame({"sample_id": ["a", "b"], "dose": [float("nan"), float("inf")]}).write_parquet(tmp_path / "m.parquet")
    (fault,) = _failed(store, Sources(metadata=tmp_path / "m.parquet"))
    assert (fault.row, fault.column, fault.reason) == (3, "dose", "dose is infinite")
