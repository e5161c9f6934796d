"""The search of one class."""

import os

import numpy as np
import pytest

from misread.discover import ClassModel, ClassRows, Rule, order_among_classes, search, search_p_values, stabilities
from misread.discover.tree import local_coordinates, tree_nodes


def planted(seed: int, n: int = 600, dimension: int = 20, inside: float = 0.7, outside: float = 0.12):
    """Rows of which a group shifted along the first two axes is wrong more often."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((n, dimension))
    member = np.arange(n) < n // 8
    vectors[member, :2] += 3.0
    errors = rng.random(n) < np.where(member, inside, outside)
    order = rng.permutation(n)
    return vectors[order], errors[order], member[order]


def class_of(vectors: np.ndarray, errors: np.ndarray) -> ClassRows:
    """The rows as one class that nothing tells from others, each its own patient."""
    return ClassRows(1, vectors, errors, np.arange(len(errors)), ClassModel(np.zeros(vectors.shape[1]), 0.0))


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_group_is_found(seed: int) -> None:
    """The best rule takes mostly the planted rows, and most of them."""
    vectors, errors, member = planted(seed)
    best = search(class_of(vectors, errors), smallest=10, most=3)[0]
    taken = best.takes(vectors)
    assert (taken & member).sum() / taken.sum() > 0.7
    assert (taken & member).sum() / member.sum() > 0.7


def test_rules_do_not_depend_on_calls_before() -> None:
    """The same rows give the same rules."""
    vectors, errors, _ = planted(1)
    one, two = (search(class_of(vectors, errors), smallest=10, most=3) for _ in range(2))
    assert [r.cut for r in one] == [r.cut for r in two]
    assert all((a.direction == b.direction).all() for a, b in zip(one, two, strict=True))


def test_later_slices_are_judged_without_the_rows_taken() -> None:
    """Every rule takes rows that no earlier one has."""
    vectors, errors, _ = planted(2)
    rules = search(class_of(vectors, errors), smallest=15, most=5)
    left = np.ones(len(errors), bool)
    assert len(rules) > 1
    for rule in rules:
        taken = rule.takes(vectors)
        assert (taken & left).sum() > 0.5 * min(15, taken.sum())
        left &= ~taken


@pytest.mark.parametrize("case", ["none", "one row", "no errors", "all errors", "one error", "all equal", "few rows"])
def test_degenerate_rows_give_no_rule_or_a_sound_one(case: str) -> None:
    """No rows, no errors, only errors or equal rows never crash, and never give a rule."""
    rng = np.random.default_rng(0)
    vectors, errors = rng.standard_normal((60, 4)), rng.random(60) < 0.4
    if case == "none":
        vectors, errors = vectors[:0], errors[:0]
    elif case == "one row":
        vectors, errors = vectors[:1], errors[:1]
    elif case == "few rows":
        vectors, errors = vectors[:19], errors[:19]
    elif case == "no errors":
        errors[:] = False
    elif case == "all errors":
        errors[:] = True
    elif case == "one error":
        errors[:] = False
        errors[3] = True
    elif case == "all equal":
        vectors[:] = 1.0
    assert search(class_of(vectors, errors), smallest=10, most=3) == []


def test_duplicate_rows_stay_together() -> None:
    """Rows that are equal are all taken or none."""
    rng = np.random.default_rng(3)
    vectors = np.repeat(rng.standard_normal((60, 5)), 4, axis=0)
    errors = rng.random(240) < np.where(vectors[:, 0] > 0.8, 0.8, 0.1)
    for rule in search(class_of(vectors, errors), smallest=10, most=4):
        taken = rule.takes(vectors).reshape(60, 4)
        assert (taken.all(axis=1) | ~taken.any(axis=1)).all()


def test_nodes_nest_and_the_root_holds_all() -> None:
    """Every node of the tree is a set of rows, the first is all of them, and two nodes nest or are apart."""
    rng = np.random.default_rng(4)
    points = np.vstack([rng.normal(c, 0.2, (40, 2)) for c in ((0, 0), (3, 0), (0, 3))])
    nodes = [set(node.tolist()) for node in tree_nodes(points, 5)]
    assert nodes[0] == set(range(120))
    assert len(nodes) >= 4
    for a in nodes:
        for b in nodes:
            assert a <= b or b <= a or not a & b


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.ones((1, 2)), np.ones((50, 2)), np.zeros((9, 2))])
def test_tree_of_too_little_has_no_node(points: np.ndarray) -> None:
    """No rows, one row, equal rows, or fewer than two clusters' worth: no node."""
    assert tree_nodes(points, 5) == []


def test_local_coordinates_have_unit_length() -> None:
    """Rows come back at length 1, or 0 where a row is the pool's mean; never NaN."""
    rows = np.vstack([np.eye(4), -np.eye(4), np.zeros((1, 4))])
    lengths = np.linalg.norm(local_coordinates(rows, 4), axis=1)
    assert lengths[:8] == pytest.approx(1.0)
    assert lengths[8] == pytest.approx(0.0)
    assert np.isfinite(local_coordinates(np.ones((3, 4)))).all()


def class_rows(seed: int, *, planted_group: bool, per_patient: int = 1) -> ClassRows:
    rng = np.random.default_rng(seed)
    n = 300
    vectors = rng.standard_normal((n, 8))
    patients = np.arange(n) // per_patient
    rate = np.where(vectors[:, 0] > 1.2, 0.8, 0.1) if planted_group else np.full(n, 0.2)
    return ClassRows(1, vectors, rng.random(n) < rate, patients, ClassModel(np.zeros(8), 0.0))


def test_chance_findings_seldom_pass_calibration() -> None:
    """With errors independent of everything, a class's best rule passes the 5 % level about one time in twenty."""
    passed = 0
    for seed in range(40):
        rows = class_rows(seed, planted_group=False)
        rules = search(rows, smallest=10, most=1)
        p = search_p_values(rows, [r.statistic for r in rules], smallest=10, permutations=19, seed=seed)
        passed += bool((p <= 0.05).any())
    assert passed <= 6  # P(more | rate .05) < .02


def test_a_planted_group_passes_calibration() -> None:
    """A real group's statistic is beyond all shuffles: the smallest p there can be."""
    rows = class_rows(7, planted_group=True)
    rules: list[Rule] = search(rows, smallest=10, most=1)
    p = search_p_values(rows, [r.statistic for r in rules], smallest=10, permutations=19, seed=0)
    assert p[0] == pytest.approx(0.05)


def test_more_cores_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffles and resamples are searched beside each other; how many at a time is seen in no p-value, tick or sum."""
    rows = class_rows(3, planted_group=False)
    rules = search(rows, smallest=10, most=3)

    def found(cores: int) -> tuple[object, ...]:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
        ticks: list[int] = []
        again: list[int] = []
        statistics = [rule.statistic for rule in rules]
        p = search_p_values(rows, statistics, smallest=10, permutations=39, seed=2, tick=ticks.append)
        stable = stabilities(rows, rules, smallest=10, most=3, resamples=7, seed=2, tick=lambda: again.append(0))
        return p.tolist(), ticks, stable.tolist(), len(again)

    assert found(1) == found(2) == found(7)


def test_calibration_of_nothing_is_nothing() -> None:
    """No candidate, no p-value; no shuffles, NaN."""
    rows = class_rows(1, planted_group=False)
    assert len(search_p_values(rows, [], smallest=10, permutations=19, seed=0)) == 0
    assert np.isnan(search_p_values(rows, [1.0], smallest=10, permutations=0, seed=0)).all()


def test_the_best_of_each_class_comes_first() -> None:
    """A class's best slice is never behind another class's second; within that, the higher statistic first."""
    model = ClassModel(np.zeros(1), 0.0)
    statistics = {0: [9.0, 8.0, 1.0], 1: [2.0, 1.0], 2: [9.0]}
    keys = {
        (number, place): order_among_classes(place, Rule(np.ones(1), 0.0, value, model), number)
        for number, values in statistics.items()
        for place, value in enumerate(values)
    }
    assert sorted(keys, key=keys.__getitem__) == [(0, 0), (2, 0), (1, 0), (0, 1), (0, 2), (1, 1)]


def test_a_rule_can_be_made_to_hold_enough_rows() -> None:
    """Its cut falls to what takes as many, ties included, and never rises; direction and statistic stay."""
    vectors = np.array([[5.0], [4.0], [3.0], [3.0], [1.0]])
    rule = Rule(np.array([1.0]), 4.5, 7.0, ClassModel(np.zeros(1), 0.0))
    assert [int(rule.holding(vectors, fewest).takes(vectors).sum()) for fewest in (1, 2, 3, 4, 5)] == [1, 2, 4, 4, 5]
    assert rule.holding(vectors, 1) is rule
    assert rule.holding(vectors, 6) is rule
    assert rule.holding(vectors, 3).statistic == 7.0
