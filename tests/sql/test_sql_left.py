"""What DuckDB does not stop is left behind: neither the question nor the process waits for it."""

import _thread
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from misread.schemas.errors import QueryError
from misread.sql import Limits, Session, interrupts, left

SECONDS = 0.3
LONG = 20.0
"""What goes on by itself; whoever waits for it is late."""
ASKED = "SELECT nearest_phrase([1.0, 2.0]) AS phrase"


class Deaf:
    """A backed function that looks at no limit: it goes on until `release`, or LONG."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.released = threading.Event()
        self.over = threading.Event()

    def __call__(self, check: Callable[[], None], vectors: pa.Array) -> pa.Array:
        if self.began.is_set():
            return pa.array(["asked again"] * len(vectors))
        self.began.set()
        self.released.wait(LONG)
        self.over.set()
        return pa.array(["too late"] * len(vectors))


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deaf]:
    monkeypatch.setattr(interrupts, "PATIENCE_SECONDS", 0.5)
    one = Deaf()
    yield one
    one.released.set()
    assert _in_time(lambda: not left.is_left())


def _in_time(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + LONG
    while not holds() and time.monotonic() < until:
        time.sleep(0.02)
    return holds()


def test_what_is_not_stopped_ends_in_words(deaf: Deaf) -> None:
    """The question fails though its work goes on, the next is answered meanwhile, and nothing stays behind at last."""
    with Session({}, backed={"nearest_phrase": deaf}, limits=Limits(SECONDS)) as session:
        first, spilled = session.connection, Path(session._spill.path)
        with pytest.raises(QueryError, match=r"longer than 0\.3 s, and DuckDB had not stopped it") as refused:
            session.query(ASKED)
        assert not deaf.over.is_set(), "it was waited for"
        assert "until this process ends" in refused.value.hint
        assert "--time-limit" in refused.value.hint
        assert session.query(ASKED).to_pylist() == [{"phrase": "asked again"}]
        assert not deaf.over.is_set(), "the next question waited for it"
        assert left.is_left()
        deaf.released.set()
        assert _in_time(lambda: _closed(first) and not spilled.exists())
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    assert not Path(session._spill.path).exists()


def _closed(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        connection.execute("SELECT 1")
    except duckdb.Error as error:
        return "closed" in str(error)
    return False


@pytest.mark.slow
def test_looking_at_a_question_has_the_same_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB works out what is constant as it plans, and is not interrupted in it: so it is when a question is kept."""
    monkeypatch.setattr(interrupts, "PATIENCE_SECONDS", 0.5)
    constant = "jaro_winkler_similarity(repeat('x', 400000), repeat('y', 400000))"
    with Session({}, limits=Limits(SECONDS)) as session:
        with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
            session.prepare(f"SELECT {' + '.join([constant] * 4)}")
        session.prepare("SELECT 1 AS one")
        session.prepare("SHOW TABLES")
    assert _in_time(lambda: not left.is_left())


@pytest.mark.usefixtures("interruptions")
def test_an_interruption_that_stops_nothing_ends_the_question(deaf: Deaf) -> None:
    """So it is for Ctrl-C, without a limit, and for another while it is waited."""

    def interrupt() -> None:
        assert deaf.began.wait(LONG)
        for _ in range(2):
            _thread.interrupt_main()
            time.sleep(0.2)

    interrupter = threading.Thread(target=interrupt)
    with Session({}, backed={"nearest_phrase": deaf}, limits=Limits(None)) as session:
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            session.query(ASKED)
        interrupter.join()
        assert not deaf.over.is_set(), "it was waited for"
        assert session.query(ASKED).to_pylist() == [{"phrase": "asked again"}]


@pytest.mark.parametrize(
    "step", ["SELECT n + 1 FROM t", "SELECT n FROM t, range(2)"], ids=["of one row", "of ever more rows"]
)
def test_a_recursion_is_ended_by_duckdb_itself(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """An interruption may be lost between two of its steps; the time limit that DuckDB keeps is not, and needs none."""
    monkeypatch.setattr(interrupts, "_GRACE_SECONDS", LONG)
    with Session({}, limits=Limits(SECONDS, "2GB")) as session:
        began = time.monotonic()
        with pytest.raises(QueryError, match=r"longer than 0\.3 s$|longer than 0\.3 s\n"):
            session.query(f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL {step}) SELECT count(*) FROM t")
        assert time.monotonic() - began < LONG
        plain = session.connection
        assert plain.execute("SELECT current_setting('max_execution_time')").fetchone() == (0,)
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


ENDS = """
import atexit, sys, threading
from concurrent.futures import Future
atexit.register(threading.Event().wait, 60)
from misread.sql import left
left.PATIENCE_SECONDS = 0.5
work = Future()
left.leave(work)
{}
"""


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        ("", 1),
        ("from misread.cli import main; sys.argv = ['misread', '--version']; main.run()", 0),
        ("from misread.cli import main; main.app = lambda: sys.exit('a text'); main.run()", 1),
        ("from misread.cli import main; main.app = sys.exit; main.run()", 0),
        ("from misread.cli import main; main.app = lambda: sys.exit(2); main.run()", 2),
    ],
    ids=["Python", "the command line", "with a text", "without a status", "with a status"],
)
def test_the_process_does_not_wait_for_what_is_left(rest: str, status: int) -> None:
    """Not even where DuckDB, or another's end, waits for it as Python ends."""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", ENDS.format(rest)], capture_output=True, text=True, check=False, timeout=90
    )
    assert time.monotonic() - began < 50
    assert ended.returncode == status, ended.stderr
    assert "Timeout" not in ended.stderr
    assert bool(ended.stdout) == ("--version" in rest)
    assert ended.stderr == ("a text\n" if "a text" in rest else "")
