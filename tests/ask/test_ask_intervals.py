"""Lists of counts to intervals: within memory and 64 bits, and nothing odd beside the answer."""

import re
import tracemalloc
import warnings

import numpy as np
import pyarrow as pa
import pytest

from misread.ask.intervals import MOST_ROWS, rate_interval
from misread.discover import counted_interval
from misread.schemas.errors import QueryError

COUNTS = pa.list_(pa.int64())


def ends(events: list[int | None] | None, rows: list[int | None] | None) -> dict[str, float] | None:
    lists = pa.array([events], COUNTS), pa.array([rows], COUNTS)
    (found,) = rate_interval(lambda: None, *lists, pa.array([0.95])).to_pylist()
    return found


def test_nulls_and_patients_without_rows_count_for_nothing() -> None:
    """Beside the pairs that count, any others change nothing; where none count there is no interval."""
    known = ends([1, 0, 2], [1, 2, 2])
    assert known is not None
    low, high = counted_interval(np.array([1.0, 0, 2]), np.array([1, 2, 2]))
    assert known == {"low": low, "high": high}
    assert ends([None, 1, 3, 0, 2, 7], [4, 1, None, 2, 2, 0]) == known
    for events, rows in ((None, None), ([], []), ([0], [0]), ([None], [3]), ([3], [None])):
        assert ends(events, rows) is None


@pytest.mark.parametrize("each", [MOST_ROWS // 2, MOST_ROWS, 2**62, 2**63 - 1])
def test_counts_that_no_integer_can_square_are_refused(each: int) -> None:
    """The widening sums squares of rows: beyond 64 bits it would be another number, with a warning of numpy's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(QueryError, match=re.escape(f"{MOST_ROWS:,} rows or more")):
            ends([each, 0], [each, each])
        assert ends([0, 5], [MOST_ROWS // 2 - 1] * 2) is not None


def test_a_long_list_takes_a_few_times_its_own_room() -> None:
    """Counts stay in arrays: as Python's numbers they would take ten times as much, and far longer than a limit."""
    rows = 300_000
    events = pa.array([np.arange(rows) % 2], COUNTS)
    tracemalloc.start()
    try:
        rate_interval(lambda: None, events, pa.array([np.full(rows, 2)], COUNTS), pa.array([0.95]))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 12 * 8 * rows
