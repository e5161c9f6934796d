"""How many shuffles it takes to say whether a candidate is offered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.discover.calibrate import decided, most_shuffles
from misread.schemas.values import SIGNIFICANCE


def offered(most: int, rate: float | None) -> tuple[float, float]:
    """How likely a statistic is offered, worked out shuffle by shuffle, and how many shuffles it takes on average.

    Each is reached with the probability `rate`; None: a chance finding, whose place among all shuffles is any with
    equal probability, so that with h hits in s shuffles the next is one with probability (h + 1) / (s + 2).
    """
    hits = np.arange(most + 1)
    undecided, kept, made = (hits == 0).astype(float), 0.0, 0.0
    for done in range(1, most + 1):
        made += undecided.sum()
        hit = (hits + 1) / (done + 1) if rate is None else rate
        after = undecided * (1 - hit)
        after[1:] += (undecided * hit)[:-1]
        ends = decided(hits, done, most)
        kept += after[ends & ((1 + hits) / (1 + done) <= SIGNIFICANCE + 1e-12)].sum()
        undecided = np.where(ends, 0.0, after)
    assert not undecided.any()
    return float(kept), float(made)


@pytest.mark.parametrize("most", [19, 99, 199, 399, 999])
def test_chance_is_offered_one_time_in_twenty(most: int) -> None:
    """Looking at shuffles while they are made does not raise how often chance alone is offered (by more than .0001)."""
    assert 0.0495 <= offered(most, None)[0] <= 0.0501


def test_more_shuffles_are_made_where_they_are_needed() -> None:
    """Of 399 shuffles clear cases take about 100 and 20; what is near the level is seldom lost to the draw."""
    beyond, common = offered(399, 0.0005), offered(399, 0.3)
    assert beyond[0] > 0.9999
    assert beyond[1] < 110
    assert common[0] < 1e-6
    assert common[1] < 20
    assert offered(99, 0.025)[0] < 0.9
    assert offered(399, 0.025)[0] > 0.99


@given(st.integers(0, 99), st.integers(1, 98))
def test_what_is_decided_stays_so(hits: int, further: int) -> None:
    """More hits decide no less that a statistic is not offered; after all shuffles every one is decided."""
    many = np.array([hits, min(hits + further, 99)])
    few, more = decided(many, 98, 399)
    assert more or not few
    assert decided(many, 399, 399).all()


def test_how_many_shuffles_there_are_at_most() -> None:
    """What is asked for, whatever the rows; else fewer where each takes long."""
    assert [most_shuffles(None, rows) for rows in (100, 50_000, 50_001)] == [399, 399, 99]
    assert [most_shuffles(asked, 10**7) for asked in (0, 1999)] == [0, 1999]
