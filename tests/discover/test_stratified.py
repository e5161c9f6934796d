"""Tests among patients of about as many rows."""

import numpy as np
import pytest
from scipy.stats import rankdata

from misread.discover import (
    common_z,
    counted,
    higher_p_value,
    more_often_by_rows,
    more_often_p_value,
    one_row_each,
    strata,
)

NOTHING = np.zeros(0, np.intp)


def test_strata_hold_patients_of_about_as_many_rows() -> None:
    """Few patients of a size are joined to the next smaller one, up to twice the smallest; a patient is in one."""
    sizes = np.r_[np.ones(6, int), np.full(5, 2), [3, 4, 5], [40]]
    patients = np.repeat(np.arange(len(sizes)), sizes)
    found = strata(patients)
    assert [set(found[patients == who].tolist()) for who in (0, 6, 11, 12, 13, 14)] == [{0}, {1}, {1}, {1}, {2}, {3}]


def test_any_row_of_a_side_may_be_drawn() -> None:
    """Rows at every place of a patient come up about as often, so that early films do not stand for all."""
    patients = np.repeat(np.arange(900), 3)
    inside = np.zeros(2700, bool)
    assert np.bincount(one_row_each(inside, patients) % 3).min() > 240
    inside[:1350:3] = inside[1:1350:3] = True
    drawn = np.bincount(one_row_each(inside, patients)[:450] % 3, minlength=3)
    assert drawn[2] == 0
    assert drawn[:2].min() > 190


def test_sides_are_even_where_they_can_be() -> None:
    """Patients with a row inside count there, up to half of those with as many rows: the others, with the fewest rows
    there, count outside. Whoever has rows on one side alone counts for that one."""
    held = {5: [0, 1, 2, 2, 4, 4, 5, 5], 3: [0, 0, 0, 1], 2: [2, 2, 2, 1], 7: [1], 8: [6]}
    counts_inside = {5: [0, 0, 0, 0, 1, 1, 1, 1], 3: [0, 0, 0, 1], 2: [1, 1, 1, 0], 7: [0], 8: [1]}
    rows = [(size, mine) for size, each in held.items() for mine in each]
    inside = np.concatenate([np.arange(size) < mine for size, mine in rows])
    one = one_row_each(inside, np.repeat(np.arange(len(rows)), [size for size, _ in rows]))
    assert inside[one].astype(int).tolist() == [side for each in counts_inside.values() for side in each]


def test_numbers_of_rows_are_joined_as_patients_are() -> None:
    """The p-value from counts by number of rows is that of the patients themselves."""
    rng = np.random.default_rng(1)
    sizes = np.sort(rng.geometric(0.3, 80))
    patients = np.repeat(np.arange(80), sizes)
    inside, has = rng.random(len(patients)) < 0.2, rng.random(len(patients)) < 0.4
    one = one_row_each(inside, patients)
    stratum = strata(patients)[one]
    sides = (has & inside, inside, has, np.ones(len(has), bool))
    rows, place = np.unique(sizes, return_inverse=True)
    assert len(rows) > stratum.max() + 1
    expected = more_often_p_value(*(counted(side[one], stratum) for side in sides))
    assert more_often_by_rows(rows, *(counted(side[one], place) for side in sides)) == pytest.approx(expected)


def test_ranks_are_compared_within_strata() -> None:
    """Against shuffles within strata of the same sum, with ties."""
    rng = np.random.default_rng(2)
    stratum = np.repeat([0, 1, 2], [40, 25, 12])
    inside = rng.random(77) < 0.4
    values = np.round(rng.normal(size=77) + 2 * stratum + 0.4 * inside, 1)
    scores = np.zeros(77)
    for each in range(3):
        here = stratum == each
        scores[here] = rankdata(values[here]) / (here.sum() + 1)
    shuffled = [scores[np.lexsort((rng.random(77), stratum))][inside].sum() for _ in range(20_000)]
    expected = np.mean(np.array(shuffled) >= scores[inside].sum() - 1e-9)
    assert higher_p_value(values, inside, stratum) == pytest.approx(expected, abs=0.01)


def test_where_there_is_nothing_to_compare() -> None:
    """No rows, one row, one side alone and equal values are answered, and never by a small p-value."""
    assert one_row_each(np.zeros(0, bool), NOTHING).tolist() == []
    assert strata(NOTHING).tolist() == []
    assert more_often_p_value(*[NOTHING] * 4) == more_often_by_rows(*[NOTHING] * 5) == 1.0
    assert common_z(*[NOTHING] * 4) == 0.0
    one = np.ones(1, np.intp)
    assert more_often_p_value(one, one, one, one) == 1.0
    assert common_z(one, one, one, one) == 0.0
    assert higher_p_value(np.zeros(0), np.zeros(0, bool), NOTHING) is None
    assert higher_p_value(np.arange(6.0), np.arange(6) < 3, np.arange(6) // 3) is None
    assert higher_p_value(np.ones(6), np.arange(6) < 3, np.zeros(6, int)) == 1.0
