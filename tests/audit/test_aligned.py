"""Rows laid beside each other by whole numbers are those that a join by id would lay there."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from misread.audit.aligned import gathered, inverse, located

IDS = st.lists(st.text("ab\x1f", max_size=3), max_size=12, unique=True)


@given(IDS, IDS)
def test_rows_stand_where_a_join_puts_them(samples: list[str], others: list[str]) -> None:
    """Each sample has the row of its own id, nulls where there is none; ids of no sample take no part."""
    left = pl.DataFrame({"id": sorted(samples)}, {"id": pl.String})
    right = pl.DataFrame({"id": others, "row": range(len(others))}, {"id": pl.String, "row": pl.Int64})
    places = located(left["id"], right["id"])
    laid = left.hstack(gathered(right.select("row"), inverse(places, left.height)))
    assert laid.equals(left.join(right, on="id", how="left", maintain_order="left"))
    assert [place >= 0 for place in places] == [one in samples for one in others]


@given(st.lists(st.integers(-1, 5), max_size=12))
def test_of_several_at_one_place_the_last_counts(places: list[int]) -> None:
    """What stands at a place is the last of those that do; -1 stands nowhere."""
    found = inverse(np.array(places, np.intp), 6)
    last = {place: number for number, place in enumerate(places) if place >= 0}
    assert found.tolist() == [last.get(place, -1) for place in range(6)]
