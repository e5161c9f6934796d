"""Losses in place of errors: the scan, the search, and confirmation on held-out patients."""

import math
from importlib import import_module

import numpy as np
import pytest
from discover.prefixes import best_prefix
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from misread.discover import ClassModel, ClassRows, confirm_losses, search, search_p_values, smallest_mean_loss
from misread.discover.intervals import mean_interval
from misread.discover.losses import excess_loss_p_value, mean_loss
from misread.discover.scan import STEPS, mean_scan_statistic, standardised


def by_hand(inside: np.ndarray, outside: np.ndarray) -> float:
    """The definition, from variances about one mean and about two."""
    every = np.concatenate([inside, outside])
    two = (len(inside) * inside.var() + len(outside) * outside.var()) / len(every)
    return len(every) / 2 * math.log(every.var() / two)


def of_slice(losses: np.ndarray, inside: np.ndarray) -> float:
    return float(mean_scan_statistic(losses[inside].sum(), inside.sum(), losses.sum(), (losses**2).sum(), len(losses)))


@given(st.integers(0, 200), st.integers(2, 40), st.integers(2, 40))
def test_statistic_is_the_log_likelihood_ratio(seed: int, n: int, rest: int) -> None:
    """Where the mean is higher inside it is the formula, elsewhere 0."""
    losses = np.random.default_rng(seed).exponential(1, n + rest)
    inside = np.arange(n + rest) < n
    expected = by_hand(losses[inside], losses[~inside]) if losses[inside].mean() > losses[~inside].mean() else 0.0
    assert of_slice(losses, inside) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("losses", [[], [2.0], [2.0] * 8, [0.0] * 8])
def test_equal_losses_have_no_statistic(losses: list[float]) -> None:
    """No rows, one row or equal losses: no prefix stands out; two means that explain all stay finite."""
    values = np.array(losses)
    assert best_prefix(values, np.ones(len(values), bool), 1, len(values)) == (0.0, 0)
    assert np.isfinite(of_slice(np.repeat([1.0, 0.0], 5), np.arange(10) < 5))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9)), min_size=1, max_size=60),
    st.integers(1, 10),
)
def test_best_prefix_is_the_best_of_all(rows: list[tuple[int, int]], smallest: int) -> None:
    """No allowed prefix beats the one returned, and rows of equal score are never divided."""
    rows = sorted(rows, key=lambda r: -r[0])
    scores, losses = np.array([score for score, _ in rows]), np.array([float(loss) for _, loss in rows])
    starts = np.r_[True, scores[1:] != scores[:-1]]
    value, length = best_prefix(losses, starts, smallest, len(rows))
    allowed = [m for m in range(smallest, len(rows)) if starts[m]]
    best = max([of_slice(losses, np.arange(len(rows)) < m) for m in allowed], default=0.0)
    assert value == pytest.approx(best)
    assert length == 0 if value == 0 else length in allowed


def test_errors_are_what_lies_above_their_mean() -> None:
    """Standardised, errors stay as they are; as 0/1 losses exactly they are above 0; the mean is 0, the deviation 1."""
    errors = np.random.default_rng(0).random(200) < 0.3
    assert standardised(errors) is errors
    losses = np.asarray(standardised(errors.astype(float)), float)
    assert ((losses > 0) == errors).all()
    assert losses.mean() / STEPS == pytest.approx(0, abs=1e-8)
    assert losses.std() / STEPS == pytest.approx(1)


def planted(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (n, 12), losses with a heavy tail (log-normal), and a group of one in eight that has four times as much."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, 12))
    member = np.arange(n) < n // 8
    vectors[member, :2] += 3.0
    return vectors, np.exp(rng.normal(0, 0.8, n)) * np.where(member, 4, 1), member


def rows_of(vectors: np.ndarray, losses: np.ndarray) -> ClassRows:
    return ClassRows(None, vectors, losses, np.arange(len(losses)), ClassModel(np.zeros(vectors.shape[1]), 0.0))


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_group_is_found(seed: int) -> None:
    """The best rule takes mostly the planted rows, and most of them."""
    vectors, losses, member = planted(seed)
    taken = search(rows_of(vectors, losses), smallest=10, most=3)[0].takes(vectors)
    assert (taken & member).sum() / taken.sum() > 0.7
    assert (taken & member).sum() / member.sum() > 0.7


@pytest.mark.parametrize("seed", range(4))
def test_zero_one_losses_find_what_errors_find(seed: int) -> None:
    """Errors given as losses of 0 and 1 give much the same first slice: mostly rows of the same group."""
    vectors, _, member = planted(seed)
    errors = np.random.default_rng(seed).random(len(member)) < np.where(member, 0.7, 0.12)
    one, other = (
        search(rows_of(vectors, values), smallest=10, most=3)[0].takes(vectors)
        for values in (errors, errors.astype(float))
    )
    assert (one & other).sum() / (one | other).sum() > 0.6
    assert all((taken & member).sum() / taken.sum() > 0.7 for taken in (one, other))


@pytest.mark.parametrize("scale", [1e-3, 0.37, 1.0, 1e4, 1e300])
def test_neither_unit_nor_origin_nor_order_matters(scale: float) -> None:
    """Losses times a constant plus one, or rows in another order: the same slices."""
    vectors, losses, _ = planted(5, n=400)
    rules = search(rows_of(vectors, losses), smallest=10, most=3)
    assert len(rules) > 1
    order = np.random.default_rng(0).permutation(400)
    folds = np.argsort(order, kind="stable")  # a row keeps its patient, and so its fold
    moved = ClassRows(None, vectors[order], losses[order], order, rules[0].model)
    assert (moved.losses[folds] == losses).all()
    for again in (
        search(rows_of(vectors, losses * scale + 1), smallest=10, most=3),
        search(moved, smallest=10, most=3),
    ):
        assert [rule.statistic for rule in again] == pytest.approx([rule.statistic for rule in rules])
        assert all((a.takes(vectors) == b.takes(vectors)).all() for a, b in zip(rules, again, strict=True))


@pytest.mark.parametrize("case", ["none", "one row", "constant", "one high", "equal rows", "few rows", "huge", "tiny"])
def test_degenerate_losses_give_no_rule_or_a_sound_one(case: str) -> None:
    """No rows, equal losses, one outlier or equal rows never give a rule; numbers near the limits never crash."""
    rng = np.random.default_rng(0)
    vectors, losses = rng.standard_normal((60, 4)), rng.exponential(1, 60)
    if case in ("none", "one row", "few rows"):
        kept = {"none": 0, "one row": 1, "few rows": 19}[case]
        vectors, losses = vectors[:kept], losses[:kept]
    elif case == "constant":
        losses[:] = 0.1
    elif case == "one high":
        losses[:] = 0.1
        losses[3] = 9.0
    elif case == "equal rows":
        vectors[:] = 1.0
    elif case in ("huge", "tiny"):
        losses *= {"huge": 1e307, "tiny": 1e-307}[case]
    rules = search(rows_of(vectors, losses), smallest=10, most=3)
    assert rules == [] or case in ("huge", "tiny")
    assert all(np.isfinite(rule.statistic) for rule in rules)


@pytest.mark.parametrize("per_patient", [1, 6])
def test_chance_findings_seldom_pass_calibration(per_patient: int) -> None:
    """With losses independent of everything, however heavy their tail, about one best rule in twenty passes."""
    passed = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        patients = np.arange(300) // per_patient
        losses = np.exp(rng.normal(0, 0.3, 300) + rng.normal(0, 1, 300)[patients])
        vectors = rng.standard_normal((300, 6)) / 4 + rng.standard_normal((300, 6))[patients]
        rows = ClassRows(None, vectors, losses, patients, ClassModel(np.zeros(6), 0.0))
        rules = search(rows, smallest=10, most=1)
        p = search_p_values(rows, [rule.statistic for rule in rules], smallest=10, permutations=19, seed=seed)
        passed += bool((p <= 0.05).any())
    assert passed <= 6  # P(more | rate .05) < .02


def test_lone_patients_have_the_ordinary_interval_of_a_mean() -> None:
    """Student's t where no patient repeats and no tail is longer; identical rows of a patient count once; under two
    patients none."""
    half = np.random.default_rng(1).exponential(1, 15)
    losses = np.concatenate([3 + half, 3 - half])
    expected = t.interval(0.95, 29, losses.mean(), losses.std(ddof=1) / math.sqrt(30))
    assert mean_interval(losses, np.arange(30)) == pytest.approx(expected)
    assert mean_interval(np.repeat(losses, 4), np.repeat(np.arange(30), 4)) == pytest.approx(expected)
    for few in (losses[:0], losses[:1], losses):
        assert np.isnan(mean_interval(few, np.zeros(len(few), int))).all()


def test_an_interval_is_longer_on_the_side_of_the_tail() -> None:
    """By Hall's cubic of the skewness, turned round; on the other side Student's t; losses turned round turn it."""
    losses = np.random.default_rng(1).exponential(1, 30)
    low, high = mean_interval(losses, np.arange(30))
    mean, error = losses.mean(), losses.std(ddof=1) / math.sqrt(30)
    deviations = losses - mean
    skewness = (deviations**3).sum() / (deviations**2).sum() ** 1.5
    assert low == pytest.approx(mean - t.ppf(0.975, 29) * error)
    far = (mean - high) / error  # the studentised mean that the far end would have been found at
    hall = far + skewness * far**2 / 3 + skewness**2 * far**3 / 27 + skewness / 6
    assert hall == pytest.approx(t.ppf(0.025, 29))
    assert mean_interval(-losses, np.arange(30)) == pytest.approx((-high, -low))


@pytest.mark.parametrize(("patients", "rows"), [(20, 1), (40, 1), (30, 6)])
def test_means_of_skewed_losses_are_held(patients: int, rows: int) -> None:
    """Cross entropies, most small and some large, that run in patients: 95 intervals in a hundred hold the mean."""
    rng = np.random.default_rng(4)

    def drawn(patients: int) -> tuple[np.ndarray, np.ndarray]:
        who = np.repeat(np.arange(patients), rng.integers(1, rows + 1, patients))
        logits = 2 - 2 * (0.9 * rng.standard_normal(patients)[who] + math.sqrt(0.19) * rng.standard_normal(len(who)))
        return np.logaddexp(0, -logits), who

    truth = drawn(400_000)[0].mean()
    intervals = [mean_interval(*drawn(patients)) for _ in range(1000)]
    assert np.mean([low <= truth <= high for low, high in intervals]) > 0.925  # Student's t: .87 to .91


def test_the_interval_covers_where_patients_repeat() -> None:
    """Losses that run in patients, of whom some have more rows: 95 intervals in a hundred hold the mean."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(400):
        patients = np.repeat(np.arange(50), rng.integers(1, 7, 50))
        losses = rng.normal(1, 1, 50)[patients] + rng.normal(0, 1, len(patients))
        low, high = mean_interval(losses, patients)
        held += low <= 1 <= high
    assert held / 400 == pytest.approx(0.95, abs=0.033)  # three standard errors


def test_counts_are_those_of_the_rows() -> None:
    """Rows, patients, mean, baseline and lift follow from the rows; losses below 0, or none above, have no lift."""
    losses, inside = np.array([3.0, 5.0, 1.0, 3.0]), np.array([True, True, False, False])
    verdict = confirm_losses(inside, losses, np.array([0, 0, 1, 2]), 0)
    assert (verdict.rows, verdict.patients, verdict.mean, verdict.baseline, verdict.lift) == (2, 1, 4.0, 2.0, 2.0)
    for shift in (-1.5, -2.0, -5.0):
        assert math.isnan(confirm_losses(inside, losses + shift, np.arange(4), 0).lift)
    assert math.isnan(confirm_losses(inside, losses * inside, np.arange(4), 0).lift)


@pytest.mark.parametrize(
    ("inside", "losses"),
    [([], []), ([True] * 5, [1.0, 2.0] * 2 + [0.0]), ([False] * 5, [1.0] * 5), ([True, False], [0.1, 0.1])],
)
def test_nothing_to_test_is_p_one(inside: list[bool], losses: list[float]) -> None:
    """An empty slice, an empty outside or equal losses: p = 1."""
    verdict = confirm_losses(np.array(inside, bool), np.array(losses, float), np.arange(len(inside)), 0)
    assert verdict.p_value == 1.0
    assert math.isnan(verdict.mean) == (not any(inside))


def test_the_largest_numbers_have_a_mean() -> None:
    """Losses whose sum is too large for a number still have a mean and a p-value, without a warning."""
    losses = np.array([1.5e308, 1.5e308, 1.0, 2.0, 3.0, 1.0])
    verdict = confirm_losses(np.arange(6) < 2, losses, np.arange(6), 0)
    assert verdict.mean == mean_loss(losses[:2]) == 1.5e308
    assert 0 < verdict.p_value < 0.2


@pytest.fixture
def fewer_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)


@pytest.mark.parametrize("per_patient", [1, 4])
@pytest.mark.usefixtures("fewer_shuffles")
def test_the_test_keeps_its_level(per_patient: int) -> None:
    """Heavy-tailed losses that run in patients, a slice of whole patients: p <= .05 in about 5 % of draws."""
    rejected = 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        patients = np.repeat(np.arange(60), per_patient)
        losses = np.exp(rng.normal(0, 1.2, 60)[patients] + rng.normal(0, 0.6, len(patients)))
        inside = (rng.random(60) < 0.25)[patients]
        rejected += excess_loss_p_value(inside, losses, patients, seed) <= 0.05
    assert rejected / 400 < 0.083  # three standard errors above .05


@pytest.mark.slow
@pytest.mark.parametrize("per_patient", [1, 4])
@pytest.mark.usefixtures("fewer_shuffles")
def test_slices_at_the_smallest_effect_are_confirmed_four_times_in_five(per_patient: int) -> None:
    """A slice shifted to that mean is confirmed in about 80 % of draws, halfway there in clearly fewer."""
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(120), per_patient)
    inside = patients < 15

    def drawn() -> np.ndarray:
        return rng.normal(1, 1, 120)[patients] + rng.normal(0, 1, len(patients))

    effects = [smallest_mean_loss(drawn(), patients, int(inside.sum())) for _ in range(16)]
    shift = float(np.mean([effect for effect in effects if effect is not None])) - 1

    def confirmed(by: float) -> float:
        losses = (drawn() + by * inside for _ in range(300))
        return float(np.mean([excess_loss_p_value(inside, values, patients, 0) <= 0.05 for values in losses]))

    assert confirmed(shift) == pytest.approx(0.8, abs=0.09)
    assert confirmed(shift / 2) < 0.5


@pytest.mark.parametrize(("losses", "rows"), [([], 10), ([1.0], 1), ([0.1] * 50, 10), ([1.0, 2.0] * 5, 10)])
def test_where_nothing_could_be_confirmed_there_is_no_effect(losses: list[float], rows: int) -> None:
    """No rows, no more rows than the slice, or equal losses: None."""
    assert smallest_mean_loss(np.array(losses), np.arange(len(losses)), rows) is None
