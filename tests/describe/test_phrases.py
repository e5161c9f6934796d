"""Phrases that set a slice apart."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.describe import metadata_phrases, report_phrases
from misread.describe.phrases import log_odds_z, phrases_of


def test_phrases_stay_within_a_clause_and_begin_and_end_with_a_word_that_counts() -> None:
    """No phrase crosses punctuation, begins or ends with a filler, or ends with a negation."""
    found = phrases_of("There is no chest drain. Heart size is normal")
    assert {"no chest drain", "chest drain", "drain", "heart size", "normal", "heart size is normal"} <= set(found)
    assert {"no", "is no", "drain heart", "there is no chest", "is"}.isdisjoint(found)


def test_negation_is_part_of_the_phrase() -> None:
    """`no pneumothorax` is a phrase of its own, beside `pneumothorax`."""
    assert "no pneumothorax" in phrases_of("No pneumothorax.")
    assert "no pneumothorax" not in phrases_of("Small pneumothorax.")


def corpus(n: int = 200) -> tuple[list[str | None], np.ndarray, np.ndarray]:
    inside = np.arange(n) % 4 == 0
    texts: list[str | None] = [
        f"{'No chest drain.' if inside[i] else 'Chest drain in place.'} Lungs are clear. Film {i}." for i in range(n)
    ]
    texts[7] = None
    return texts, inside, np.arange(n) % 8 < 4


def test_the_phrase_that_sets_the_slice_apart_comes_first() -> None:
    """It is found on discovery rows and counted on held-out rows, whole and not cut off."""
    texts, inside, held_out = corpus()
    first = report_phrases(texts, inside, held_out, 5)[0]
    assert first.phrase == "no chest drain"
    assert (first.source, first.rows_inside, first.rate_inside, first.rate_outside) == ("report", 25, 1.0, 0.0)
    assert first.lift is None
    assert first.z_score is not None
    assert first.z_score > 3


def test_phrases_that_are_everywhere_are_not_phrases_of_the_slice() -> None:
    """What is as frequent outside is left out; so is all that says the same as a phrase above it."""
    texts, inside, held_out = corpus()
    found = [phrase.phrase for phrase in report_phrases(texts, inside, held_out, 10)]
    assert not {"lungs", "clear", "lungs are clear", "film"} & set(found)
    assert len(found) == 1


@pytest.mark.parametrize(
    "texts", [[], [None] * 9, ["", " . "] * 6, ["same words"] * 12, ["x" * 10_000] * 8, ["\x00\u202e"] * 8]
)
def test_degenerate_texts_give_no_phrase(texts: list[str | None]) -> None:
    """No texts, empty ones, or texts all alike set nothing apart."""
    inside = np.arange(len(texts)) % 2 == 0
    assert report_phrases(texts, inside, np.arange(len(texts)) % 3 == 0, 5) == []


def test_metadata_values_are_phrases_with_missing_as_a_value() -> None:
    """Categories as `column = value`, numbers in quarters, and missing values as a value of their own."""
    n = 240
    inside = np.arange(n) % 3 == 0
    rows = pl.DataFrame(
        {"view": ["AP" if i else None for i in inside], "age": np.where(inside, 80, 30) + np.arange(n) % 17}
    )
    found = {p.phrase: p for p in metadata_phrases(rows, inside, np.arange(n) % 2 == 0, 5)}
    assert "view = AP" in found
    outside = {p.phrase for p in metadata_phrases(rows, ~inside, np.arange(n) % 2 == 0, 5)}
    assert outside & {"view missing", "age below 41"} or any(p.startswith("age") for p in outside)
    assert all(p.source == "metadata" for p in found.values())


def test_rates_are_counts_of_held_out_rows() -> None:
    """Rows inside, rates and lift are what counting by hand gives."""
    texts, inside, held_out = corpus()
    texts[0] = "Lungs are clear."  # a held-out row inside loses the phrase
    texts[9] = "No chest drain."  # a row outside, not held out, has it
    texts[11] = "No chest drain."
    first = report_phrases(texts, inside, held_out, 1)[0]
    known = np.array([t is not None for t in texts])
    has = np.array([t is not None and "No chest drain" in t for t in texts])
    judged = held_out & known
    assert first.rows_inside == (has & judged & inside).sum()
    assert first.rate_inside == pytest.approx((has & judged & inside).sum() / (judged & inside).sum())
    assert first.rate_outside == pytest.approx((has & judged & ~inside).sum() / (judged & ~inside).sum())


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_z_is_the_log_odds_ratio_over_its_standard_error(a: int, more: int, b: int, rest: int) -> None:
    """With 0.5 added to each cell; swapping inside and outside turns its sign."""
    cells = [a + 0.5, more + 0.5, b + 0.5, rest + 0.5]
    expected = (math.log(cells[0] / cells[1]) - math.log(cells[2] / cells[3])) / math.sqrt(sum(1 / c for c in cells))
    assert log_odds_z(a, a + more, b, b + rest) == pytest.approx(expected)
    assert log_odds_z(b, b + rest, a, a + more) == pytest.approx(-expected)
