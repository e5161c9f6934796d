"""Rows through DuckDB, a batch at a time."""

import pytest

from misread.schemas.errors import QueryError
from misread.sql.pipeline import LEAST_MEMORY, Pipeline

AT_ONCE = "SELECT list(range) AS rows FROM range(20000000)"
LATER = "SELECT CASE WHEN range > 50000 THEN repeat(range::VARCHAR, 20000000) END AS text FROM range(50010)"


@pytest.mark.parametrize("statement", [AT_ONCE, LATER])
def test_rows_that_need_more_memory_are_told(statement: str) -> None:
    """What cannot be spilled is an error that says what to do, whether it comes at once or with a later batch."""
    with Pipeline({}, LEAST_MEMORY) as pipeline, pytest.raises(QueryError, match="more memory than they may") as told:
        list(pipeline.batches(statement))
    assert "memory=" in str(told.value.hint)


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
