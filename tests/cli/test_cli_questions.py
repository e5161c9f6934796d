"""Questions kept by name, the list of functions, limits and the prompt of `misread sql`."""

import csv
import io
import os
import pty
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner, Result

from misread import queries
from misread.cli.main import app
from misread.cli.prompt import completer
from misread.library import Store
from misread.schemas.errors import MisreadError, QueryError, UnknownNameError
from misread.sql import functions
from misread.store import TableStore


def invoke(*arguments: object, piped: str = "") -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=piped)


@pytest.fixture
def own(make_store: Callable[..., Path]) -> Path:
    """A store that may be written to."""
    return make_store(images=[{"sample_id": "a", "view": "PA"}, {"sample_id": "b", "view": "AP"}])


def test_a_question_is_kept_and_asked_again(own: Path) -> None:
    """--save asks and keeps, --run asks again, with values; a question of the same name takes its place."""
    saved = invoke("sql", own, "SELECT count(*) AS n FROM images", "--save", "films")
    assert (saved.exit_code, saved.stdout.split()) == (0, ["n", "2"])
    assert invoke("sql", own, "--run", "films").stdout == saved.stdout
    assert invoke(
        "sql", own, "SELECT count(*) AS n FROM images WHERE view = $view", "--save", "films", "--set", "view=PA"
    )
    assert invoke("sql", own, "--run", "films", "--set", "view=AP").stdout.split() == ["n", "1"]
    told = invoke("sql", own, "SELECT $word AS word", "--save", "told", "--set", "word=two words").stderr
    again = shlex.split(told.partition("ask it again with: misread ")[2])
    assert invoke(*again).stdout.split() == ["word", "two", "words"]
    kept = invoke("sql", own, "SELECT name, question FROM queries", "--format", "csv").stdout
    assert len(list(csv.reader(io.StringIO(kept)))) == 3
    assert "films" in invoke("sql", own, "--questions").stdout


def test_what_cannot_be_kept_is_told_and_not_kept(own: Path) -> None:
    """Bad names, names of our own questions, and questions that may not be asked leave the store as it was."""
    state = TableStore.open(own).state
    for name, question in (
        ("two words", "SELECT 1"),
        ("audits_made", "SELECT 1"),
        ("x", "SELECT agee FROM images"),
        ("x", "DROP VIEW images"),
        ("x", "SELECT 1; SELECT 2"),
    ):
        ended = invoke("sql", own, question, "--save", name)
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert "Error:" in ended.stderr
        with pytest.raises(MisreadError):
            Store.open(own).keep_question(name, question)
    assert TableStore.open(own).state == state
    missing = invoke("sql", own, "--run", "audits_mad")
    assert "did you mean 'audits_made'?" in missing.stderr


def test_questions_of_a_library_user(own: Path) -> None:
    """The same in Python; every kind of question that may be asked may be kept."""
    store = Store.open(own)
    for name, question in (
        ("a", "DESCRIBE images"),
        ("b", "SHOW TABLES"),
        ("c", "EXPLAIN SELECT 1"),
        ("d", "SELECT 1;"),
    ):
        store.keep_question(name, question)
        assert store.question(name) == question
        assert store.sql(store.question(name)).height
    with pytest.raises(UnknownNameError):
        store.question("nope")
    assert store.question("audits_made")
    with pytest.raises(QueryError, match="longer than"):
        store.sql("SELECT count(*) FROM range(10000000000) a, range(10000000000) b", time_limit=0.2)
    with store.session() as session:
        assert session.connection.sql("SELECT count(*) FROM images").fetchall() == [(2,)]


def test_every_function_is_listed(own: Path) -> None:
    """One row a way to call it, from the files themselves, with units and source."""
    told = invoke("sql", own, "--functions", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(told)))
    assert {row["function"].partition("(")[0] for row in rows} == functions().keys()
    assert {"error_rate(slice_id)", "error_rate(label, predicted)"} <= {row["function"] for row in rows}
    assert all(row["units"] and row["source"] and row["output"] for row in rows)


def test_limits_of_the_command(own: Path) -> None:
    """Time and memory are limited as told; what is no limit, or no value, is refused."""
    long = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b"
    stopped = invoke("sql", own, long, "--time-limit", "0.3")
    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert "longer than 0.3 s" in stopped.stderr
    assert "--time-limit" in stopped.stderr
    full = invoke("sql", own, "SELECT list(range) FROM range(10000000000)", "--memory-limit", "100MB")
    assert "memory" in full.stderr
    assert invoke("sql", own, "SELECT 1", "--memory-limit", "lots").exit_code == 1
    assert "no question can be read in 1KB" in invoke("sql", own, "SELECT 1", "--memory-limit", "1KB").stderr
    assert invoke("sql", own, "SELECT 1 AS x", "--time-limit", "0").stdout.split() == ["x", "1"]
    assert invoke("sql", own, "SELECT $x AS x", "--set", "x").exit_code == 2
    assert "--set" in invoke("sql", own, "SELECT $x AS x").stderr


def test_wrong_usage_is_told(own: Path) -> None:
    """Two questions at once, nothing to save, an older state to save in: status 2."""
    for wrong in (["SELECT 1", "--run", "a"], ["--functions", "--questions"], ["--save", "x"], []):
        assert invoke("sql", own, *wrong).exit_code == 2, wrong
    assert invoke("sql", own, "SELECT 1", "--save", "x", "--state", "1").exit_code == 2


def test_a_question_can_be_piped_in(own: Path) -> None:
    """Without a question, what is piped in is asked."""
    assert invoke("sql", own, piped="SELECT 3 AS x;\n").stdout.split() == ["x", "3"]


def test_arrow_is_an_ipc_file(own: Path, tmp_path: Path) -> None:
    """--format arrow, or a name that ends so, is what Arrow reads back with its types."""
    file = tmp_path / "x.arrow"
    assert invoke("sql", own, "SELECT 1::TINYINT AS x, 'a' AS y", "--output", file).exit_code == 0
    read = pa.ipc.open_file(file).read_all()
    assert read.schema.types == [pa.int8(), pa.string()]
    assert (
        pa.ipc.open_file(
            invoke("sql", own, "SELECT 1::TINYINT AS x, 'a' AS y", "--format", "arrow").stdout_bytes
        ).read_all()
        == read
    )


class Terminal:
    """The prompt at a terminal of its own."""

    def __init__(self, store: Path, home: Path) -> None:
        self.leader, follower = pty.openpty()
        environment = {**os.environ, "XDG_STATE_HOME": str(home), "TERM": "dumb", "COLUMNS": "200"}
        command = [sys.executable, "-m", "misread.cli", "sql", str(store)]
        self.process = subprocess.Popen(
            command, stdin=follower, stdout=follower, stderr=follower, env=environment, start_new_session=True
        )
        os.close(follower)

    def until(self, text: str, seconds: float = 60) -> str:
        seen = b""
        end = time.monotonic() + seconds
        while text.encode() not in seen:
            assert time.monotonic() < end, seen.decode(errors="replace")
            try:
                seen += os.read(self.leader, 4096)
            except OSError:
                break
        return seen.decode(errors="replace")

    def type(self, text: str) -> None:
        os.write(self.leader, text.encode())


@pytest.fixture
def terminal(own: Path, tmp_path: Path) -> Iterator[Terminal]:
    one = Terminal(own, tmp_path / "state")
    yield one
    one.process.kill()
    one.process.wait()
    os.close(one.leader)


def test_a_conversation(terminal: Terminal, tmp_path: Path) -> None:
    """Questions over lines, errors that end nothing, names completed, and a history for the owner alone."""
    terminal.until("misread> ")
    terminal.type("SELECT count(*) AS films\nFROM images;\n")
    assert "films" in terminal.until("misread> ")
    terminal.type("SELECT agee FROM images;\n")
    assert "no column 'agee' in images" in terminal.until("misread> ").replace("\r\n", "\n")
    terminal.type("SELECT max(sample_i\t) AS last FROM images;\n")
    assert "b" in terminal.until("misread> ")
    terminal.type(".tables\n")
    assert "latest_audits" in terminal.until("misread> ")
    terminal.type(".run missing_metadata --set model=m target='T'\n")
    assert "no model 'm'" in terminal.until("misread> ")  # which is looked up once both values are there
    terminal.type(".run missing_metadata model\n")
    assert "write it as in .run NAME model" in terminal.until("misread> ")
    terminal.type(".run missing_metadata 'model\n")
    assert "quot" in terminal.until("misread> ")
    terminal.type(".nope\n")
    assert "there is no .nope" in terminal.until("misread> ")
    terminal.type("help\n")
    assert "leave (so does Ctrl-D)" in terminal.until("misread> ")
    terminal.type("exit\n")
    assert terminal.process.wait(30) == 0
    (history,) = (tmp_path / "state").rglob("sql_history")
    assert history.stat().st_mode & 0o777 == 0o600
    assert history.parent.stat().st_mode & 0o077 == 0
    assert "SELECT agee FROM images;" in history.read_text()


def test_an_interruption_ends_the_question_alone(terminal: Terminal) -> None:
    """Ctrl-C stops what runs; the prompt is there again and answers."""
    terminal.until("misread> ")
    terminal.type("SELECT count(*) FROM range(10000000000) a, range(10000000000) b;\n")
    time.sleep(1.5)
    terminal.process.send_signal(2)
    assert "Interrupted." in terminal.until("misread> ")
    terminal.type("SELECT 40 + 2 AS answer;\n")
    assert "42" in terminal.until("misread> ")
    terminal.type("\x04")
    assert terminal.process.wait(30) == 0


def test_words_are_completed_whatever_their_case() -> None:
    """The n-th word that begins as the text does; None after the last."""
    complete = completer(["SELECT", "slice_id", "slice_size"])
    assert [complete("SL", place) for place in range(3)] == ["slice_id", "slice_size", None]
    assert complete("sel", 0) == "SELECT"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("model=n", "target=t", "column_name=view"), "no model 'n'"),
        (("model=m", "target=u", "column_name=view"), "no target 'u' in the predictions of 'm'"),
        (("model=m", "target=t", "column_name=vieww"), "no metadata column 'vieww'"),
    ],
)
def test_a_name_that_the_store_does_not_have_is_told(
    make_store: Callable[..., Path], given: tuple[str, ...], told: str
) -> None:
    """Not answered by an empty table: by the nearest name that there is, from the command and from the prompt."""
    row = {"sample_id": "a", "model": "m", "target": "t", "label": 1, "score": 0.2, "threshold": 0.5}
    store = make_store(images=[{"sample_id": "a", "view": "PA"}], predictions=[row])
    ended = invoke("sql", store, "--run", "gap_between_subgroups", *(w for one in given for w in ("--set", one)))
    assert ended.exit_code == 1
    assert told in ended.stderr
    assert ended.stdout == ""
    opened = Store.open(store)
    with pytest.raises(UnknownNameError, match=told):
        opened.sql(opened.question("gap_between_subgroups"), dict(one.split("=") for one in given))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("sprin", "no audit 'sprin'"),
        ("[a1, sprin]", "no audit 'sprin'"),
        ("spring,", "no audit 'spring,'"),
        (" spring", "no audit ' spring'"),
        ("[[spring]]", "no audit '[spring]'"),
    ],
)
def test_an_audit_that_the_store_does_not_have_is_told(make_store: Callable[..., Path], given: str, told: str) -> None:
    """Its slices are not an empty table; nor are those of what SQL does not read as a list."""
    store = make_store(audits=[{"audit_id": "a1", "name": "spring"}])
    ended = invoke("sql", store, "--run", "slices_found", "--set", f"audit_ids={given}")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert told in ended.stderr
    assert "did you mean 'spring'?" in ended.stderr
    opened = Store.open(store)
    with pytest.raises(UnknownNameError, match="no audit 'sprin'"):
        opened.sql(opened.question("slices_found"), {"audit_ids": ["a1", "sprin"]})
    assert opened.sql(opened.question("slices_found"), {"audit_ids": ["a1", "spring"]}).is_empty()
    for known in ("spring", "[a1, spring]", " ['a1', \"spring\"] "):
        assert invoke("sql", store, "--run", "slices_found", "--set", f"audit_ids={known}").exit_code == 0
    assert "spring" in invoke("info", store).stdout


def test_no_model_is_known_where_nothing_was_predicted(make_store: Callable[..., Path]) -> None:
    """A store without predictions has no model to be asked about."""
    store = make_store(images=[{"sample_id": "a"}])
    ended = invoke("sql", store, "--run", "small_cells", "--set", "model=m", "--set", "target=t")
    assert ended.exit_code == 1
    assert "no model 'm'" in ended.stderr


@pytest.mark.parametrize(("labels", "told"), [((1, 1), "--threshold SCORE"), ((0, 1), "--target t\n")])
def test_what_finds_a_threshold_is_told(make_store: Callable[..., Path], labels: tuple[int, ...], told: str) -> None:
    """Labels that are all the same lead to none: it has to be given."""
    row = {"model": "m", "target": "t", "score": 0.2}
    rows = [row | {"sample_id": f"{place}", "label": label} for place, label in enumerate(labels)]
    store = make_store(images=[{"sample_id": one["sample_id"]} for one in rows], predictions=rows)
    ended = invoke("subgroups", store, "--model", "m", "--target", "t")
    assert "nothing says from which score on it is positive" in ended.stderr
    assert told in ended.stderr


def test_a_value_that_is_not_asked_for_is_told(make_store: Callable[..., Path]) -> None:
    """In the words of --set."""
    store = make_store(images=[{"sample_id": "a"}])
    ended = invoke("sql", store, "SELECT $x", "--set", "x=1", "--set", "y=2")
    assert ended.exit_code == 1
    assert "the question has no $y" in ended.stderr
    ended = invoke("sql", store, "SELECT 1", "--set", "x=1")
    assert ended.exit_code == 1
    assert ended.stderr == "Error: values asked for: 0, given: 1\ngive values to those alone that it asks for\n"


def test_names_that_the_store_has_are_asked_for(make_store: Callable[..., Path]) -> None:
    """The split is a column of every store."""
    row = {"sample_id": "a", "model": "m", "target": "t", "label": 1, "score": 0.2, "threshold": 0.5}
    store = make_store(images=[{"sample_id": "a", "view": "PA"}], predictions=[row])
    for column in ("view", "split"):
        given = ("--set", "model=m", "--set", "target=t", "--set", f"column_name={column}")
        assert invoke("sql", store, "--run", "gap_between_subgroups", *given).exit_code == 0


def test_every_value_that_names_a_column_is_looked_up() -> None:
    """Of misread's own questions, whatever they come to ask for."""
    asked = {name for text in queries.own_questions().values() for name in re.findall(r"\$(\w*column\w*)", text)}
    assert asked == queries._COLUMNS
