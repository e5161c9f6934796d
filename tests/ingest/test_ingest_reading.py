"""How files are read: text as written, types of Parquet, names of columns, what stays outside."""

import gzip
import io
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.ingest_inputs import PICTURES, Inputs, as_csv, fingerprints

from misread.ingest import Sources, ingest
from misread.ingest.columns import metadata_columns
from misread.ingest.faultbook import ROW
from misread.ingest.files import same_names
from misread.ingest.pictures import PictureError, check_picture, in_folder
from misread.ingest.text_files import UnreadableFileError, decoded, records_of
from misread.schemas.errors import InputFaultsError
from misread.store import TableStore

_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)


@given(st.lists(st.lists(_TEXT, min_size=3, max_size=3).filter(any), min_size=1, max_size=5))
def test_text_is_read_as_written(rows: list[list[str]]) -> None:
    """Every cell that a CSV writer wrote reads back the same, quotes, commas, blanks and line ends included."""
    records = records_of(decoded(as_csv([["a", "b", "c"], *rows])), ",")
    assert [list(row) for row in records.frame.drop(ROW).iter_rows()] == rows
    assert records.ragged == ()


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    """Blank rows and rows of empty cells are left out and counted; a cell of two lines is one row."""
    records = records_of('a,b\n1,"x\ny"\n\n,\n2,z\n3\n4,5,6\n', ",")
    assert records.frame[ROW].to_list() == [2, 5, 6, 7]
    assert [row for row, _ in records.ragged] == [6, 7]


def test_very_long_cells() -> None:
    """A cell may be longer than the csv module's limit of 131,072 characters."""
    assert records_of("a,b\n1," + "x" * 200_000, ",").frame["b"].str.len_chars().to_list() == [200_000]


@pytest.mark.parametrize(
    ("content", "line", "byte"),
    [(b"a,b\n1,\xff\n", 2, 3), (b"\xef\xbb\xbfa\xe9,b\n", 1, 2), (b"a\nx\n\xc3\xa9\xc3(\n", 3, 3)],
)
def test_where_the_encoding_is_wrong(content: bytes, line: int, byte: int) -> None:
    """A wrong encoding is told by the line and the byte in it (a byte order mark not counted)."""
    with pytest.raises(UnreadableFileError, match=rf"line {line}, byte {byte} "):
        decoded(content)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "tsv", "tsv.gz", "bom.csv", "parquet", "dictionaries.parquet"])
def test_forms_of_a_file(ending: str, inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """The same rows as CSV, TSV, either gzipped, with a byte order mark, or as Parquet, texts in dictionaries or not,
    make the same store."""
    sources = inputs.write()
    content = as_csv(inputs.tables["predictions"])
    if "tsv" in ending:
        content = content.replace(b",", b"\t")
    if "bom" in ending:
        content = b"\xef\xbb\xbf" + content
    if "gz" in ending:
        content = gzip.compress(content)
    if "parquet" in ending:
        buffer = io.BytesIO()
        types = {"sample_id": pl.String, "label": pl.Float32, "score": pl.Float64}
        encoded_types = dict.fromkeys(inputs.tables["predictions"][0], pl.Categorical)
        pl.read_csv(content, schema_overrides=types if ending == "parquet" else encoded_types).write_parquet(buffer)
        content = buffer.getvalue()
    path = inputs.folder / f"p.{ending}"
    path.write_bytes(content)
    store = TableStore.open_or_new(tmp_path / "other")
    ingest(store, Sources(sources.metadata, sources.images, sources.reports, path, sources.embeddings))
    assert fingerprints(store) == fingerprints(filled_store)


def _one_column(name: str, values: Any, store: TableStore, folder: Path) -> tuple[str, list[object]]:
    """The type and the values that a Parquet metadata column is stored with."""
    ids = [f"s{at}" for at in range(len(values))]
    pl.DataFrame({"sample_id": ids, name: values}, strict=False).write_parquet(folder / "m.parquet")
    ingest(store, Sources(metadata=folder / "m.parquet"))
    table = store.table("images")
    return str(table.schema.field(name).type), table.read([name])[name].to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "held"),
    [
        (pl.Series([1, None], dtype=pl.Int8), "int64", [1, None]),
        (pl.Series([2**64 - 1, 1], dtype=pl.UInt64), "string", ["18446744073709551615", "1"]),
        (pl.Series([1.5, float("nan")], dtype=pl.Float32), "double", [1.5, None]),
        (pl.Series(["1", " NA "]), "string", ["1", None]),
        (pl.Series(["x", "y"], dtype=pl.Categorical), "string", ["x", "y"]),
        (pl.Series([True, None]), "bool", [True, None]),
        (pl.Series([date(2024, 2, 29)]), "date32[day]", [date(2024, 2, 29)]),
        (pl.Series([datetime(2024, 2, 29, 1, 2)]), "string", ["2024-02-29 01:02:00.000000"]),
        (pl.Series([datetime(2024, 2, 29), None], dtype=pl.Datetime("ns")), "date32[day]", [date(2024, 2, 29), None]),
        (
            pl.Series([datetime(2024, 2, 29), datetime(1960, 1, 1, 1)]),
            "string",
            ["2024-02-29", "1960-01-01 01:00:00.000000"],
        ),
        (pl.Series(["1.50"]).cast(pl.Decimal(5, 2)), "double", [1.5]),
        (pl.Series([None, None]), "string", [None, None]),
    ],
)
def test_types_of_parquet(values: pl.Series, kind: str, held: list[object], store: TableStore, tmp_path: Path) -> None:
    """Parquet columns keep their meaning; text stays text even if it looks like numbers."""
    assert _one_column("c", values, store, tmp_path) == (kind, held)


def test_ids_of_parquet(store: TableStore, tmp_path: Path) -> None:
    """Whole numbers become their decimal text, also where gaps have made them floats."""
    frame = pl.DataFrame({"sample_id": [7, 12345678901], "patient_id": [3.0, None], "study_id": ["007", ""]})
    frame.write_parquet(tmp_path / "m.parquet")
    ingest(store, Sources(metadata=tmp_path / "m.parquet"))
    rows = store.table("images").read(["sample_id", "patient_id", "study_id"]).to_pylist()
    assert rows == [
        {"sample_id": "7", "patient_id": "3", "study_id": "007"},
        {"sample_id": "12345678901", "patient_id": None, "study_id": None},
    ]


def test_what_is_missing(store: TableStore, tmp_path: Path) -> None:
    """Empty and blank cells and NA, N/A, n/a, NaN, nan, null, NULL are missing in metadata and patients; the
    spelling None is a word, and a sample may be called NA."""
    cells = ["", " ", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None"]
    rows = [["NA" if at == 2 else f"s{at}", cell, cell] for at, cell in enumerate(cells)]
    (tmp_path / "m.csv").write_bytes(as_csv([["sample_id", "patient_id", "finding"], *rows]))
    ingest(store, Sources(metadata=tmp_path / "m.csv"))
    held = store.table("images").read(["sample_id", "patient_id", "finding"]).to_pylist()
    assert [(r["patient_id"], r["finding"]) for r in held] == [(None, None)] * 9 + [("None", "None")]
    assert held[2]["sample_id"] == "NA"


def test_names_of_columns(store: TableStore, tmp_path: Path) -> None:
    """Columns that clash with ours, or that Lance or SQL cannot hold, are renamed with a notice; those without a
    name, and lists, are left out with one."""
    header = ["sample_id", "Width", "sha256", "a.b", "x`y", "_rowid", "", "say \"hi\", 'you'", "Vector"]
    (tmp_path / "m.csv").write_bytes(as_csv([header, ["s", "1", "2", "3", "4", "5", "6", "7", "8"]]))
    result = ingest(store, Sources(metadata=tmp_path / "m.csv"))
    names = ["metadata_Width", "metadata_sha256", "a_b", "x_y", "metadata__rowid", "say \"hi\", 'you'"]
    names += ["metadata_Vector"]
    assert store.table("images").read(names).to_pylist() == [dict(zip(names, [1, 2, 3, 4, 5, 7, 8], strict=True))]
    assert len([n for n in result.notices if "is stored as" in n]) == 6
    assert any("column 7 has no name" in n for n in result.notices)
    pl.DataFrame({"sample_id": ["s"], "boxes": [[1, 2]]}).write_parquet(tmp_path / "m.parquet")
    result = ingest(store, Sources(metadata=tmp_path / "m.parquet"))
    assert any("'boxes' holds List(Int64) and was left out" in n for n in result.notices)


def test_samples_without_patient_or_picture_are_told(inputs: Inputs, store: TableStore) -> None:
    """Missing patients and pictures are stored as missing, with a notice that counts them."""
    inputs.cell("metadata", 2, "patient_id", "")
    notices = ingest(store, inputs.write()).notices
    assert "metadata.csv: 1 of 5 samples have no patient_id: each stands alone" in notices
    assert "metadata.csv: 1 of 5 samples have no image" in notices
    assert store.table("images").count("patient_id IS NULL") == 1


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_no_cut_picture_gets_through(name: str, tmp_path: Path) -> None:
    """A picture cut anywhere, by as little as its last byte, is unreadable."""
    whole = PICTURES[name]
    (tmp_path / name).write_bytes(whole)
    assert check_picture(in_folder(tmp_path), name, {}).width == 20
    for length in [*range(0, len(whole) - 40, 37), *range(len(whole) - 40, len(whole))]:
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(PictureError):
            check_picture(in_folder(tmp_path), name, {})


def test_pictures_too_large(monkeypatch: pytest.MonkeyPatch, inputs: Inputs, store: TableStore) -> None:
    """A large picture is taken without a warning; one beyond twice Pillow's limit is a fault."""
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 300)
    assert ingest(store, inputs.write()).tables["images"].added == 5
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 100)
    inputs.pictures["b.png"] = PICTURES["c.png"] + b" "
    with pytest.raises(InputFaultsError, match=r"the image is too large: 'b\.png'"):
        ingest(store, inputs.write())


def test_names_that_look_like_ours_inside(store: TableStore, tmp_path: Path) -> None:
    """No column of a file is taken for one of the working columns of the ingest."""
    header = ["sample_id", "row", "x", "x row", "reason", "new"]
    (tmp_path / "m.csv").write_bytes(as_csv([header, ["s", "1", "2", "3", "4", "5"]]))
    for _ in range(2):
        ingest(store, Sources(metadata=tmp_path / "m.csv"))
    assert store.table("images").read(header[1:]).to_pylist() == [{"row": 1, "x": 2, "x row": 3, "reason": 4, "new": 5}]
    assert store.state == 1


def test_splits_lose_blanks(store: TableStore, tmp_path: Path) -> None:
    """` train` is `train`: a blank must not bring training rows into an audit."""
    (tmp_path / "m.csv").write_text("sample_id,split\na, train\nb,NA\n")
    ingest(store, Sources(metadata=tmp_path / "m.csv"))
    assert store.table("images").read(["split"])["split"].to_pylist() == ["train", None]


@pytest.mark.parametrize("name", ["b.png", "c.png"])
def test_no_damaged_png_gets_through(name: str, tmp_path: Path) -> None:
    """A PNG with one bit turned is unreadable, wherever it is (but in the length of its empty last chunk)."""
    whole = PICTURES[name]
    for place in {*range(len(whole))} - {*range(len(whole) - 12, len(whole) - 8)}:
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(PictureError):
            check_picture(in_folder(tmp_path), name, {})


def test_wide_tables_take_time_by_their_width() -> None:
    """Names of columns are compared with all others at once: pair by pair, these took a minute."""
    names = [f"feature {at}" for at in range(40_000)]
    started = perf_counter()
    assert not metadata_columns(["sample_id", *names], []).clashes
    source = records_of("".join((",".join(["sample_id", *names]), "\n", "," * 40_000, "x\n")), ",")
    assert not same_names(source.header)
    assert perf_counter() - started < 20


@pytest.mark.parametrize("is_asked", [False, True])
def test_pictures_under_another_name_are_told(is_asked: bool, inputs: Inputs, store: TableStore) -> None:
    """A column whose cells name pictures is named, whether a folder of pictures was given or not."""
    inputs.tables["metadata"][0][3] = "File Path"
    sources = inputs.write()
    notices = ingest(store, sources if is_asked else replace(sources, images=None)).notices
    assert [notice for notice in notices if "rename 'File Path'" in notice]


def test_no_folder_and_no_pictures_need_no_word(store: TableStore, tmp_path: Path) -> None:
    """Metadata alone is an input as good as any."""
    (tmp_path / "m.csv").write_text("sample_id,patient_id,note\na,1,x\n")
    assert not [notice for notice in ingest(store, Sources(tmp_path / "m.csv")).notices if "no column" in notice]


def test_ids_that_differ_in_blanks_alone_are_told(store: TableStore, tmp_path: Path) -> None:
    """They stay two patients, as they are written, and that does not pass in silence."""
    (tmp_path / "m.csv").write_text("sample_id,patient_id,study_id\na,1,s \nb,1 ,s2\nc, 2,s3\n")
    notices = ingest(store, Sources(tmp_path / "m.csv")).notices
    assert [notice for notice in notices if "blanks" in notice] == [
        "m.csv: 1 of 3 patient_ids differ from another in blanks around it alone"
    ]


def test_targets_that_differ_in_blanks_alone_are_told(inputs: Inputs, store: TableStore) -> None:
    """They stay two targets, as they are written; so it is for models."""
    inputs.tables["predictions"][1][2] = "T "
    notices = ingest(store, inputs.write()).notices
    assert [notice for notice in notices if "blanks" in notice] == [
        "predictions.csv: 1 of 2 targets differ from another in blanks around it alone"
    ]
    assert set(store.table("predictions").read(["target"])["target"].to_pylist()) == {"T", "T "}


def test_a_folder_in_place_of_a_file_has_a_name(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """The working folder, which has none, is told as it was given."""
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, replace(inputs.write(), metadata=Path()))
    assert [fault.file for fault in caught.value.faults if "folder" in fault.reason] == ["."]


@pytest.mark.parametrize(
    ("samples", "change", "is_told"),
    [
        (10, [], True),
        (9, [], False),
        (10, [pl.lit("grade").alias("task")], False),
        (10, [pl.lit(0.5).alias("threshold")], False),
        (10, [pl.lit(1).alias("label")], False),
        (10, [pl.when(pl.col("sample_id") == "s03").then(0.5).otherwise("score").alias("score")], False),
    ],
)
def test_classes_of_one_question_without_a_task_are_told(
    samples: int, change: list[pl.Expr], is_told: bool, store: TableStore, tmp_path: Path
) -> None:
    """Scores that sum to 1 in every sample, as a softmax gives them, would each be judged at a threshold of its own;
    not where that is what was asked for, nor where a score or label says that they are questions apart."""
    names = [f"s{i:02d}" for i in range(samples)]
    shares = np.random.default_rng(0).dirichlet((1, 1, 1), samples).round(3)
    rows = [
        {"sample_id": name, "model": "net", "target": f"class {k}", "label": int(k == i % 3), "score": shares[i, k]}
        for i, name in enumerate(names)
        for k in range(3)
    ]
    pl.DataFrame({"sample_id": names}).write_csv(tmp_path / "m.csv")
    pl.DataFrame(rows).with_columns(change).write_csv(tmp_path / "p.csv")
    notices = ingest(store, Sources(tmp_path / "m.csv", predictions=tmp_path / "p.csv")).notices
    assert any("the scores of 'net' sum to 1" in notice for notice in notices) is is_told


@pytest.mark.parametrize("said", [pl.lit("grade").alias("task"), pl.lit(0.5).alias("threshold")])
def test_classes_that_the_store_knows_how_to_read_are_not_told(
    said: pl.Expr, store: TableStore, tmp_path: Path
) -> None:
    """A file of new scores without the column keeps what the store has, and a threshold holds for later samples."""
    rows = pl.DataFrame(
        [
            {"sample_id": f"s{i:02d}", "model": "net", "target": f"class {k}", "label": int(k == i % 2), "score": 0.5}
            for i in range(20)
            for k in range(2)
        ]
    )
    first, later = rows.head(20), rows if said.meta.output_name() == "threshold" else rows.head(20)
    rows.select("sample_id").unique().write_csv(tmp_path / "m.csv")
    first.with_columns(said).write_csv(tmp_path / "p.csv")
    ingest(store, Sources(tmp_path / "m.csv", predictions=tmp_path / "p.csv"))
    later.write_csv(tmp_path / "p.csv")
    assert ingest(store, Sources(predictions=tmp_path / "p.csv")).notices == ()
