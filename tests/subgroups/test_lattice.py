"""The best conjunctions of metadata values."""

import itertools
from collections.abc import Callable
from functools import partial
from unittest.mock import Mock

import numpy as np
import pytest
from sliceline.slicefinder import Slicefinder

from misread.discover.scan import scan_statistic
from misread.subgroups import Conjunction, ScanScore, Score, SliceLineScore, best_conjunctions, lattice, rows_with


def rows_of(seed: int, n: int = 400, columns: int = 5, values: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Random codes, and errors that gather where the first two columns are 0."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, values, (n, columns))
    rate = np.where((codes[:, 0] == 0) & (codes[:, 1] == 0), 0.6, 0.15)
    return codes, rng.random(n) < rate


def every(codes: np.ndarray, errors: np.ndarray, score: Score, least: int, improving: bool) -> list[Conjunction]:
    """All conjunctions by counting each, without any bound."""
    found = {}
    for count in (1, 2, 3):
        for columns in itertools.combinations(range(codes.shape[1]), count):
            for values in itertools.product(*(np.unique(codes[:, c]).tolist() for c in columns)):
                inside = np.all(codes[:, columns] == values, axis=1)
                n, k = int(inside.sum()), int(errors[inside].sum())
                if n >= least and k:
                    terms = tuple(zip(columns, values, strict=True))
                    found[terms] = Conjunction(terms, n, k, float(score.of(k, n)))

    def improves(one: Conjunction) -> bool:
        parts = [p for size in range(1, len(one.terms)) for p in itertools.combinations(one.terms, size)]
        return all(one.score > found[part].score for part in parts)

    kept = [one for one in found.values() if one.score > 0 and (not improving or improves(one))]
    return sorted(kept, key=lambda one: (-one.score, len(one.terms), one.terms))


@pytest.mark.parametrize("improving", [True, False])
@pytest.mark.parametrize("kind", [ScanScore, SliceLineScore])
@pytest.mark.parametrize("seed", range(6))
def test_pruning_loses_nothing(seed: int, kind: type, improving: bool) -> None:
    """The best are those found by counting every conjunction, in the same order, with the same counts."""
    codes, errors = rows_of(seed)
    score = kind(int(errors.sum()), len(errors))
    for least in (1, 12):
        got = best_conjunctions(codes, errors, score, min_size=least, top=15, improving=improving)
        wanted = every(codes, errors, score, least, improving)[:15]
        assert [(g.terms, g.rows, g.errors) for g in got] == [(w.terms, w.rows, w.errors) for w in wanted]
        assert [g.score for g in got] == pytest.approx([w.score for w in wanted])


@pytest.mark.parametrize("improving", [True, False])
@pytest.mark.parametrize("kind", [ScanScore, partial(SliceLineScore, alpha=0.95)], ids=["scan", "SliceLine"])
@pytest.mark.parametrize("top", [1, 2, 3, 5, 8, 13, 40])
def test_ties_are_listed_by_fewer_terms_then_by_columns_and_codes(
    kind: Callable[[int, int], Score], top: int, improving: bool
) -> None:
    """However many are listed, and in whatever order they are met: where columns repeat, every score comes often."""
    codes, errors = rows_of(3, n=240, columns=2, values=3)
    for order in ([0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 1, 0]):
        repeated = codes[:, order]
        score = kind(int(errors.sum()), len(errors))
        got = best_conjunctions(repeated, errors, score, min_size=1, top=top, improving=improving)
        wanted = every(repeated, errors, score, 1, improving)
        assert len({one.score for one in wanted}) < len(wanted)
        assert [one.terms for one in got] == [one.terms for one in wanted[:top]]


@pytest.mark.parametrize("seed", [4, 11, 12, 13])
def test_a_tie_with_the_last_one_listed_is_not_pruned(seed: int) -> None:
    """Where a subgroup is all errors, and no part could be better, its bound is its score: it still counts."""
    codes = np.random.default_rng(seed).integers(0, 2, (24, 5))
    errors = (codes[:, 0] == 0) & (codes[:, 1] == 0) | (codes[:, 2] == 1) & (codes[:, 4] == 0)
    score = ScanScore(int(errors.sum()), len(errors))
    for improving in (True, False):
        wanted = [one.terms for one in every(codes, errors, score, 1, improving)]
        for top in (1, 2, 3, 5, 8, 13, 20):
            got = best_conjunctions(codes, errors, score, min_size=1, top=top, improving=improving)
            assert [one.terms for one in got] == wanted[:top]


@pytest.mark.parametrize("alpha", [0.98, 0.99])
@pytest.mark.parametrize("seed", range(3))
def test_with_its_score_the_top_ten_are_slicelines(seed: int, alpha: float) -> None:
    """Given SliceLine's score and codes, the top ten are those of the SliceLine package: rows, errors and scores."""
    codes, errors = rows_of(seed, n=2000, columns=8)
    finder = Slicefinder(alpha=alpha, k=10, max_l=3, min_sup=20, verbose=False).fit(codes, errors.astype(float))
    theirs = [
        (tuple((c, int(v)) for c, v in enumerate(row) if v is not None), told["slice_size"], told["slice_score"])
        for row, told in zip(finder.top_slices_, finder.top_slices_statistics_, strict=True)
    ]
    score = SliceLineScore(int(errors.sum()), len(errors), alpha)
    ours = best_conjunctions(codes, errors, score, min_size=20, top=10, improving=False)
    assert len(ours) == len(theirs) == 10
    assert [o.score for o in ours] == pytest.approx([score for _, _, score in theirs])
    assert {(o.terms, o.rows) for o in ours} == {(terms, size) for terms, size, _ in theirs}


@pytest.mark.parametrize("kind", [ScanScore, *(partial(SliceLineScore, alpha=alpha) for alpha in (0.6, 0.95, 1.0))])
@pytest.mark.parametrize(("wrong", "right"), [(1, 20), (6, 20), (12, 12), (15, 3)])
def test_no_error_more_lowers_a_score_and_no_other_row_raises_it(
    kind: Callable[[int, int], Score], wrong: int, right: int
) -> None:
    """Above 0, that is: on this stands what the search passes over, as its errors are too few however few the rows."""
    errors, others = np.mgrid[: wrong + 1, : right + 1]
    scores = kind(wrong, wrong + right).of(errors, errors + others)
    counts = scores > 1e-9
    assert counts.any()
    assert (scores[1:] >= scores[:-1] - 1e-12)[counts[:-1]].all()
    assert (scores[1:, :-1] > scores[:-1, 1:])[counts[:-1, 1:]].all()  # an error in the place of another row
    assert (scores[:, 1:] < scores[:, :-1])[counts[:, 1:]].all()


@pytest.mark.parametrize("kind", [ScanScore, partial(SliceLineScore, alpha=0.95)], ids=["scan", "SliceLine"])
def test_how_many_are_counted_in_one_go_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: Callable[[int, int], Score]
) -> None:
    """Where rows and values are many it goes in steps: the answers are the same, and `check` is asked oftener."""
    codes, errors = rows_of(7, n=700, columns=6)
    asked, answers = [], []
    for in_one_go in (2**22, 40, 1):
        monkeypatch.setattr(lattice, "WORDS_AT_ONCE", in_one_go)
        monkeypatch.setattr(lattice, "PAIRS_AT_ONCE", in_one_go)
        check = Mock()
        score = kind(int(errors.sum()), len(errors))
        answers.append(best_conjunctions(codes, errors, score, min_size=5, top=20, check=check))
        asked.append(check.call_count)
    assert len(answers[0]) > 5
    assert answers[0] == answers[1] == answers[2]
    assert asked[0] < asked[1] < asked[2]


def test_the_planted_conjunction_comes_first() -> None:
    """Errors gather where two columns are 0: that pair is the best, and its rows are all of them."""
    codes, errors = rows_of(0, n=3000)
    best = best_conjunctions(codes, errors, ScanScore(int(errors.sum()), 3000), min_size=10)[0]
    inside = (codes[:, 0] == 0) & (codes[:, 1] == 0)
    assert best.terms == ((0, 0), (1, 0))
    assert (best.rows, best.errors) == (inside.sum(), errors[inside].sum())
    assert best.score == pytest.approx(float(scan_statistic(best.errors, best.rows, errors.sum(), 3000)))


def test_the_order_of_rows_does_not_matter() -> None:
    """Shuffled rows give the same answer."""
    codes, errors = rows_of(3)
    order = np.random.default_rng(0).permutation(len(codes))
    score = ScanScore(int(errors.sum()), len(errors))
    assert best_conjunctions(codes, errors, score, min_size=5) == best_conjunctions(
        codes[order], errors[order], score, min_size=5
    )


def test_degenerate_tables_have_no_subgroups() -> None:
    """No rows, no columns, no error, one value only, errors everywhere, or a size nobody reaches."""
    codes, errors = rows_of(0, n=60)
    score = ScanScore(int(errors.sum()), 60)
    none = np.zeros(60, bool)
    assert best_conjunctions(codes[:0], none[:0], ScanScore(0, 0), min_size=1) == []
    assert best_conjunctions(codes[:, :0], errors, score, min_size=1) == []
    assert best_conjunctions(codes, none, ScanScore(0, 60), min_size=1) == []
    assert best_conjunctions(np.zeros((60, 3), int), errors, score, min_size=1) == []
    assert best_conjunctions(codes, ~none, ScanScore(60, 60), min_size=1) == []
    assert best_conjunctions(codes, errors, score, min_size=61) == []
    assert best_conjunctions(codes, errors, score, min_size=1, top=0) == []


def test_who_is_not_admitted_is_not_listed() -> None:
    """`admit` sees the terms of each, and the next best take the places of those it refuses."""
    codes, errors = rows_of(1)
    score = ScanScore(int(errors.sum()), len(errors))
    listed = best_conjunctions(
        codes, errors, score, min_size=5, top=3, admit=lambda terms: rows_with(terms, codes).sum() >= 40
    )
    wanted = [one for one in every(codes, errors, score, 5, True) if one.rows >= 40][:3]
    assert [one.terms for one in listed] == [one.terms for one in wanted]
