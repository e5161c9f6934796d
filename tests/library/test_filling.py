"""What the library takes into a store is what the commands take."""

import contextlib
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image
from typer.testing import CliRunner

import misread as mr
from misread.cli.main import app
from misread.schemas.errors import InputFaultsError, StoreError

KINDS = ("metadata", "reports", "predictions", "embeddings")
ROWS = 12


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, pl.DataFrame]:
    """Films whose pictures lie in the folder `films`, with reports, predictions and vectors."""
    (tmp_path / "films").mkdir()
    rng = np.random.default_rng(0)
    ids = [f"s{number}" for number in range(ROWS)]
    for name in ids:
        Image.fromarray(rng.integers(0, 255, (32, 32)).astype(np.uint8)).save(tmp_path / "films" / f"{name}.png")
    predictions = {"label": [number % 2 for number in range(ROWS)], "score": rng.random(ROWS)}
    return {
        "metadata": pl.DataFrame(
            {"sample_id": ids, "age": range(30, 30 + ROWS), "image": [f"films/{n}.png" for n in ids]}
        ),
        "reports": pl.DataFrame({"sample_id": ids, "report": [f"Film {name}. No effusion." for name in ids]}),
        "predictions": pl.DataFrame({"sample_id": ids, "model": "m", "target": "t", **predictions}),
        "embeddings": pl.DataFrame({"sample_id": ids, "encoder": "e", "vector": rng.random((ROWS, 3))}),
    }


def content(location: Path) -> dict[str, str]:
    return {name: entry.fingerprint for name, entry in mr.open(location).manifest.tables.items()}


@pytest.fixture
def by_command(tables: dict[str, pl.DataFrame], tmp_path: Path) -> Path:
    """The store that `misread ingest` and `misread embed` make of files."""
    options = []
    for name, table in tables.items():
        table.write_parquet(tmp_path / f"{name}.parquet")
        options += [f"--{name}", str(tmp_path / f"{name}.parquet")]
    for command in (["ingest", *options], ["embed"]):
        CliRunner().invoke(app, [command[0], str(tmp_path / "by-command"), *command[1:]], catch_exceptions=False)
    return tmp_path / "by-command"


@pytest.mark.parametrize(
    "given",
    [
        lambda table, _: table,
        lambda table, _: table.to_arrow(),
        lambda table, _: table.with_columns(pl.col(pl.Array(pl.Float64, 3)).arr.to_list()).to_pandas(),
        lambda _, file: str(file),
        lambda _, file: file,
    ],
    ids=["polars", "arrow", "pandas", "text", "path"],
)
def test_frames_are_taken_as_files_are(
    given: Callable[..., object],
    tables: dict[str, pl.DataFrame],
    by_command: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever a table comes as, the store is the one that the commands make; no frame is left on disk."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with contextlib.chdir(tmp_path):  # where a frame's pictures are sought
        store = mr.open(tmp_path / "store", create=True)
        took = store.ingest(**{name: given(tables[name], tmp_path / f"{name}.parquet") for name in KINDS})
        done = store.embed()
    assert (took.tables["predictions"].added, done.encoders["hog"].encoded) == (ROWS, ROWS)
    assert store.state == 2
    assert content(tmp_path / "store") == content(by_command)
    assert not list((tmp_path / "temporary").iterdir())


def test_frames_have_their_own_folder_of_pictures(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """`images` is where the paths of a frame begin."""
    store = mr.open(tmp_path / "store", create=True)
    store.ingest(metadata=tables["metadata"], images=tmp_path)
    assert store.sql("SELECT count(*) FROM images").item() == ROWS


def test_faults_of_frames_are_told_at_once(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """As those of files, by frame, row and column; the store stays as it was, and the good rows come if they may."""
    store = mr.open(tmp_path / "store", create=True)
    first = store.ingest(metadata=tables["metadata"].drop("image"))
    assert not any("no images were read" in notice for notice in first.notices)  # nobody named a folder of images
    wrong = tables["predictions"].with_columns(score=pl.when(pl.col("sample_id") == "s3").then(7.0).otherwise("score"))
    with pytest.raises(InputFaultsError) as raised:
        store.ingest(predictions=wrong, reports=tables["reports"].rename({"report": "words"}))
    told = {(fault.file, fault.row, fault.column) for fault in raised.value.faults}
    named = {name: f"the frame given as {name}" for name in KINDS}
    assert told == {(named["predictions"], 5, "score"), (named["reports"], None, "report")}
    assert (store.state, mr.open(store.location).state) == (1, 1)
    kept = store.ingest(predictions=wrong, skip_faulty=True)
    assert (kept.tables["predictions"].added, len(kept.faults)) == (ROWS - 1, 1)
    tables["reports"].write_parquet(tmp_path / "metadata.parquet")
    without = tables["metadata"].drop("image")
    again = store.ingest(metadata=without, images=tmp_path, reports=tmp_path / "metadata.parquet")
    assert {notice.partition(": ")[0] for notice in again.notices} == {named["metadata"]}


@pytest.mark.parametrize(
    "given", [pl.LazyFrame({"sample_id": ["a"]}), 7, object(), pl.DataFrame({"a": [1]}).to_pandas().astype(complex)]
)
def test_what_is_no_table_is_told(given: object, tmp_path: Path) -> None:
    """Neither a file nor a frame, or a frame of what no file holds: which of the tables, and what may be given."""
    with pytest.raises(mr.MisreadError, match="reports is no table") as raised:
        mr.open(tmp_path / "store", create=True).ingest(reports=given)  # type: ignore[arg-type]
    assert "a polars, pandas or Arrow frame" in raised.value.hint


@pytest.mark.parametrize("named", [{"format": "imagefolder"}, {"root": "films"}])
def test_a_format_has_a_folder(named: dict[str, str], tmp_path: Path) -> None:
    """One without the other is told."""
    with pytest.raises(mr.MisreadError, match="a format and the folder"):
        mr.open(tmp_path / "store", create=True).ingest(**named)  # type: ignore[arg-type]


def test_a_data_set_is_read_as_it_lies(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """By the name of its format, with predictions beside it; ids as hashes under a key."""
    (tmp_path / "key").write_text("a secret of more than thirty-two letters")
    store = mr.open(tmp_path / "store", create=True)
    store.ingest(format="imagefolder", root=tmp_path, key=tmp_path / "key")
    assert store.sql("SELECT count(*) AS n, any_value(class_name) AS name FROM images").row(0) == (ROWS, "films")
    assert not set(store.sql("SELECT sample_id FROM images")["sample_id"]) & {f"films/s{n}" for n in range(ROWS)}


def test_a_new_store_is_made_by_what_comes_in(tables: dict[str, pl.DataFrame], tmp_path: Path) -> None:
    """Nothing is written before, a store that is there is opened as it is, and without `create` there has to be one."""
    place = tmp_path / "store"
    with pytest.raises(StoreError, match="there is no misread store"):
        mr.open(place)
    store = mr.open(place, create=True)
    assert not place.exists()
    assert store.sql("SELECT count(*) FROM images").item() == 0
    store.ingest(metadata=tables["metadata"].drop("image"))
    assert mr.open(place, create=True).state == store.state == 1


@pytest.mark.parametrize("kind", [pl.Float16, pl.Float32])
def test_short_numbers_are_those_that_a_csv_file_has(
    kind: type[pl.DataType], tables: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    """A score of 0.7 is 0.7, and reaches a threshold of 0.7, whatever the file; so are losses and metadata."""
    exact = pl.Series([0.7, 0.1, 0.3] * (ROWS // 3))
    short = exact.cast(kind)
    spacing = pl.Series([None, *exact[1:]])
    metadata = tables["metadata"].drop("image").with_columns(spacing=spacing.cast(kind))
    predictions = tables["predictions"].with_columns(score=short, loss=short, threshold=pl.lit(0.7, kind))
    metadata.with_columns(spacing=spacing).write_csv(tmp_path / "metadata.csv")
    as_written = predictions.with_columns(score=exact, loss=exact, threshold=0.7)
    as_written.write_csv(tmp_path / "predictions.csv")
    for name, given in {"frames": (metadata, predictions), "files": ("metadata.csv", "predictions.csv")}.items():
        own = [tmp_path / one if isinstance(one, str) else one for one in given]
        mr.open(tmp_path / name, create=True).ingest(metadata=own[0], predictions=own[1])
    assert content(tmp_path / "frames") == content(tmp_path / "files")
    told = mr.open(tmp_path / "frames").sql("SELECT score, loss, threshold FROM predictions WHERE sample_id = 's0'")
    assert told.row(0) == (0.7, 0.7, 0.7)


@pytest.mark.parametrize("kind", ["pandas", "date64"])
def test_dates_are_those_that_a_csv_file_has(kind: str, tmp_path: Path) -> None:
    """pandas and Arrow's date64 hold a date as its midnight; dates of patients stay outside, whatever they come as."""
    days = {"sample_id": ["a", "b"], "bought_on": [date(2020, 1, 1), None], "study_date": [date(2020, 1, 31)] * 2}
    frame = pl.DataFrame(days)
    frame.write_csv(tmp_path / "metadata.csv")
    date64 = pa.schema({"sample_id": pa.string(), "bought_on": pa.date64(), "study_date": pa.date64()})
    moments = frame.with_columns(pl.col(pl.Date).cast(pl.Datetime("ns")))
    given: dict[str, Any] = {"file": tmp_path / "metadata.csv", "frame": pa.table(days, date64)}
    if kind == "pandas":
        given["frame"] = moments.to_pandas()
    for name, table in given.items():
        store = mr.open(tmp_path / name, create=True)
        store.ingest(metadata=table)
        columns = store.sql("FROM images").schema
        assert (columns["bought_on"], "study_date" in columns) == (pl.Date(), False)
    assert content(tmp_path / "frame") == content(tmp_path / "file")
