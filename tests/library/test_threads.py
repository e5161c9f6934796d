"""Work beside each other whose results come in order, and codes that stand for names."""

import os
from collections.abc import Iterator
from threading import Lock, get_ident
from time import sleep

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.execute.judged_rows import codes
from misread.threads import ahead, cores, in_order


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


def test_items_taken_ahead_come_in_order_and_no_further_than_said() -> None:
    """By another thread, two more than are used; an error in its place; no more are taken once nobody asks."""
    taken: list[int] = []

    def items() -> Iterator[tuple[int, int]]:
        for item in range(10):
            taken.append(item)
            yield item, get_ident()
        raise ValueError("the last")

    used = []

    def use() -> None:
        for item, thread in ahead(items()):
            used.append(item)
            assert thread != get_ident()
            assert len(taken) <= len(used) + 2

    with pytest.raises(ValueError, match="the last"):
        use()
    assert used == list(range(10))
    taken.clear()
    stopped = ahead(items())
    assert next(stopped)[0] == 0
    stopped.close()
    assert len(taken) <= 3
    sleep(0.05)
    assert len(taken) <= 3


@pytest.mark.parametrize(("machine", "beside", "share"), [(16, None, 1), (16, 2, 8), (16, 5, 3), (2, 2, 1), (1, 2, 1)])
def test_work_within_work_shares_the_cores(
    monkeypatch: pytest.MonkeyPatch, machine: int, beside: int | None, share: int
) -> None:
    """Work that itself works in order has its share of the cores, and all together never more than there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(machine)), raising=False)
    lock, busy, most = Lock(), 0, 0

    def inner(item: int) -> int:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        sleep(0.001)
        with lock:
            busy -= 1
        return item

    def outer(item: int) -> tuple[int, list[int]]:
        return cores(), list(in_order(inner, range(item, item + 5)))

    found = list(in_order(outer, range(20), beside))
    assert found == [(share, list(range(item, item + 5))) for item in range(20)]
    assert most <= max(machine, beside or 1)
    assert cores() == machine


def test_one_core_begins_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0}, raising=False)
    assert set(in_order(lambda _: get_ident(), range(3))) == {get_ident()}


@given(st.lists(st.text(max_size=3), max_size=20))
def test_codes_of_codes_are_those_of_the_names(names: list[str]) -> None:
    """Whole numbers that stand for names in their order are coded as the names are, however many figures they have."""
    series = pl.Series(names, dtype=pl.String)
    expected = np.unique(np.array(names, object), return_inverse=True)[1] if names else np.empty(0)
    assert codes(series).tolist() == expected.tolist()
    assert codes(series.rank("dense") + 8).tolist() == expected.tolist()
