"""The benchmarks of questions: what is compared is the same, and what differs is seen."""

from pathlib import Path

from benchmarks.side_by_side import measured
from benchmarks.sql.__main__ import ALONE, compared, tables, write
from benchmarks.subgroups.__main__ import agreement
from misread.query import open_session
from misread.sql import Limits
from misread.store import TableStore


def test_every_way_to_ask_has_the_same_answer(tmp_path: Path) -> None:
    """On a small store, the store, Parquet by hand and Python functions give the same rows."""
    write(tmp_path, tables(4000))
    with open_session(TableStore.open(tmp_path / "store"), Limits(None, "1GB")) as session:
        parts = compared(tmp_path, session, 1)
        run = measured(lambda: session.query(ALONE).num_rows)
    assert [len(ways) for _, ways in parts] == [3, 3, 2]  # type: ignore[attr-defined]
    assert all(same and seconds > 0 for _, ways in parts for _, seconds, same in ways)  # type: ignore[attr-defined]
    assert run.answer == 300
    assert run.seconds > 0


def test_what_is_missed_is_told_from_what_is_wrong() -> None:
    """The same top ten; one that the other has missed; and one that scores less, which would be our mistake."""
    ours = [[30, 0.9], [20, 0.5], [10, 0.4]]
    assert agreement(ours, ours) == "the same"
    assert agreement(ours, [[30, 0.9], [10, 0.4], [5, 0.3]]) == "1 missed by sliceline"
    assert agreement([[30, 0.9], [10, 0.4]], [[30, 0.9], [20, 0.5]]) == "DIFFERENT"
