"""Confirmation on held-out patients."""

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, fisher_exact
from sklearn.utils import check_random_state

from misread.discover.confirm import Confirmation, confirm, excess_p_value, judged_together, q_values
from misread.discover.intervals import rate_interval
from misread.discover.losses import confirm_losses, excess_loss_p_value
from misread.discover.patients import PatientShuffle


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=80))
def test_lone_patients_are_judged_by_fishers_exact_test(rows: list[tuple[bool, bool]]) -> None:
    """Where no patient repeats, p is scipy's one-sided Fisher test."""
    inside, errors = (np.array(column) for column in zip(*rows, strict=True))
    table = [[(inside & errors).sum(), (inside & ~errors).sum()], [(~inside & errors).sum(), (~inside & ~errors).sum()]]
    expected = fisher_exact(table, alternative="greater")[1]
    assert excess_p_value(inside, errors, np.arange(len(rows)), 0) == pytest.approx(expected)


def test_errors_that_run_in_patients_do_not_confirm_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six rows a patient, intra-class correlation .3, a slice of whole patients: p <= .05 in about 5 % of draws."""
    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)
    rejected = 0
    for seed in range(300):
        rng = check_random_state(seed)
        patients = np.repeat(np.arange(40), 6)
        # beta-binomial with mean .3 and intra-class correlation .3
        rate = rng.beta(0.3 * (1 / 0.3 - 1), 0.7 * (1 / 0.3 - 1), 40)
        errors = rng.random_sample(240) < rate[patients]
        inside = (rng.random_sample(40) < 0.25)[patients] & (rng.random_sample(240) < 0.9)
        rejected += excess_p_value(inside, errors, patients, seed) <= 0.05
    assert rejected / 300 < 0.085  # three standard errors above .05


@pytest.mark.parametrize("correlation", [0.05, 0.999])
@pytest.mark.parametrize("sizes", [[1] * 150 + [30] * 4, [1] * 40 + [2] * 3, list(range(10, 40)), [30] * 4 + [50] * 3])
def test_a_few_patients_with_many_rows_do_not_confirm_a_slice(
    sizes: list[int], correlation: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole patients at random, a long one among them: p <= .05 in about 5 % of draws, by errors and by losses."""
    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)
    patients = np.repeat(np.arange(len(sizes)), sizes)
    rejected = np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        rate = rng.beta(0.2 * (1 / correlation - 1), 0.8 * (1 / correlation - 1), len(sizes))
        errors = rng.random(len(patients)) < rate[patients]
        losses = np.exp((np.sqrt(correlation) * rng.normal(size=len(sizes)))[patients]) * rng.exponential(
            1, len(patients)
        ) ** (1 - correlation)
        inside = rng.random(len(sizes)) < 0.07
        inside[-1 - seed % 3] = True
        rejected += (
            excess_p_value(inside[patients], errors, patients, seed) <= 0.05,
            excess_loss_p_value(inside[patients], losses, patients, seed) <= 0.05,
        )
    assert (rejected / 200 < 0.097).all(), rejected  # three standard errors above .05


@given(st.lists(st.integers(0, 12), min_size=1, max_size=60), st.integers(0, 5))
def test_shuffles_keep_every_patients_values_together(patients: list[int], seed: int) -> None:
    """Every patient gets the run of one with as many rows, each such run once; or, at most half or twice as many,
    that run cut or begun again. So values are only rearranged where all have as many."""
    codes = np.array(patients)
    sizes = np.bincount(codes)
    values = np.arange(len(codes))
    for drawn in PatientShuffle(codes).draws(values, 3, seed):
        givers = []
        for patient in np.unique(codes):
            got = drawn[codes == patient]
            (giver,) = set(codes[got])
            run = values[codes == giver]
            assert sizes[giver] <= 2 * sizes[patient]
            assert sizes[patient] <= 2 * sizes[giver]
            assert got.tolist() == np.resize(run, len(got)).tolist()
            givers.append(giver)
        assert sorted(givers) == np.unique(codes).tolist()


def test_a_patient_with_far_more_rows_than_any_other_confirms_nothing() -> None:
    """It is not shuffled: thirty wrong rows of one patient among right ones of others are no evidence."""
    patients = np.repeat(np.arange(41), [1] * 40 + [30])
    assert excess_p_value(patients == 40, patients == 40, patients, 0) == 1.0


def test_sums_in_another_order_count_as_equal() -> None:
    """A shuffle that gives the slice the same losses in another order reaches the observed mean."""
    patients, losses = np.repeat(np.arange(4), 3), np.tile([0.1, 0.2, 0.3], 4)
    losses[3:6] = [0.3, 0.1, 0.2]
    assert excess_loss_p_value(patients == 0, losses, patients, 0) == 1.0


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


@given(st.lists(st.floats(0, 1), max_size=30))
def test_q_values_are_benjamini_hochberg(p: list[float]) -> None:
    """Adjusted values equal scipy's, in the order given."""
    expected = false_discovery_control(p) if p else []
    assert q_values(np.array(p)) == pytest.approx(np.array(expected))


def drawn(rng: np.random.Generator, rate: float, patients: np.ndarray) -> Confirmation:
    """A slice of the first patients, whose rows are wrong at `rate`, others at .16."""
    inside = patients < rng.integers(15, 80)
    return confirm(inside, rng.random(len(patients)) < np.where(inside, rate, 0.16), patients, 0)


def test_intervals_of_those_confirmed_hold_on_average() -> None:
    """Of eight slices hardly above the rest the confirmed ones read high: by themselves .95 intervals miss in one in
    seven; at 1 - .05 R / m the mean share of misses among the confirmed is .05 at most."""
    rng, patients = np.random.default_rng(0), np.arange(480)
    by_itself, together = [], []
    for _ in range(250):
        verdicts = [drawn(rng, 0.22, patients) for _ in range(8)]
        pairs = [(one, other) for one, (other, q) in zip(verdicts, judged_together(verdicts), strict=True) if q <= 0.05]
        by_itself.append(np.mean([not one.low <= 0.22 <= one.high for one, _ in pairs] or [0.0]))
        together.append(np.mean([not other.low <= 0.22 <= other.high for _, other in pairs] or [0.0]))
    assert np.mean(by_itself) > 0.1
    assert np.mean(together) < 0.075


def test_confidence_follows_from_how_many_are_confirmed() -> None:
    """Of five, two confirmed: these at .98, the others at .95, and nothing else of any changes; so with losses."""
    rng, patients = np.random.default_rng(1), np.repeat(np.arange(400), 2)
    rates = [0.9, 0.16, 0.8, 0.16, 0.1]
    slices = [(patients < 40, rng.random(800) < np.where(patients < 40, rate, 0.16)) for rate in rates]
    verdicts = [confirm(inside, errors, patients, 0) for inside, errors in slices]
    together = judged_together(verdicts)
    assert [q for _, q in together] == q_values(np.array([one.p_value for one in verdicts])).tolist()
    assert [q <= 0.05 for _, q in together] == [True, False, True, False, False]
    for (inside, errors), own, (told, q) in zip(slices, verdicts, together, strict=True):
        events = errors[inside], patients[inside]
        assert (own.low, own.high) == rate_interval(*events)
        assert (told.low, told.high) == (rate_interval(*events, 0.98) if q <= 0.05 else (own.low, own.high))
        assert told.at(0.95) == own
    losses = [confirm_losses(inside, errors + rng.random(800), patients, 0) for inside, errors in slices]
    for own, (told, q) in zip(losses, judged_together(losses), strict=True):
        assert (told.low < own.low and told.high > own.high) == (q <= 0.05)
        assert told.at(0.95) == own
    assert judged_together([]) == []
