"""What confirmation could have seen."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from misread.discover.confirm import excess_p_value
from misread.discover.power import power, smallest_effect


def class_of(rows: int, rate: float) -> np.ndarray:
    errors = np.zeros(rows, bool)
    errors[: round(rate * rows)] = True
    return errors


@pytest.mark.parametrize(("rows", "baseline", "inside"), [(150, 0.1, 10), (400, 0.3, 25), (60, 0.2, 15)])
def test_slices_at_the_smallest_effect_are_confirmed_four_times_in_five(
    rows: int, baseline: float, inside: int
) -> None:
    """Drawn at that rate, the test that confirms slices rejects in 80 % of draws; a tenth lower, in clearly fewer."""
    effect = smallest_effect(class_of(rows, baseline), np.arange(rows), inside)
    assert effect is not None
    rng = np.random.default_rng(0)
    member = np.arange(rows) < inside

    def rejected(rate: float) -> float:
        draws = rng.random((3000, rows)) < np.where(member, rate, baseline)
        return float(np.mean([excess_p_value(member, errors, np.arange(rows), 0) <= 0.05 for errors in draws]))

    assert rejected(effect) == pytest.approx(0.8, abs=0.022)  # three standard errors
    assert rejected(effect - 0.1) < 0.74


@pytest.mark.parametrize("rows", [50, 97, 150, 1000])
def test_lone_patients_count_for_what_they_are(rows: int) -> None:
    """Without repeats the smallest effect is the first rate at which the slice, at its full size, has 80 % power."""
    effect = smallest_effect(class_of(rows, 0.1), np.arange(rows), 10)
    assert effect is not None
    baseline = round(0.1 * rows) / rows
    assert power(10, rows - 10, effect, baseline) >= 0.8 > power(10, rows - 10, effect - 0.0002, baseline)


def test_power_is_summed_over_every_outcome() -> None:
    """For a table small enough to write out, power is the sum over all of it with scipy's own test."""
    from scipy.stats import binom

    n, m, rate, baseline = 6, 9, 0.7, 0.2
    total = sum(
        binom.pmf(x, n, rate) * binom.pmf(y, m, baseline)
        for x in range(n + 1)
        for y in range(m + 1)
        if fisher_exact([[x, n - x], [y, m - y]], alternative="greater")[1] <= 0.05
    )
    assert power(n, m, rate, baseline) == pytest.approx(total, abs=1e-7)


def test_larger_slices_and_lower_baselines_show_smaller_effects() -> None:
    """The smallest effect falls as the slice grows and rises with the class's own rate; it lies above that rate."""
    by_size = [smallest_effect(class_of(1000, 0.1), np.arange(1000), n) for n in (8, 20, 60, 200)]
    by_rate = [smallest_effect(class_of(1000, rate), np.arange(1000), 20) for rate in (0.02, 0.1, 0.3, 0.5)]
    assert by_size == sorted(by_size, reverse=True)
    assert by_rate == sorted(by_rate)
    assert all(effect > rate for effect, rate in zip(by_rate, (0.02, 0.1, 0.3, 0.5), strict=True))


@pytest.mark.parametrize(
    ("errors", "inside"),
    [([], 10), ([True], 1), ([True, False] * 4, 10), ([True] * 50, 10), ([False, True, False] * 20, 2)],
)
def test_where_nothing_could_be_confirmed_there_is_no_effect(errors: list[bool], inside: int) -> None:
    """No rows, fewer rows than the slice, only errors, or too few rows inside: None, never a rate."""
    assert smallest_effect(np.array(errors, bool), np.arange(len(errors)), inside) is None


def test_a_class_without_errors_still_has_one() -> None:
    """Among rows never wrong, a slice is confirmed once it holds enough errors."""
    effect = smallest_effect(np.zeros(200, bool), np.arange(200), 10)
    assert effect is not None
    assert 0.05 < effect < 0.4


def test_rows_of_patients_that_err_together_show_larger_effects_alone() -> None:
    """Rows in identical fours can show larger effects only than as many of different patients; also without errors."""
    alone = np.random.default_rng(1).random(600) < 0.2
    together = smallest_effect(np.repeat(alone[:100], 4), np.repeat(np.arange(100), 4), 40)
    apart = smallest_effect(np.repeat(alone[:100], 4), np.arange(400), 40)
    assert together is not None
    assert apart is not None
    assert together > apart
    never = np.zeros(400, bool)
    assert smallest_effect(never, np.repeat(np.arange(100), 4), 40) == smallest_effect(never[:100], np.arange(100), 10)


def test_power_holds_where_patients_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a patient err together (intra-class correlation .3): whole-patient permutations confirm a slice of
    whole patients at the smallest effect at least about as often as said."""
    from importlib import import_module

    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)
    rng = np.random.default_rng(2)
    patients = np.repeat(np.arange(100), 4)
    inside = patients < 15

    def drawn(rate: np.ndarray) -> np.ndarray:
        return rng.random(400) < rng.beta(rate * (1 / 0.3 - 1), (1 - rate) * (1 / 0.3 - 1))[patients]

    effects = [smallest_effect(drawn(np.full(100, 0.15)), patients, 60) for _ in range(40)]
    effect = float(np.mean([e for e in effects if e is not None]))
    rates = np.where(np.arange(100) < 15, effect, 0.15)
    hits = [excess_p_value(inside, drawn(rates), patients, seed) <= 0.05 for seed in range(150)]
    assert np.mean(hits) > 0.68  # .8 less about three standard errors
