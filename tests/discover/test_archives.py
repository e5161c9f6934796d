"""Searching a class too large to be held: the same answers from a sample, from bins and from disk."""

import os
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from discover.prefixes import best_prefix

from misread import spill
from misread.discover import ClassModel, ClassRows, binned, pools, search
from misread.discover.patients import PatientShuffle
from misread.discover.scan import standardised
from misread.schemas.errors import MisreadError
from misread.spill import Spilled, chosen, folded, mapped, mean_of, put_aside, scores_of, spread_of, total


def spilled(rows: np.ndarray) -> Spilled:
    found = Spilled(rows.shape[1])
    for start in range(0, len(rows), 700):
        found.append(rows[start : start + 700])
    return found


def class_of(vectors: spill.Vectors, losses: np.ndarray) -> ClassRows:
    return ClassRows(1, vectors, losses, np.arange(len(losses)), ClassModel(np.zeros(vectors.shape[1]), 0.0))


def large(seed: int, n: int = 24_000, dimension: int = 24) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a class with a slice of 8 % and one of 0.5 %: vectors, errors, and each row's slice (0 for none)."""
    rng = np.random.default_rng(seed)
    member = rng.choice(3, n, p=[0.915, 0.08, 0.005])
    vectors = rng.standard_normal((n, dimension))
    vectors[member == 1, :2] += 2.2
    vectors[member == 2, 5:9] += 3.0
    return vectors, rng.random(n) < np.where(member > 0, 0.6, 0.15), member


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "PART_ROWS", 512)
    monkeypatch.setattr(spill, "HELD_BYTES", 1000)


@pytest.mark.usefixtures("_small_parts")
def test_rows_on_disk_are_the_rows_put_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices, masks, row numbers in any order and repeated, sums and products: as of the array; no file is left."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((3_000, 7))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    there = put_aside(3_000, 7, (rows[s : s + 900] for s in range(0, 3_000, 900)))
    assert isinstance(there, Spilled)
    assert there.shape == rows.shape
    numbers = np.append(rng.integers(0, 3_000, 500), [0, 0, 2_999])
    mask = rng.random(3_000) < 0.3
    assert (there[numbers] == rows[numbers]).all()
    assert (there[mask] == rows[mask]).all()
    assert (there[100:1_900] == rows[100:1_900]).all()
    assert (there[5:2] == rows[5:2]).all()
    some = chosen(there, mask)
    assert isinstance(some, Spilled)
    assert (some[:] == rows[mask]).all()
    assert mean_of(there) == pytest.approx(rows.mean(axis=0))
    assert (spread_of(there) == np.ptp(rows, axis=0)).all()
    assert scores_of(there, rows[0]) == pytest.approx(rows @ rows[0])
    weights = rng.random(3_000)
    assert folded(there, lambda part, weight: part.T @ weight, total, weights) == pytest.approx(rows.T @ weights)
    assert (mapped(there, lambda part, weight: part[weight > 0.5], weights) == rows[weights > 0.5]).all()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """No space for vectors is an error that says where, and what to do."""
    there = Spilled(2)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(MisreadError, match=r"cannot be put aside in .*: No space left on device"):
        there.append(np.ones((3, 2)))


@pytest.mark.parametrize("kind", ["errors", "losses"])
def test_bins_and_disk_agree_with_scores_that_are_held(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same rules, whether few candidates or all are judged by every row's own score, from an array or from disk."""
    vectors, errors, _ = large(0, 9_000)
    losses = errors if kind == "errors" else np.random.default_rng(1).exponential(1.0, 9_000) + 2.0 * errors
    read = search(class_of(spilled(vectors), losses), smallest=10, most=2)
    monkeypatch.setattr(binned, "FINALISTS", 2**62)
    held = search(class_of(vectors, losses), smallest=10, most=2)
    assert len(held) == len(read) == 2
    for one, other in zip(held, read, strict=True):
        assert other.statistic == pytest.approx(one.statistic, rel=0.03)
        ours, theirs = one.takes(vectors), other.takes(spilled(vectors))
        assert (ours & theirs).sum() / (ours | theirs).sum() >= 0.9


def test_refining_raises_the_statistic(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule found anew from the errors it takes is kept where its statistic is higher: the first is never lower."""
    searching = import_module("misread.discover.search")
    first: dict[int, list[float]] = {}
    for refined in (0, searching.REFINED):
        monkeypatch.setattr(searching, "REFINED", refined)
        rules = (search(class_of(*large(seed, 6_000)[:2]), smallest=10, most=1) for seed in range(6))
        first[refined] = [found[0].statistic for found in rules]
    plain, better = (np.array(statistics) for statistics in first.values())
    assert (better >= plain).all()
    assert (better > plain).any()


def crossed() -> tuple[np.ndarray, np.ndarray, binned.Candidates]:
    """Scores of 5,000 rows along 4 directions; rows in two folds that have them; candidates that are those."""
    rng = np.random.default_rng(3)
    scores = rng.standard_normal((5_000, 4))
    fold = (np.arange(5_000) % 2).astype(np.int8)
    rows = scores + 0.25 * fold[:, None]
    without = np.array([np.eye(4), np.eye(4)])
    return scores, rows, binned.Candidates(np.eye(4), without, np.array([np.zeros(4), np.full(4, 0.25)]))


@pytest.mark.parametrize("judged", ["errors in a slice", "errors by chance", "losses", "rare errors"])
@pytest.mark.parametrize("sizes", [(10, 2_500), (300, 400), (1, 4_999)])
def test_the_best_of_bins_is_the_best_of_all_prefixes(judged: str, sizes: tuple[int, int]) -> None:
    """Candidate, cut and statistic are exact: those of the best prefix of all candidates."""
    scores, rows, candidates = crossed()
    rng = np.random.default_rng(4)
    slice_of = np.where(scores[:, 2] > 1.7, 0.7, 0.2)
    chances = {"errors by chance": 0.2, "rare errors": 0.002}.get(judged, slice_of)
    values = rng.random(5_000) < chances
    if judged == "losses":
        values = standardised(rng.standard_normal(5_000) + 3 * slice_of)
    left, fold = rng.random(5_000) < 0.9, (np.arange(5_000) % 2).astype(np.int8)
    tally = binned.Tally.of(candidates, spilled(rows), fold, values, left)
    promising = tally.statistics(values[left], sizes).max(axis=1)
    found = binned.best_candidate(promising, tally, spilled(rows), fold, values, left, sizes)
    every = []
    for column in np.round(scores[left].T, 9):
        order = np.argsort(-column)
        statistic, length = best_prefix(values[left][order], binned.starts_of(column[order]), *sizes)
        every.append((statistic, column[order][length - 1]))
    best = int(np.argmax([statistic for statistic, _ in every]))
    assert found is not None
    assert (found.along.whole[0] == candidates.whole[best]).all()
    assert found.statistic == pytest.approx(every[best][0], rel=1e-12)
    assert found.cut == pytest.approx(every[best][1], abs=1e-9)


def test_nothing_is_best_without_errors_or_candidates() -> None:
    _, rows, candidates = crossed()
    fold, left = (np.arange(5_000) % 2).astype(np.int8), np.ones(5_000, bool)
    for errors, some in ((np.zeros(5_000, bool), candidates), (rows[:, 0] > 1, candidates.only(np.empty(0, np.intp)))):
        tally = binned.Tally.of(some, rows, fold, errors, left)
        promising = tally.statistics(errors, (10, 2_500)).max(axis=1, initial=0.0)
        assert binned.best_candidate(promising, tally, rows, fold, errors, left, (10, 2_500)) is None


def test_few_bins_may_hold_the_end_of_the_best_prefix() -> None:
    """Where errors lie in a slice, scores of less than a tenth of the rows are asked for."""
    scores, rows, candidates = crossed()
    errors = np.random.default_rng(5).random(5_000) < np.where(scores[:, 2] > 1.7, 0.7, 0.1)
    fold, every = (np.arange(5_000) % 2).astype(np.int8), np.ones(5_000, bool)
    tally = binned.Tally.of(candidates, rows, fold, errors, every)
    opened = tally.may_end(errors, (10, 2_500))
    asked = tally.reached()[0][0][opened].sum()
    assert 0 < asked < 4 * 5_000 / 10


def test_tallies_of_rows_add_up() -> None:
    """Rows that go are no longer counted; candidates beside each other keep their counts."""
    rng = np.random.default_rng(8)
    rows, fold = rng.standard_normal((3_000, 4)), np.zeros(3_000, np.int8)
    errors, few = rng.random(3_000) < 0.2, rng.random(3_000) < 0.9
    candidates = binned.Candidates(np.eye(4), np.eye(4)[None], np.zeros((1, 4)))
    whole = binned.Tally.of(candidates, rows, fold, errors, few)
    found = binned.Found(candidates.only(np.array([1])), 1.0, 0.5)
    less, stay = whole.less(found, spilled(rows), fold, errors, few)
    assert (stay == (few & (rows[:, 1] < 0.5))).all()
    left = binned.Tally.of(candidates, rows, fold, errors, stay)
    assert (less.counts == left.counts).all()
    assert left.counts.sum(axis=2).tolist() == [[stay.sum()] * 4, [errors[stay].sum()] * 4]
    both = left.beside(whole)
    assert (both.candidates.whole == np.vstack([np.eye(4)] * 2)).all()
    assert (both.candidates.without == np.vstack([np.eye(4)] * 2)).all()
    assert both.candidates.offsets.shape == (1, 8)
    assert (both.counts[:, 4:] == whole.counts).all()


def test_a_small_slice_of_a_large_class_is_found_beside_a_large_one() -> None:
    """Both slices, of 8 % and of 0.5 % of the class, come back as rules that mostly take their rows."""
    vectors, errors, member = large(4)
    rules = search(class_of(vectors, errors), smallest=10, most=3)
    for number in (1, 2):
        overlaps = []
        for rule in rules:
            taken, own = rule.takes(vectors), member == number
            overlaps.append((taken & own).sum() / (taken | own).sum())
        assert max(overlaps) > (0.4 if number == 1 else 0.6)


@pytest.mark.parametrize(("errors", "inside", "fewest"), [(30_000, 150, 20), (30_000, 300, 64), (9_000, 40, 40)])
def test_what_sampling_can_lose_is_what_it_loses(errors: int, inside: int, fewest: int) -> None:
    """The bound is the share of draws that hold too few errors of a slice; nothing is lost where all are taken."""
    rng = np.random.default_rng(0)
    lost = 0
    for _ in range(400):
        own = np.zeros(errors, bool)
        own[rng.choice(errors, inside, replace=False)] = True
        lost += own[pools.drawn(np.arange(errors))].sum() < fewest
    expected = pools.missed(errors, inside, fewest)
    assert abs(lost / 400 - expected) < 4 * np.sqrt(expected * (1 - expected) / 400) + 0.005
    assert pools.missed(8_192, 20, 20) == 0


def test_the_figures_of_the_bound_hold() -> None:
    """As told: slices with 1 in 100 and 1 in 200 of the errors, in the tree and among the starts, however many."""
    for errors in (100_000, 10_000_000):
        assert pools.missed(errors, errors // 100, 20) < 1e-16
        assert pools.missed(errors, errors // 200, 20) < 1 / 9_000
        starts = pools.MOST_ERRORS // pools.START_SHARE
        assert pools.missed(errors, errors // 100, 1, starts) < 1 / 170
        assert pools.missed(errors, errors // 200, 1, starts) < 1 / 13


def test_a_larger_pool_keeps_the_smallest_node_and_lump(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more errors asked for, more are drawn; nodes of 20 stay nodes, and lumps hold 32 errors at most."""
    searching = import_module("misread.discover.search")
    vectors, errors, _ = large(0, 70_000, 8)
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(searching, "tree_nodes", lambda points, smallest: asked.append((len(points), smallest)) or [])
    for pool in (4_000, pools.MOST_ERRORS, 12_000, 10**6):
        search(class_of(put_aside(70_000, 8, [vectors]), errors), smallest=10, most=1, pool=pool)
    assert asked == [(4_000, 10), (8_192, 20), (12_000, 20), (errors.sum(), 20)]
    found = pools.lumps(vectors[errors], vectors[~errors])
    assert {len(lump) for lump in found} == {pools.LARGEST_LUMP}


@pytest.mark.parametrize(("columns", "size"), [(40, 3), (5_000, 4), (1_030, 4), (8_193, 32), (30, 30)])
def test_the_highest_of_many_are_those_of_all(columns: int, size: int) -> None:
    """Whether they are sought by groups or not, the largest numbers of every row are found."""
    numbers = np.random.default_rng(0).standard_normal((7, columns)).astype(np.float32)
    found = np.take_along_axis(numbers, pools._highest(numbers, size), 1)
    assert (np.sort(found, axis=1) == np.sort(numbers, axis=1)[:, -size:]).all()


@pytest.mark.slow
def test_a_slice_with_one_in_a_thousand_errors_needs_a_larger_pool() -> None:
    """100,000 rows of a class, 20,000 errors, some 22 in a slice: told by all errors, at times by the pool (F1)."""
    overlaps = []
    for seed in range(2):
        rng = np.random.default_rng(seed)
        n, dimension = 100_000, 32
        vectors = rng.standard_normal((n, dimension)) / np.sqrt(1 + np.arange(dimension) / 4)
        member = np.zeros(n, bool)
        member[rng.choice(n, 40, replace=False)] = True
        vectors[np.ix_(member, [5, 8, 11, 14])] += 1.7
        errors = rng.random(n) < np.where(member, 0.7, 0.2)
        assert errors.sum() / (errors & member).sum() > 800
        rows = class_of(put_aside(n, dimension, (vectors[s : s + 8192] for s in range(0, n, 8192))), errors)
        searches = (search(rows, smallest=10, most=1, pool=pool)[0].takes(vectors) for pool in (pools.MOST_ERRORS, n))
        overlaps.append([2 * (taken & member).sum() / (taken.sum() + member.sum()) for taken in searches])
    by_default, by_all = np.array(overlaps).T
    assert by_all.min() > 0.7
    assert by_all.mean() > by_default.mean() + 0.2


@pytest.mark.parametrize("kind", ["one row a patient", "errors", "losses", "a patient of many"])
def test_sums_of_shuffles_have_the_law_of_shuffles(kind: str) -> None:
    """Drawn by kinds of patients, the sums inside have the mean and spread of those over whole shuffles."""
    rng = np.random.default_rng(5)
    sizes = np.ones(400, int) if kind == "one row a patient" else rng.integers(1, 4, 250)
    sizes = np.append(sizes, 9) if kind == "a patient of many" else sizes
    patients = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    inside = rng.random(len(patients)) < np.where(patients % 5 == 0, 0.7, 0.05)
    values = rng.random(len(patients)) < np.where(patients % 3 == 0, 0.6, 0.1)
    values = rng.exponential(1.0, len(patients)) * (1 + values) if kind == "losses" else values
    shuffle = PatientShuffle(patients)
    whole = np.array([drawn[inside].sum() for drawn in shuffle.draws(values, 4_000, 0)], float)
    quick = shuffle.sums(values, inside, 4_000, 1)
    assert quick.mean() == pytest.approx(whole.mean(), abs=5 * whole.std() / np.sqrt(2_000))
    assert quick.std() == pytest.approx(whole.std(), rel=0.1)
    assert np.quantile(quick, 0.95) == pytest.approx(np.quantile(whole, 0.95), abs=0.25 * whole.std() + 1)
