"""`misread sql`: results in every format, to standard output or a file."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from misread.cli.main import app
from misread.schemas.tables import IMAGES
from misread.store import TableStore
from stores import table

KINDS = """
    SELECT 'a "b", c' AS words, 0.1 + 0.2 AS real, 12345678901 AS whole, NULL AS nothing, '' AS empty,
           [1, NULL] AS list, {'x': ['y']} AS structure, MAP {'k': 1.5} AS lookup, true AS truth,
           TIMESTAMP '2026-01-02 03:04:05.678' AS moment, DATE '2026-01-02' AS day, 1.50::DECIMAL(5, 2) AS money,
           'ab'::BLOB AS bytes, 'nan'::DOUBLE AS nan, sum(2) AS total
"""


def ask(store: Path, question: str, *options: str) -> str:
    ended = CliRunner().invoke(app, ["sql", str(store), question, *options])
    assert ended.exit_code == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


def test_a_table_off_a_terminal_is_plain(store: Path) -> None:
    """The header is the first line; columns are aligned, nothing is drawn, coloured, wrapped or cut."""
    long = "x" * 500
    lines = ask(store, f"SELECT sample_id, age, '{long}' AS long FROM images LIMIT 2").splitlines()
    assert lines == [f"sample_id   age  {'long'}", f"s00        NULL  {long}", f"s01          41  {long}"]


def test_control_characters_and_markup_stay_text(store: Path) -> None:
    """Escape sequences and line breaks in data are written out, and rich's markup is left alone."""
    told = ask(store, "SELECT report FROM reports").splitlines()[1]
    assert told == 'A \\x1b[31mdrain\\x1b[0m [bold]lies[/bold]\\nin place, "left"'


def test_floats_are_compact_in_tables_and_exact_elsewhere(store: Path) -> None:
    """A table shows about four digits; CSV, JSON and Parquet hold every bit."""
    value = 0.1 + 0.2
    question = "SELECT 0.1::DOUBLE + 0.2::DOUBLE AS x, 1234567.5::DOUBLE AS y, 1e-9::DOUBLE AS z"
    assert ask(store, question).split() == ["x", "y", "z", "0.3", "1234567.5", "1e-09"]
    assert ask(store, question, "--format", "csv").splitlines()[1].startswith(f"{value!r},")
    assert json.loads(ask(store, question, "--format", "json"))[0]["x"] == value


def test_json_is_an_array_of_objects(store: Path) -> None:
    """Every kind of value has a place in JSON; NaN is null, and no rows are an empty array."""
    assert json.loads(ask(store, KINDS, "--format", "json")) == [
        {
            "words": 'a "b", c',
            "real": 0.3,
            "whole": 12345678901,
            "nothing": None,
            "empty": "",
            "list": [1, None],
            "structure": {"x": ["y"]},
            "lookup": {"k": 1.5},
            "truth": True,
            "moment": "2026-01-02T03:04:05.678000",
            "day": "2026-01-02",
            "money": 1.5,
            "bytes": "6162",
            "nan": None,
            "total": 2,
        }
    ]
    assert json.loads(ask(store, "SELECT * FROM images WHERE false", "--format", "json")) == []


def test_csv_can_be_read_back(store: Path) -> None:
    """CSV quotes what needs it, leaves NULL empty and writes lists and structures as JSON."""
    text = ask(store, KINDS, "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["words"] == 'a "b", c'
    assert json.loads(row["list"]) == [1, None]
    assert json.loads(row["structure"]) == {"x": ["y"]}
    assert row["nothing"] == ""
    assert ',,"",' in text
    assert Decimal(row["money"]) == Decimal("1.5")


@pytest.mark.parametrize(
    ("kind", "digits", "told"),
    [
        ("38,2", "12345678901234567890.12", "12345678901234567890.12"),
        ("38,2", "0.10", 0.1),
        ("38,0", str(10**37 + 1), 10**37 + 1),
    ],
)
def test_json_keeps_every_digit_of_a_decimal(store: Path, kind: str, digits: str, told: object) -> None:
    """A decimal is a number, but for one that no float holds: it is text, alone and in a list, in CSV too."""
    asked = f"SELECT '{digits}'::DECIMAL({kind}) AS x, [x] AS xs"
    assert json.loads(ask(store, asked, "--format", "json")) == [{"x": told, "xs": [told]}]
    (row,) = csv.DictReader(io.StringIO(ask(store, asked, "--format", "csv")))
    assert (row["x"], json.loads(row["xs"])) == (digits, [told])


def test_a_csv_column_alone_keeps_its_nulls(store: Path) -> None:
    """A row of a single NULL is a row in CSV, not an empty line."""
    assert ask(store, "SELECT NULL AS x UNION ALL SELECT NULL", "--format", "csv") == 'x\n""\n""\n'


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_every_kind_of_value_fits_every_format(store: Path, form: str) -> None:
    """Intervals, nanoseconds, infinite dates and empty results break no format."""
    odd = "SELECT INTERVAL 3 DAYS AS i, TIMESTAMP_NS '2026-01-01 00:00:00.123456789' AS n, 'infinity'::DATE AS d"
    assert ask(store, odd, "--format", form)
    assert ask(store, f"{odd} WHERE false", "--format", form)


def test_parquet_off_a_terminal_goes_to_standard_output(store: Path) -> None:
    """Piped on, Parquet is the bytes of the file and holds the types."""
    asked = ["sql", str(store), "SELECT sample_id, age, [1] AS l FROM images ORDER BY 1", "--format", "parquet"]
    ended = CliRunner().invoke(app, asked)
    assert ended.exit_code == 0
    read = pq.read_table(io.BytesIO(ended.stdout_bytes))
    assert read.schema.types == [pa.string(), pa.float64(), pa.list_(pa.int32())]
    assert read.num_rows == 12


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "txt"])
def test_a_file_is_written_for_its_owner_alone(store: Path, tmp_path: Path, ending: str) -> None:
    """--output takes the format from the name, writes nothing to standard output, and the mode is 0600."""
    file = tmp_path / f"answer.{ending}"
    file.write_text("older")
    file.chmod(0o644)
    assert ask(store, "SELECT sample_id FROM images", "--output", str(file)) == ""
    assert file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir()] == [file.name]
    start = {"csv": b"sample_id\ns00\n", "json": b'[\n {"sample_id"', "parquet": b"PAR1", "txt": b"sample_id\ns00\n"}
    assert file.read_bytes().startswith(start[ending])


@pytest.mark.parametrize("asked", [("sql", "SELECT 1"), ("verify",)])
@pytest.mark.parametrize("name", ["answer.xlsx", "answer.tsv", "answer.CSV2"])
def test_an_ending_that_says_another_format_is_refused(
    store: Path, tmp_path: Path, asked: tuple[str, ...], name: str
) -> None:
    """A drawn table in a file that says it is a spreadsheet opens nowhere; with --format any name will do."""
    verb, *rest = asked
    command = [verb, str(store), *rest, "--output", str(tmp_path / name)]
    refused = CliRunner().invoke(app, command)
    assert (refused.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert CliRunner().invoke(app, [*command, "--format", "csv"]).exit_code == 0


def test_a_question_that_fails_leaves_the_file_alone(store: Path, tmp_path: Path) -> None:
    """An output file is only replaced by a whole answer."""
    file = tmp_path / "answer.csv"
    file.write_text("older")
    ended = CliRunner().invoke(app, ["sql", str(store), "SELECT agee FROM images", "--output", str(file)])
    assert ended.exit_code == 1
    assert file.read_text() == "older"


def test_nothing_is_written_into_the_store(store: Path) -> None:
    """A file inside the store is refused."""
    inside = store / "images.lance" / "answer.csv"
    ended = CliRunner().invoke(app, ["sql", str(store), "SELECT 1", "--output", str(inside)])
    assert ended.exit_code == 1
    assert "lies in the store" in ended.stderr
    assert not inside.exists()


def test_a_place_that_cannot_be_written_is_told(store: Path, tmp_path: Path) -> None:
    """A missing folder is one sentence and exit status 1."""
    ended = CliRunner().invoke(app, ["sql", str(store), "SELECT 1", "--output", str(tmp_path / "no" / "x.csv")])
    assert ended.exit_code == 1
    assert "cannot be written" in ended.stderr


def test_an_older_state_can_be_asked(make_store: Callable[..., Path]) -> None:
    """--state asks the store as it was."""
    store = make_store(images=[{"sample_id": "a"}])
    with TableStore.open(store).commit("test") as commit:
        commit.append("images", table(IMAGES, [{"sample_id": "b"}]))
    count = "SELECT count(*) AS n FROM images"
    assert ask(store, count, "--format", "csv").split() == ["n", "2"]
    assert ask(store, count, "--format", "csv", "--state", "1").split() == ["n", "1"]
    assert CliRunner().invoke(app, ["sql", str(store), count, "--state", "9"]).exit_code == 1
