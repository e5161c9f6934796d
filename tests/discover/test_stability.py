"""Stability of slices under the bootstrap."""

import numpy as np
import pytest

from misread.discover import ClassModel, ClassRows, search, stabilities
from misread.discover.stability import bootstrap_rows


def class_rows(seed: int, *, planted: bool, per_patient: int = 1) -> ClassRows:
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((400, 8))
    patients = np.arange(400) // per_patient
    rate = np.where(vectors[:, 0] > 1.0, 0.8, 0.08) if planted else np.full(400, 0.2)
    return ClassRows(1, vectors, rng.random(400) < rate, patients, ClassModel(np.zeros(8), 0.0))


def stability_of(rows: ClassRows, resamples: int = 10, seed: int = 0) -> np.ndarray:
    rules = search(rows, smallest=10, most=3)
    return stabilities(rows, rules, smallest=10, most=3, resamples=resamples, seed=seed)


@pytest.mark.parametrize("per_patient", [1, 4])
def test_a_real_group_is_found_again_and_a_chance_one_seldom(per_patient: int) -> None:
    """The first slice of a strong group overlaps well with its likes in other samples; a chance one less."""
    real = [stability_of(class_rows(seed, planted=True, per_patient=per_patient))[0] for seed in range(3)]
    chance = [stability_of(class_rows(seed, planted=False, per_patient=per_patient))[0] for seed in range(3)]
    assert min(real) > 0.4
    assert np.mean(chance) < min(real) - 0.1


def test_stabilities_are_shares_and_repeat_for_a_seed() -> None:
    """Between 0 and 1, one a rule; the same for the same seed, another for another."""
    rows = class_rows(4, planted=True)
    one, two, other = (stability_of(rows, 4, seed) for seed in (1, 1, 2))
    assert len(one) > 1
    assert ((one >= 0) & (one <= 1)).all()
    assert (one == two).all()
    assert (one != other).any()


def test_patients_are_drawn_whole() -> None:
    """Every row of a patient comes as often as the patient; as many patients are drawn as there are."""
    patients = np.array([3, 1, 1, 7, 3, 3, 9])
    for drawn in bootstrap_rows(patients, 20, 0):
        times = np.bincount(drawn, minlength=len(patients))
        assert sum(times[patients == patient][0] for patient in (1, 3, 7, 9)) == 4
        assert all(len(set(times[patients == patient])) == 1 for patient in (1, 3, 7, 9))


def test_each_resample_is_ticked_off() -> None:
    """One tick a resample, however many rules there are."""
    rows, ticks = class_rows(4, planted=True), []
    rules = search(rows, smallest=10, most=2)
    stabilities(rows, rules, smallest=10, most=2, resamples=3, seed=0, tick=lambda: ticks.append(1))
    assert len(ticks) == 3


def test_nothing_to_test_is_nothing() -> None:
    """No rule, no stability; no resamples, NaN; a search that finds nothing again counts as 0."""
    rows = class_rows(1, planted=True)
    rules = search(rows, smallest=10, most=2)
    assert len(stabilities(rows, [], smallest=10, most=2, resamples=3, seed=0)) == 0
    assert np.isnan(stabilities(rows, rules, smallest=10, most=2, resamples=0, seed=0)).all()
    assert stabilities(rows, rules, smallest=300, most=2, resamples=2, seed=0).tolist() == [0.0] * len(rules)
