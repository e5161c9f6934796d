"""The scan statistic."""

import math

import numpy as np
import pytest
from discover.prefixes import best_prefix
from hypothesis import given
from hypothesis import strategies as st

from misread.discover.scan import scan_statistic


def by_hand(k: int, n: int, big_k: int, big_n: int) -> float:
    def term(a: int, b: int) -> float:
        return (a * math.log(a / b) if a else 0.0) + ((b - a) * math.log(1 - a / b) if b > a else 0.0)

    return term(k, n) + term(big_k - k, big_n - n) - term(big_k, big_n)


@given(st.data())
def test_statistic_is_the_log_likelihood_ratio(data: st.DataObject) -> None:
    """Where errors are more frequent inside it is the formula, elsewhere 0; never negative."""
    big_n = data.draw(st.integers(1, 400))
    n = data.draw(st.integers(0, big_n))
    k = data.draw(st.integers(0, n))
    outside = data.draw(st.integers(0, big_n - n))
    value = float(scan_statistic(k, n, k + outside, big_n))
    assert value >= 0
    if 0 < n < big_n and k * (big_n - n) > outside * n:
        assert value == pytest.approx(by_hand(k, n, k + outside, big_n), abs=1e-9)
    else:
        assert value == 0.0


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=60), st.integers(1, 10))
def test_best_prefix_is_the_best_of_all(rows: list[tuple[int, bool]], smallest: int) -> None:
    """No allowed prefix beats the one returned, and rows of equal score are never divided."""
    rows = sorted(rows, key=lambda r: -r[0])
    scores = np.array([score for score, _ in rows])
    errors = np.array([error for _, error in rows])
    starts = np.r_[True, scores[1:] != scores[:-1]]
    value, length = best_prefix(errors, starts, smallest, len(rows))
    allowed = [m for m in range(smallest, len(rows)) if starts[m]]
    best = max([float(scan_statistic(errors[:m].sum(), m, errors.sum(), len(rows))) for m in allowed], default=0.0)
    assert value == pytest.approx(best)
    assert length == 0 if value == 0 else (length in allowed and smallest <= length)


@pytest.mark.parametrize("errors", [[], [True], [False], [True] * 8, [False] * 8])
def test_degenerate_prefixes_are_none(errors: list[bool]) -> None:
    """Nothing stands out among no rows, one row, all errors or none."""
    starts = np.ones(len(errors), bool)
    assert best_prefix(np.array(errors, bool), starts, 1, len(errors)) == (0.0, 0)
