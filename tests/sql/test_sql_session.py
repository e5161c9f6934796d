"""What a session shows, and that it goes away tidily."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as pads
import pytest

from misread.schemas.errors import QueryError
from misread.schemas.tables import CONTRACTS
from misread.sql import Limits, Session

FURTHER = {
    "confident_errors": [
        *("audit_id", "model", "target", "true_class", "error_kind", "sample_id", "half"),
        *("score", "threshold", "confidence", "rank"),
    ],
    "model_differences": [
        *("audit_id", "slice_id", "target", "true_class", "error_kind", "found_for", "model", "rows", "errors"),
        *("patients", "error_rate", "error_rate_low", "error_rate_high", "baseline_rate", "lift", "p_value"),
        *("q_value", "misread", "misread_by"),
    ],
    "latest_audits": ["model", "target", "audit_id", "created_at"],
    "metadata": ["sample_id", "column_name", "value", "bin", "term"],
    "samples": [
        *("sample_id", "model", "task", "target", "label", "score", "threshold", "loss", "predicted", "error"),
        *("error_kind", "audit_id", "half", "slice_id", "slice_ids", "patient_id", "study_id", "split", "image"),
        *("width", "height", "media_type", "sha256"),
    ],
    "copies": ["file", "sample_id", "patient_id"],
    "left_out": ["audit_id", "model", "target", "reason", "rows"],
}
JUDGED = ["predicted", "error", "error_kind"]


def test_every_view_is_there_without_any_table() -> None:
    """A store without tables has every view, each empty, with the columns of its contract."""
    with Session({}) as session:
        shown = {
            name: [column for column in contract.names if column not in contract.hidden]
            for name, contract in CONTRACTS.items()
        }
        shown["predictions"] += JUDGED
        shown["verdicts"] += ["carried_from", "overlap"]
        shown["phrases"] += ["borne_out"]
        assert session.columns == shown | FURTHER
        for name in session.columns:
            assert session.query(f"SELECT * FROM {name}").num_rows == 0


def test_hidden_columns_never_show() -> None:
    """Checksums, pictures and directions stay hidden even if a dataset offers them."""
    for name, contract in CONTRACTS.items():
        rows = contract.schema.empty_table()
        with Session({name: pads.dataset(rows)}) as session:
            assert not set(session.columns[name]) & set(contract.hidden)


def test_metadata_columns_show() -> None:
    """Columns of images beyond the contract can be asked for."""
    rows = pa.table({"sample_id": ["a"], "Weird name": [1]})
    with Session({"images": pads.dataset(rows)}) as session:
        assert session.query('SELECT "Weird name" FROM images').to_pylist() == [{"Weird name": 1}]


def test_columns_of_one_name_are_told_apart(session: Session) -> None:
    """No two columns of an answer have the same name, and none takes the name of another."""
    names = session.query("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a").column_names
    assert names == ["a", "a_2", "a_1", "a_3"]


def test_parameters_are_values(session: Session) -> None:
    """A parameter is compared as a value, never read as SQL."""
    asked = "SELECT count(*) AS n FROM images WHERE sample_id = $id"
    assert session.query(asked, {"id": "a"})["n"][0].as_py() == 1
    assert session.query(asked, {"id": "a' OR 'a' = 'a"})["n"][0].as_py() == 0


def test_show_tables_shows_the_views_alone(session: Session) -> None:
    """SHOW TABLES names the views, and nothing that stands behind them."""
    assert session.query("SHOW TABLES")["name"].to_pylist() == sorted(session.columns)
    assert session.query("show all tables;")["name"].to_pylist() == sorted(session.columns)


def test_a_closed_session_says_so() -> None:
    """A question after closing is an error of ours; closing twice is harmless."""
    session = Session({})
    session.close()
    session.close()
    with pytest.raises(QueryError, match="closed"):
        session.query("SELECT 1")


def test_python_ends_quietly_with_a_session_left_open() -> None:
    """A session that nobody closed leaves no word on standard error when Python ends."""
    code = (
        "import pyarrow as pa, pyarrow.dataset as ds\n"
        "from misread.sql import Session\n"
        "s = Session({'images': ds.dataset(pa.table({'sample_id': ['a'], 'split': ['test']}))})\n"
        "r = s.query('SELECT * FROM images')\n"
    )
    ended = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=True)
    assert ended.stderr == ""


def test_what_does_not_fit_into_memory_spills_into_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question larger than memory is answered; nothing is left behind, and nothing is put elsewhere."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    here = set(Path.cwd().iterdir())
    with Session({}, limits=Limits(memory="100MB")) as session:
        (folder,) = tmp_path.iterdir()
        assert folder.stat().st_mode & 0o077 == 0
        asked = "SELECT count(*) AS n FROM (SELECT DISTINCT md5(range::VARCHAR) FROM range(3000000))"
        assert session.query(asked).to_pylist() == [{"n": 3_000_000}]
    assert not list(tmp_path.iterdir())
    assert set(Path.cwd().iterdir()) == here


def test_too_much_memory_is_refused_in_words() -> None:
    """A question that cannot be answered within the limit says so and leaves the session usable."""
    with Session({}, limits=Limits(memory="50MB")) as session:
        with pytest.raises(QueryError, match="memory"):
            session.query("SELECT list(md5(range::VARCHAR)) FROM range(30000000)")
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_moments_are_told_in_one_time_zone(session: Session) -> None:
    """The hour of a moment is that of UTC, whatever the machine's time zone."""
    asked = "SELECT hour(TIMESTAMPTZ '2026-01-01 12:00:00+02'), current_setting('TimeZone')"
    assert session.connection.execute(asked).fetchone() == (10, "UTC")


def test_spans_of_time_are_text(session: Session) -> None:
    """Neither polars nor Parquet can hold an interval; order, names and NULL are as they were."""
    asked = "SELECT n AS a, to_minutes(n * 90) AS a, NULL::INTERVAL AS gone FROM range(3) AS t(n) ORDER BY n DESC"
    answer = session.query(asked)
    assert answer.column_names == ["a", "a_1", "gone"]
    assert answer["a_1"].to_pylist() == ["03:00:00", "01:30:00", "00:00:00"]
    assert (answer["a"].to_pylist(), answer["gone"].to_pylist()) == ([2, 1, 0], [None] * 3)


@pytest.mark.parametrize(
    ("question", "made"),
    [
        ("SELECT count(*) FROM images", {"images"}),
        ('SELECT count(*) FROM main."IMAGES" AS samples', {"images"}),
        ("TABLE images", {"images"}),
        ("DESCRIBE images", {"images"}),
        ("SHOW images", {"images"}),
        ("EXPLAIN SELECT count(*) FROM images", {"images"}),
        ("WITH one AS (FROM images) SELECT (SELECT count(*) FROM one)", {"images"}),
        ("SELECT Slice_Size('x') FROM range(1)", {"slices"}),
        ("SELECT 'x'.slice_size()", {"slices"}),
        ("SHOW TABLES", set()),
        ("SELECT sensitivity(1, 1)", set()),
    ],
)
def test_a_question_makes_the_views_alone_that_it_names(question: str, made: set[str]) -> None:
    """A session defines no view that is not asked for: over thousands of columns each takes long."""
    asked = "SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary"
    with Session({}) as session:
        session.query(question)
        assert {name for (name,) in session._connection.execute(asked).fetchall()} == made
        assert {name for (name,) in session.connection.execute(asked).fetchall()} == set(session.columns)
