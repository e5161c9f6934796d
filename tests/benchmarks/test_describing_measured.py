"""The benchmark of words measures what it says."""

import numpy as np
import polars as pl
import pytest

from benchmarks.describing.__main__ import best, shortfall, wanted
from benchmarks.describing.describers import DESCRIBERS, Corpus
from benchmarks.describing.nothing import random_audit
from benchmarks.describing.words import WORDS, names, told
from misread.encode.tfidf import TfidfFitter

N = 300
INSIDE = np.arange(N) % 5 == 0
TEXTS = [
    f"{'Enteric tube in the stomach.' if inside else 'Plain film.'} Clear lungs {row}."
    for row, inside in enumerate(INSIDE)
]
FITTER = TfidfFitter()
VECTORS = np.asarray(FITTER.from_arrays(FITTER.fit(TEXTS)).encode(TEXTS), float)


def test_every_describer_names_what_only_the_slice_says() -> None:
    """On reports that differ in one sentence each way of telling names it; none says anything of nobody."""
    corpus = Corpus(TEXTS, VECTORS)
    for name, describe in DESCRIBERS.items():
        phrases = describe(corpus, np.arange(N), INSIDE)
        assert 0 < len(phrases) <= 3
        assert any(names("demo", "gastric_tube", phrase) for phrase in phrases), name
        assert describe(corpus, np.arange(N), np.zeros(N, bool)) == []


def test_words_are_whole_words_of_the_attribute() -> None:
    """`ng` is no part of `lung`; a group and its opposite have the same words; what reports never tell has none."""
    assert names("demo", "gastric_tube", "NG tube")
    assert not names("demo", "gastric_tube", "clear lungs")
    assert names("demo", "not drain", "no chest drain")
    assert told("demo", "not drain")
    assert not told("demo", "female")
    assert all(words for source in WORDS.values() for words in source.values())


@pytest.mark.parametrize(("others", "asked"), [((0.2, 0.4), 0.52), ((0.9, 0.1), 0.95), ((0.0,), 0.0), ((1.0,), 1.0)])
def test_what_is_asked_for_is_the_lesser_of_the_two(others: tuple[float, ...], asked: float) -> None:
    """1.3 times the best other, or half of what it misses."""
    assert wanted(others) == pytest.approx(asked)


def test_the_slice_found_is_the_one_of_highest_f1() -> None:
    """Among rows of the class; none where no slice has a row of the planted one."""
    own = np.arange(N) < 200
    members = np.stack([INSIDE | (np.arange(N) > 100), INSIDE, ~INSIDE], axis=1)
    found = best(members, INSIDE & own, own)
    assert found is not None
    assert (found == (INSIDE & own)).all()
    assert best(~INSIDE[:, None], INSIDE & own, own) is None


def test_slices_of_random_rows_are_told_nothing() -> None:
    """One made-up audit has an answer for each of its slices; a false phrase is rare."""
    audits = [
        random_audit(Corpus(TEXTS, VECTORS), np.arange(N) // 2, pl.DataFrame({"a": INSIDE}), seed, of_patients=True)
        for seed in range(4)
    ]
    rows = [row for audit in audits for row in audit]
    assert len(rows) == 20
    assert sum(row["phrase"] for row in rows) <= 3


def test_falling_short_is_told() -> None:
    """Too few named, or too many false phrases: the run says so."""
    row = {"cell": "c", "kind": "found", "first": False}
    rows = [{**row, "describer": name, "hit": name == "Domino"} for name in DESCRIBERS]
    assert "asked for" in shortfall(rows, [{"phrase": False}])
    good = [{**row, "describer": name, "hit": name == "ours"} for name in DESCRIBERS]
    assert shortfall(good, [{"phrase": False}]) == ""
    assert "random slices" in shortfall(good, [{"phrase": True}])
