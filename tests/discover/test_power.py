"""What confirmation could have seen."""

from importlib import import_module

import numpy as np
import pytest
from scipy.stats import fisher_exact

from misread.discover.confirm import excess_p_value
from misread.discover.losses import excess_loss_p_value, smallest_mean_loss
from misread.discover.power import power, rejections, smallest_effect


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
    enough = rejections(10, rows - 10, baseline)
    assert power(enough, effect) >= 0.8 > power(enough, effect - 0.0002)


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
    assert power(rejections(n, m, baseline), rate) == pytest.approx(total, abs=1e-7)


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
    """Rows in identical fours can show larger effects only than as many of different patients."""
    alone = np.random.default_rng(1).random(600) < 0.2
    together = smallest_effect(np.repeat(alone[:100], 4), np.repeat(np.arange(100), 4), 40)
    apart = smallest_effect(np.repeat(alone[:100], 4), np.arange(400), 40)
    assert together is not None
    assert apart is not None
    assert together > apart


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.3])
def test_rows_of_a_patient_that_are_all_alike_count_as_one(rate: float) -> None:
    """Made-up slices of patients in identical fours show about the effect that is worked out for lone patients."""
    alone = np.arange(100) < 100 * rate
    lone, fours = (
        smallest_effect(alone, np.arange(100), 10),
        smallest_effect(np.repeat(alone, 4), np.repeat(np.arange(100), 4), 40),
    )
    assert fours == pytest.approx(lone, abs=0.06)  # three standard errors of a quantile of 500 slices, near .02 each


LAYOUTS = {
    "even": [4] * 100,
    "uneven": list(range(1, 13)) * 4,
    "two kinds": [1] * 300 + [10] * 20,
    "each another": list(range(10, 41)),
}


def drawn_slice(rng: np.random.Generator, patients: np.ndarray, rows: int, most: int) -> np.ndarray:
    """So many rows, of patients at random and at most so many of each."""
    order = rng.permutation(patients.max() + 1)
    own = np.concatenate([np.flatnonzero(patients == who)[:most] for who in order[:rows]])
    return np.isin(np.arange(len(patients)), own[:rows])


@pytest.mark.parametrize("fewest", [1, 6])
@pytest.mark.parametrize("sizes", LAYOUTS.values(), ids=LAYOUTS)
def test_power_is_as_said_where_patients_repeat(sizes: list[int], fewest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of a patient err together (intra-class correlation .3): whole-patient permutations confirm a slice of as
    few patients, drawn at the smallest effect, in about 80 of 100 draws, however many rows patients have."""
    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)
    rng, patients = np.random.default_rng(2), np.repeat(np.arange(len(sizes)), sizes)

    def drawn(rate: float) -> np.ndarray:
        return (
            rng.random(len(patients)) < rng.beta(rate * (1 / 0.3 - 1), (1 - rate) * (1 / 0.3 - 1), len(sizes))[patients]
        )

    hits = []
    for _ in range(8):
        errors = drawn(0.15)
        effect = smallest_effect(errors, patients, 30, fewest)
        for seed in range(25 if effect is not None and effect < 1 else 0):
            inside = drawn_slice(rng, patients, 30, 30 // fewest)
            hits.append(excess_p_value(inside, np.where(inside, drawn(effect), errors), patients, seed) <= 0.05)
    assert len(hits) >= 150
    assert np.mean(hits) == pytest.approx(0.8, abs=3.5 * (0.16 / len(hits)) ** 0.5)


@pytest.mark.parametrize("sizes", LAYOUTS.values(), ids=LAYOUTS)
def test_losses_higher_by_the_smallest_effect_are_confirmed(sizes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of log-normal losses that run in patients."""
    monkeypatch.setattr(import_module("misread.discover.confirm"), "PERMUTATIONS", 199)
    rng, patients = np.random.default_rng(3), np.repeat(np.arange(len(sizes)), sizes)
    hits = []
    for _ in range(8):
        losses = np.exp(0.6 * rng.standard_normal(len(sizes))[patients] + 0.8 * rng.standard_normal(len(patients)))
        effect = smallest_mean_loss(losses, patients, 30, 6)
        assert effect is not None
        for seed in range(25):
            inside = drawn_slice(rng, patients, 30, 5)
            higher = losses + (effect - losses.mean()) * inside
            hits.append(excess_loss_p_value(inside, higher, patients, seed) <= 0.05)
    assert np.mean(hits) == pytest.approx(0.8, abs=3.5 * (0.16 / len(hits)) ** 0.5)


def test_a_slice_of_more_patients_shows_smaller_effects() -> None:
    """Where rows of a patient err together, thirty of three patients show less than thirty of ten. Those of one of
    fifteen show nothing, as one in fifteen is above 5 %. Of too few patients a slice holds more rows each."""
    rng, patients = np.random.default_rng(0), np.repeat(np.arange(100), 30)
    errors = rng.random(3000) < rng.beta(0.2, 1.8, 100)[patients]
    few, more = (smallest_effect(errors, patients, 30, fewest) for fewest in (3, 10))
    assert few is not None
    assert more is not None
    assert more < few
    fifteen = errors[:450], patients[:450], 30
    assert smallest_effect(*fifteen, 1) is None
    assert smallest_effect(*fifteen, 30) == smallest_effect(*fifteen, 15)
