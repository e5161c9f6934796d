"""Rows of a plan that nobody asks an order of."""

from pathlib import Path

import polars as pl
import pyarrow as pa

import misread as mr
from misread.execute.work import Work
from stores import planted_store

SAMPLES = 9000
LABEL_BYTES = 2
"""A label and whether it is there: a byte and a bit."""


def test_parts_are_the_rows_of_the_plan_in_any_order(tmp_path: Path) -> None:
    """After a part without rows, whose columns are the plan's, come all of its rows."""
    store = planted_store(tmp_path / "store", samples=50, shuffle=1)
    node = mr.open(store.location).scan_table("images").filter("age > 40").plan
    first, *others = Work(store).parts(node)
    assert first.is_empty()
    assert first.columns == list(node.gives)
    found = pl.concat([first, *others])
    assert found.sort("sample_id").equals(Work(store).rows(node))
    assert found.height > 0


def test_a_column_is_kept_without_the_others(tmp_path: Path) -> None:
    """Of parts whose rows of text are long, the labels alone take what labels take."""
    store = planted_store(tmp_path / "store", samples=SAMPLES, targets=("a" * 200,), with_reports=False)
    before = pa.total_allocated_bytes()
    labels = [part["label"] for part in Work(store).parts(store.scan_table("predictions").plan)]
    assert sum(map(len, labels)) == SAMPLES
    assert pa.total_allocated_bytes() - before < LABEL_BYTES * SAMPLES
