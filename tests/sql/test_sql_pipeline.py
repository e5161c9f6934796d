"""Rows through DuckDB, a batch at a time."""

import resource
from collections.abc import Iterator

import pytest

from misread.schemas.errors import QueryError
from misread.sql import Limits, Session
from misread.sql.pipeline import LEAST_MEMORY, Pipeline

AT_ONCE = "SELECT list(range) AS rows FROM range(20000000)"
LATER = "SELECT CASE WHEN range > 50000 THEN repeat(range::VARCHAR, 20000000) END AS text FROM range(50010)"

SORTED = "SELECT random() AS r, range FROM range(10000000) ORDER BY r OFFSET 10"


@pytest.mark.parametrize("statement", [AT_ONCE, LATER])
def test_rows_that_need_more_memory_are_told(statement: str) -> None:
    """What cannot be spilled is an error that says what to do, whether it comes at once or with a later batch."""
    with Pipeline({}, LEAST_MEMORY) as pipeline, pytest.raises(QueryError, match="more memory than they may") as told:
        list(pipeline.batches(statement))
    assert "memory=" in str(told.value.hint)


@pytest.fixture
def little_room() -> Iterator[None]:
    """No file of this process may grow beyond 1 MB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("little_room")
def test_rows_that_find_no_room_on_disk_are_told() -> None:
    """More memory is not what is wanting where the folder that rows are put aside in is full."""
    with Pipeline({}, LEAST_MEMORY) as pipeline, pytest.raises(QueryError, match="more room on disk") as told:
        list(pipeline.batches(SORTED))
    assert "TMPDIR" in str(told.value.hint)
    limits = Limits(memory="60MB")
    with Session({}, limits=limits) as session, pytest.raises(QueryError, match="more room on disk") as told:
        session.query(f"SELECT count(*) FROM ({SORTED})")
    assert "TMPDIR" in str(told.value.hint)


def test_an_error_without_a_word_is_told_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Arrow raises need not say anything."""

    def silent(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("misread.sql.pipeline.interruptible", silent)
    with Pipeline({}, LEAST_MEMORY) as pipeline, pytest.raises(QueryError, match=r"worked out: BrokenPipeError$"):
        list(pipeline.batches("SELECT 1"))


def test_rows_that_cannot_be_worked_out_are_told() -> None:
    """An error of DuckDB's while rows are on their way is ours, in one line."""
    with Pipeline({}, LEAST_MEMORY) as pipeline, pytest.raises(QueryError, match="the rows cannot be worked out: "):
        list(pipeline.batches("SELECT CASE WHEN range < 99999 THEN 1 ELSE error('odd') END FROM range(100000)"))
