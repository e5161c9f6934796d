"""Frames as others know them: a polars LazyFrame, and a notebook's page."""

import html
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from .memory import LARGE, give_back
from .plan import Assign, Describe, Discover, Fuse, Score

if TYPE_CHECKING:
    from .frame import LazyFrame

PREVIEW_ROWS = 5


def as_frame(table: pa.Table) -> pl.DataFrame:
    """The rows as polars has them. Where they are many, what their making held is given back first, and no column is
    copied into one piece."""
    large = table.nbytes > LARGE
    if large:
        give_back()
    frame = pl.from_arrow(table, rechunk=not large)
    assert isinstance(frame, pl.DataFrame)
    return frame


def polars_scan(frame: "LazyFrame") -> pl.LazyFrame:
    """A polars LazyFrame over a frame. Columns and a number of rows that polars asks for are asked of the plan.

    polars works out its own predicates itself. A fused frame is collected first: its vectors' length is not known
    before.
    """
    if isinstance(frame.plan, Fuse):
        return frame.collect().lazy()

    def batches(
        columns: list[str] | None, predicate: pl.Expr | None, rows: int | None, batch_rows: int | None
    ) -> Iterator[pl.DataFrame]:
        asked = frame if columns is None else frame.select(*(columns or frame.columns[:1]))
        asked = asked if rows is None else asked.head(rows)  # polars: the first rows, of which some are filtered
        for batch in asked.stream(batch_rows) if batch_rows else asked.stream():
            found = pl.DataFrame(batch)
            kept = found if predicate is None else found.filter(predicate)
            yield kept.drop(kept.columns) if columns == [] else kept  # of no column polars counts the rows

    return register_io_source(batches, schema=pl.DataFrame(frame.schema.empty_table()).schema)


def html_of(frame: "LazyFrame") -> str:
    """An audit that the store holds: its cards. Else the plan as a tree, and its first rows where that costs little."""
    if isinstance(frame.plan, Describe) and (cards := _cards_of(frame)):
        return cards
    shown = f"<pre>{html.escape(frame.explain())}</pre>"
    if any(isinstance(step, Fuse | Assign | Score) for step in frame.plan.walk()):  # they read every vector
        return shown
    return shown + frame.head(PREVIEW_ROWS).collect(cache=False)._repr_html_()


def _cards_of(frame: "LazyFrame") -> str | None:
    """The report of a described audit, if it was kept in the store and reports can be made here."""
    from misread.schemas.errors import MisreadError

    from .library import open as open_store

    audit = frame.plan.first(Discover).named
    try:
        return open_store(frame.store.location).report(audit)._repr_html_()
    except MisreadError:
        return None
