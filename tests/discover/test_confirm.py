"""Confirmation on held-out patients."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact
from sklearn.utils import check_random_state

from misread.discover.confirm import confirm, difference, excess_p_value, q_values, rate_interval, wilson_interval
from misread.discover.patients import PatientShuffle


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=80))
def test_lone_patients_are_judged_by_fishers_exact_test(rows: list[tuple[bool, bool]]) -> None:
    """Where no patient repeats, p is scipy's one-sided Fisher test."""
    inside, errors = (np.array(column) for column in zip(*rows, strict=True))
    table = [[(inside & errors).sum(), (inside & ~errors).sum()], [(~inside & errors).sum(), (~inside & ~errors).sum()]]
    expected = fisher_exact(table, alternative="greater")[1]
    assert excess_p_value(inside, errors, np.arange(len(rows)), 0) == pytest.approx(expected)


@pytest.mark.slow
def test_errors_that_run_in_patients_do_not_confirm_by_themselves() -> None:
    """Six rows a patient, intra-class correlation .3, a slice of whole patients: p < .05 in about 5 % of draws."""
    rejected = 0
    for seed in range(300):
        rng = check_random_state(seed)
        patients = np.repeat(np.arange(40), 6)
        # beta-binomial with mean .3 and intra-class correlation .3
        rate = rng.beta(0.3 * (1 / 0.3 - 1), 0.7 * (1 / 0.3 - 1), 40)
        errors = rng.random_sample(240) < rate[patients]
        inside = (rng.random_sample(40) < 0.25)[patients] & (rng.random_sample(240) < 0.9)
        rejected += excess_p_value(inside, errors, patients, seed) < 0.05
    assert rejected / 300 < 0.085  # three standard errors above .05


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 5))
def test_shuffles_keep_every_patients_values_together(patients: list[int], seed: int) -> None:
    """A shuffle only rearranges; patients with as many rows as at least five others get a whole patient's run."""
    codes = np.array(patients)
    values = np.arange(len(codes))
    for drawn in PatientShuffle(codes).draws(values, 3, seed):
        assert sorted(drawn) == sorted(values)
        sizes = np.bincount(codes)
        if len(set(sizes[sizes > 0])) == 1:
            for patient in np.unique(codes):
                assert len(set(codes[drawn[codes == patient]])) == 1


def test_shuffles_repeat_for_a_seed() -> None:
    """The same seed draws the same shuffles."""
    codes, values = np.arange(30) // 3, np.arange(30)
    one, two = (list(PatientShuffle(codes).draws(values, 4, 9)) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize(
    ("inside", "errors"),
    [
        ([], []),
        ([True] * 5, [True] * 5),
        ([False] * 5, [True] * 5),
        ([True] * 5, [True, False] * 2 + [True]),
        ([True, False], [False, False]),
    ],
)
def test_nothing_to_test_is_p_one(inside: list[bool], errors: list[bool]) -> None:
    """An empty slice, an empty outside, no errors or only errors: p = 1, and no NaN is mistaken for a rate."""
    verdict = confirm(np.array(inside, bool), np.array(errors, bool), np.arange(len(inside)), 0)
    assert verdict.p_value == 1.0
    assert verdict.rows == sum(inside)
    assert (verdict.rate != verdict.rate) == (verdict.rows == 0)


def test_counts_are_those_of_the_rows() -> None:
    """Rows, errors, patients, rate, baseline and lift are plain counts."""
    inside = np.array([1, 1, 1, 1, 0, 0, 0, 0], bool)
    errors = np.array([1, 1, 1, 0, 1, 0, 0, 0], bool)
    verdict = confirm(inside, errors, np.array([1, 1, 2, 3, 4, 5, 6, 7]), 0)
    assert (verdict.rows, verdict.errors, verdict.patients) == (4, 3, 3)
    assert (verdict.rate, verdict.baseline, verdict.lift) == (0.75, 0.25, 3.0)


@given(st.integers(1, 300), st.data())
def test_wilson_interval_holds_the_rate_and_is_scipys(rows: int, data: st.DataObject) -> None:
    """The interval is scipy's Wilson interval and contains the rate."""
    from scipy.stats import binomtest

    errors = data.draw(st.integers(0, rows))
    low, high = wilson_interval(errors, rows)
    expected = binomtest(errors, rows).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_repeating_patients_widen_the_interval() -> None:
    """Ten patients of six equal rows are not sixty: the interval is wider than Wilson's of sixty."""
    errors = np.repeat(np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0], bool), 6)
    clustered = rate_interval(errors, np.repeat(np.arange(10), 6), 0)
    alone = rate_interval(errors, np.arange(60), 0)
    assert clustered[1] - clustered[0] > 1.3 * (alone[1] - alone[0])


def test_an_interval_does_not_depend_on_how_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn in pieces or in one, as many patients are drawn: the interval is the same to a step or two."""
    errors, patients = np.arange(90) % 7 < 2, np.arange(90) // 3
    one = rate_interval(errors, patients, 5)
    monkeypatch.setattr(import_module("misread.discover.confirm"), "DRAWS_AT_ONCE", 1111)
    assert rate_interval(errors, patients, 5) == pytest.approx(one, abs=0.03)


@given(st.lists(st.floats(0, 1), max_size=30))
def test_q_values_are_benjamini_hochberg(p: list[float]) -> None:
    """Adjusted values equal scipy's, in the order given."""
    expected = false_discovery_control(p) if p else []
    assert q_values(np.array(p)) == pytest.approx(np.array(expected))


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
