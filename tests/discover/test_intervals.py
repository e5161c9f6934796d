"""Intervals of rates and means where patients have several rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from misread.discover.intervals import (
    _seen,
    counted_interval,
    degrees_of_freedom,
    design_effect,
    difference,
    mean_interval,
    rate_interval,
    wilson_interval,
)
from stores import clustered_wilson

PATIENTS = st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), min_size=1, max_size=40)


def rows_of(patients: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Every patient's rows, a share of them with an event, and whose they are."""
    sizes = [size for size, _ in patients]
    events = [place < round(share * size) for size, share in patients for place in range(size)]
    return np.array(events), np.repeat(np.arange(len(sizes)), sizes)


@given(st.integers(1, 300), st.data())
def test_wilson_interval_holds_the_rate_and_is_scipys(rows: int, data: st.DataObject) -> None:
    """The interval is scipy's Wilson interval and contains the rate."""
    events = data.draw(st.integers(0, rows))
    expected = binomtest(events, rows).proportion_ci(method="wilson")
    assert wilson_interval(events, rows) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert wilson_interval(0, rows)[0] == 0
    assert wilson_interval(rows, rows)[1] == 1


@given(PATIENTS)
def test_an_interval_counts_rows_for_what_they_are_worth(patients: list[tuple[int, float]]) -> None:
    """It is the one written down patient by patient, and lies between Wilson's of the rows and of rows all alike."""
    events, who = rows_of(patients)
    low, high = rate_interval(events, who)
    assert (low, high) == pytest.approx(clustered_wilson(events.tolist(), who.tolist()), abs=1e-9)
    assert 0 <= low <= events.mean() + 1e-12 <= high + 2e-12 <= 1 + 3e-12
    k, n, alike = events.sum(), len(events), len(events) / (np.bincount(who) ** 2).sum()
    narrowest, widest = wilson_interval(k, n), wilson_interval(k * alike, n * alike)
    assert widest[0] - 1e-12 <= low <= narrowest[0] + 1e-12
    assert narrowest[1] - 1e-12 <= high <= widest[1] + 1e-12


@given(PATIENTS, st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(patients: list[tuple[int, float]], random: object) -> None:
    """To the last digit."""
    again = list(patients)
    random.shuffle(again)  # type: ignore[attr-defined]
    one, other = (rate_interval(*rows_of(some)) for some in (patients, again))
    assert one == other


def test_lone_patients_have_wilsons_interval() -> None:
    """To the last digit, and nothing is known without rows."""
    events = np.arange(50) % 7 == 0
    assert rate_interval(events, np.arange(50)) == wilson_interval(int(events.sum()), 50)
    assert np.isnan(rate_interval(np.zeros(0, bool), np.zeros(0, int))).all()
    assert np.isnan(counted_interval(np.zeros(0), np.zeros(0, int))).all()


COVERED = [
    ([3] * 15, 1.0, 0.1),
    ([5] * 20, 1.0, 0.1),
    ([4] * 11, 0.7, 0.3),
    ([6] * 40, 0.3, 0.3),
    ([1] * 15 + [4] * 10 + [10] * 5, 0.3, 0.3),
    ([1] * 500 + [10], 0.3, 0.1),
    ([8] * 5, 0.3, 0.3),
]


@pytest.mark.parametrize(("sizes", "correlation", "rate"), COVERED)
def test_intervals_hold_the_true_rate_as_often_as_they_say(sizes: list[int], correlation: float, rate: float) -> None:
    """Rows of a patient alike, wholly or in part, many patients or five: about 95 of 100 intervals hold the rate."""
    rng, patients = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    held = []
    for _ in range(1000):
        if correlation == 1:
            own = (rng.random(len(sizes)) < rate).astype(float)
        else:
            own = rng.beta(rate * (1 / correlation - 1), (1 - rate) * (1 / correlation - 1), len(sizes))
        low, high = rate_interval(rng.random(len(patients)) < own[patients], patients)
        held.append(low <= rate <= high)
    assert np.mean(held) > 0.915


def test_no_event_in_alike_rows_is_that_of_as_many_patients() -> None:
    """Ten patients of six rows, never or always wrong, say as much as ten rows: nothing tells rows apart."""
    patients = np.repeat(np.arange(10), 6)
    for events in (np.zeros(60, bool), np.ones(60, bool)):
        assert rate_interval(events, patients) == pytest.approx(wilson_interval(10 * events[0], 10))


def test_degrees_of_freedom_count_patients_of_many_rows_alone() -> None:
    """One less than patients of as many rows; about those of the long where few are long; never below 1."""
    assert degrees_of_freedom(np.full(12, 7)) == pytest.approx(11)
    assert degrees_of_freedom(np.array([1] * 60 + [30] * 4)) == pytest.approx(3660**2 / (60 + 4 * 30**4) - 1)
    assert degrees_of_freedom(np.array([500, 1, 1])) == 1.0


def test_patients_that_err_together_count_as_fewer_rows() -> None:
    """Rows in identical fours vary four times as much, independent rows about once; so they do where all are equal."""
    rng = np.random.default_rng(1)
    alone, fours = rng.random(600) < 0.2, np.repeat(np.arange(600), 4)
    assert design_effect(np.repeat(alone, 4), fours) == pytest.approx(4, rel=0.01)
    assert design_effect(rng.random(2400) < 0.2, fours) == pytest.approx(1, abs=0.2)
    assert design_effect(np.zeros(2400), fours) == 4.0
    assert design_effect(np.zeros(0), np.zeros(0, int)) == 1.0


UNEVEN = [[1, 30], [1, 3], [500, 1, 1], [2, 5, 30], [3, 6, 9], [1] * 60 + [30] * 4, [5, 5, 5]]


@pytest.mark.parametrize("sizes", UNEVEN)
@pytest.mark.parametrize("correlation", [0.0, 0.3, 1.0])
def test_means_of_uneven_patients_are_held(sizes: list[int], correlation: float) -> None:
    """Two or three patients of very different numbers of rows, alike within or not: 95 of 100 intervals, or more."""
    rng, patients = np.random.default_rng(0), np.repeat(np.arange(len(sizes)), sizes)
    held = 0
    for _ in range(1000):
        own, each = rng.standard_normal(len(sizes)), rng.standard_normal(len(patients))
        low, high = mean_interval(np.sqrt(correlation) * own[patients] + np.sqrt(1 - correlation) * each, patients)
        held += low <= 0 <= high
    assert held > 929  # three standard errors below 950


@pytest.mark.parametrize("sizes", [*UNEVEN, [10**6, 3, 1]])
def test_a_mean_has_the_variance_and_freedom_of_its_deviations(sizes: list[int]) -> None:
    """Written out as matrices: unbiased where rows of a patient are alike, never too small where they are independent,
    and Satterthwaite's degrees of freedom, p - 1 of even patients."""
    rows = np.array(sizes)
    seen, freedom = _seen(rows)
    deviations = (np.eye(len(rows)) - rows / rows.sum()) * rows[:, None] @ np.diag(1.0 / rows)  # of patients' sums
    alike, apart = (deviations @ np.diag(variance) @ deviations.T for variance in (rows**2.0, rows * 1.0))
    assert (np.diag(alike) >= seen * rows**2 * (1 - 1e-9)).all()
    assert (np.diag(apart) >= seen * rows * (1 - 1e-9)).all()
    scaled = alike / np.sqrt(np.outer(seen, seen))
    assert freedom == pytest.approx(max(1.0, np.trace(scaled) ** 2 / (scaled**2).sum()))
    if len(set(sizes)) == 1:
        assert seen == pytest.approx(1 - 1 / len(rows))
        assert freedom == pytest.approx(len(rows) - 1)


def test_an_end_too_large_for_a_number_is_infinite() -> None:
    """Losses near the largest number have a finite interval where its ends are numbers, else an infinite end."""
    assert mean_interval(np.array([1e308, 1.01e308, 1e308]), np.arange(3)) == pytest.approx(
        tuple(1e300 * end for end in mean_interval(np.array([1e8, 1.01e8, 1e8]), np.arange(3)))
    )
    low, high = mean_interval(np.array([1.5e308, 1.5e308, 1.0, 2.0]), np.arange(4))
    assert np.isfinite(low)
    assert high == np.inf


def test_difference_of_wilson_intervals_is_newcombes() -> None:
    """56 of 70 less 48 of 80 is .2 (.0524 to .3339), as Newcombe (1998, table II, method 10) prints it."""
    new, old = ((k / n, *wilson_interval(k, n)) for k, n in ((56, 70), (48, 80)))
    assert difference(new, old) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
def test_a_difference_turned_round_changes_its_sign(m: int, n: int, data: st.DataObject) -> None:
    """old - new is minus new - old, interval included; equal rates may always be equal."""
    k, j = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    new, old = (k / m, *wilson_interval(k, m)), (j / n, *wilson_interval(j, n))
    change, low, high = difference(new, old)
    assert difference(old, new) == pytest.approx((-change, -high, -low))
    assert low <= change <= high


def test_a_difference_to_nothing_is_nan() -> None:
    """Without rows on one side there is no change, and no interval."""
    nothing = (float("nan"),) * 3
    assert np.isnan(difference(nothing, (0.5, 0.4, 0.6))).all()


@pytest.mark.parametrize("rate", [0.02, 0.98])
def test_rare_events_of_few_patients_are_held_too(rate: float) -> None:
    """Where hardly any patient has an event, nothing seen tells how alike patients' rows are: intervals hold the rate
    all the same, though rows of a patient correlate by .6."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(500):
        rows = rng.integers(1, 11, 55)
        events = rng.binomial(rows, rng.beta(rate * 2 / 3, (1 - rate) * 2 / 3, 55))
        low, high = counted_interval(events.astype(float), rows)
        held += low <= rate <= high
    assert held >= 0.93 * 500
