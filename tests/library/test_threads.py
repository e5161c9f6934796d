"""Work beside each other whose results come in order, and codes that stand for names."""

from threading import Lock

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.execute.inputs import codes
from misread.threads import in_order


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("waiting", [0, 2])
def test_no_more_items_are_begun_than_may_wait(workers: int, waiting: int) -> None:
    """Results come in the order of their items; those begun and not yet used are never more than was said."""
    lock, begun, used = Lock(), 0, 0
    most = 0

    def work(item: int) -> int:
        nonlocal begun, most
        with lock:
            begun += 1
            most = max(most, begun - used)
        return item * item

    for expected, result in enumerate(in_order(work, range(20), workers, waiting=waiting)):
        assert result == expected**2
        with lock:
            used += 1
    assert used == begun == 20
    assert most <= workers + waiting


@given(st.lists(st.text(max_size=3), max_size=20))
def test_codes_of_codes_are_those_of_the_names(names: list[str]) -> None:
    """Whole numbers that stand for names in their order are coded as the names are, however many figures they have."""
    series = pl.Series(names, dtype=pl.String)
    expected = np.unique(np.array(names, object), return_inverse=True)[1] if names else np.empty(0)
    assert codes(series).tolist() == expected.tolist()
    assert codes(series.rank("dense") + 8).tolist() == expected.tolist()
