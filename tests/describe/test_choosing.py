"""Choosing what tells a slice."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.describe import Bank, Chooser, phrase_bank, value_bank
from misread.describe.choosing import strengths
from misread.describe.incidence import incidence
from misread.describe.values import AT_ONCE

Texts = list[str | None]


def bank_of(texts: Texts, counted: np.ndarray | None = None, **listed: tuple[str, ...]) -> Bank:
    told = [(row, text) for row, text in enumerate(texts) if text is not None]
    every = np.ones(len(texts), bool) if counted is None else counted
    return phrase_bank(len(texts), lambda: told, every, listed)


def chosen(bank: Bank, inside: np.ndarray, most: int = 5) -> list[str]:
    rows = np.flatnonzero(bank.known)
    chooser = Chooser(bank, rows, inside[rows])
    shown = [bank.items[item].shown for item in chooser.shortlist]
    return [bank.items[i].shown for i in chooser.choose(None, shown, np.zeros(len(shown)), most)]


INSIDE = np.arange(200) % 4 == 0
TEXTS: Texts = [
    f"{'Patient wears a cap.' if inside else 'Hat removed.'} Lungs are clear. Film {row}."
    for row, inside in enumerate(INSIDE)
]


def test_the_phrase_that_sets_the_slice_apart_comes_first_and_alone() -> None:
    """What is as frequent outside is left out; so is all that says the same as a phrase above it."""
    assert chosen(bank_of(TEXTS), INSIDE) == ["patient wears a cap"]


def test_each_phrase_adds_to_those_before_it() -> None:
    """Of two independent signs both come, before the echoes of the stronger one."""
    rng = np.random.default_rng(0)
    first, second = rng.random(600) < 0.3, rng.random(600) < 0.3
    inside = (first & (rng.random(600) < 0.9)) | (second & (rng.random(600) < 0.6))
    echo = first & (rng.random(600) < 0.7)
    texts: Texts = [
        " ".join(
            ["Plain film.", *(["Zebra."] if a else []), *(["Giraffe."] if b else []), *(["Stripes."] if c else [])]
        )
        for a, b, c in zip(first, second, echo, strict=True)
    ]
    assert chosen(bank_of(texts), inside)[:2] == ["zebra", "giraffe"]


@pytest.mark.parametrize("texts", [[], [None] * 9, ["", " . "] * 6, ["same words"] * 12, ["x" * 10_000] * 8])
def test_degenerate_texts_give_no_phrase(texts: Texts) -> None:
    """No texts, empty ones, or texts all alike set nothing apart."""
    assert chosen(bank_of(texts), np.arange(len(texts)) % 2 == 0) == []


def test_everybody_and_nobody_have_no_phrase() -> None:
    """A slice of all rows, or of none, is not set apart."""
    bank = bank_of(TEXTS)
    assert chosen(bank, np.ones(200, bool)) == chosen(bank, np.zeros(200, bool)) == []


def test_the_users_phrases_are_found_by_their_spellings() -> None:
    """A listed phrase gathers the rows of all its spellings, and goes by its name."""
    texts: Texts = [
        (["A baseball cap.", "Wears a beanie."][row % 8 // 4] if inside else "Bare head.") + f" Film {row}."
        for row, inside in enumerate(INSIDE)
    ]
    bank = bank_of(texts, headgear=("cap", "beanie"))
    place = [saying.shown for saying in bank.items].index("headgear")
    assert (bank.of(place) == INSIDE).all()
    assert {saying.source for saying in bank.items if saying.phrase == "headgear"} == {"list"}


def test_a_bank_is_counted_on_the_rows_that_may_suggest_phrases() -> None:
    """Whatever only other rows say is no phrase; who says what is known of them all."""
    counted = np.arange(200) < 100
    texts: Texts = [f"Zebra. {'Giraffe.' if row >= 100 else ''} {'Lion.' if row % 2 else ''}" for row in range(200)]
    bank = bank_of(texts, counted)
    words = [saying.shown for saying in bank.items if saying.source == "report"]
    assert words == ["lion"]
    assert bank.of([saying.shown for saying in bank.items].index("lion")).sum() == 100


@given(st.integers(1, 40), st.integers(1, 40), st.data())
def test_strength_is_the_signed_root_of_the_likelihood_ratio(n: int, m: int, data: st.DataObject) -> None:
    """0 where rates are equal; swapping inside and outside turns its sign; else by the formula written out."""
    a, b = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))

    def log_likelihood(k: int, rows: int, rate: float) -> float:
        return (k * math.log(rate) if k else 0.0) + ((rows - k) * math.log(1 - rate) if rows > k else 0.0)

    pooled = (a + b) / (n + m)
    apart = log_likelihood(a, n, a / n) + log_likelihood(b, m, b / m)
    together = log_likelihood(a, n, pooled) + log_likelihood(b, m, pooled)
    expected = math.copysign(math.sqrt(max(0.0, 2 * (apart - together))), a / n - b / m)
    (found,) = strengths(np.array([a]), np.array([b]), n, m)
    assert found == pytest.approx(expected, abs=1e-6)
    assert strengths(np.array([b]), np.array([a]), m, n)[0] == pytest.approx(-expected, abs=1e-6)


def test_items_beyond_the_most_frequent_are_left_out() -> None:
    """Of many items the most frequent are kept, ties by order; what is held does not grow with the texts."""

    def documents() -> list[tuple[int, dict[str, bool]]]:
        return [(row, {f"w{row % 7}": True, f"v{row % 3}": True}) for row in range(63)]

    found = incidence(63, documents, np.ones(63, bool), most=4)
    assert found.items == ("v0", "v1", "v2", "w0")


def test_items_of_few_patients_are_left_out() -> None:
    """What fewer than five patients have, on however many films, is no item."""

    def documents() -> list[tuple[int, dict[str, bool]]]:
        return [(row, {f"w{row % 3}": True}) for row in range(60)]

    found = incidence(60, documents, np.ones(60, bool))
    patients = np.array([row if row % 3 == 0 else row % 12 if row % 3 == 1 else row % 15 for row in range(60)])
    kept = found.of_patients(patients)
    assert kept.items == ("w0", "w2")  # w1 is of four patients, w2 of five
    assert (kept.counts(np.ones(60, bool)) == 20).all()


def test_metadata_values_are_items_with_missing_as_a_value() -> None:
    """Categories as `column = value`, numbers in quarters, and missing values as a value of their own."""
    n = 240
    inside = np.arange(n) % 3 == 0
    rows = pl.DataFrame(
        {"view": ["AP" if i else None for i in inside], "age": np.where(inside, 80, 30) + np.arange(n) % 17}
    )
    bank = value_bank(rows, rows.columns, np.ones(n, bool))
    assert "view = AP" in chosen(bank, inside)
    assert set(chosen(bank, ~inside)) & {"view missing", "age below 41"}
    assert value_bank(rows, [], np.ones(n, bool)).items == ()


@pytest.mark.parametrize("n", [0, 300, AT_ONCE + 7])
def test_values_counted_by_codes_are_those_counted_row_by_row(n: int) -> None:
    """Who has which value is the same as if each row were a text that says its values, however many rows there are."""
    rng = np.random.default_rng(n)
    columns = {
        "view": [["PA", "AP", "LL", None][int(k)] for k in rng.integers(0, 4, n)],
        "beds": [[0, 1, 12][int(k)] for k in rng.choice(3, n, p=[0.7, 0.295, 0.005])],
    }
    rows = pl.DataFrame(columns, {"view": pl.String, "beds": pl.Int64})
    counted = rng.random(n) < 0.5

    def documents() -> list[tuple[int, dict[str, bool]]]:
        told = ([f"{c} missing" if v is None else f"{c} = {v}" for c, v in row.items()] for row in rows.to_dicts())
        return [(number, dict.fromkeys(values, True)) for number, values in enumerate(told)]

    bank, wanted = value_bank(rows, rows.columns, counted), incidence(n, documents, counted)
    assert tuple(item.shown for item in bank.items) == wanted.items
    assert bank.has.shape == wanted.has.shape
    assert (bank.has != wanted.has).nnz == 0
    assert (bank.known == wanted.known).all()


def test_rows_without_a_text_have_no_items() -> None:
    """Some of the first, middle and last rows have no text: what the others have stays theirs."""
    texts = {row: {"a": True} if row % 2 else {"a": True, "b": True} for row in range(2, 40) if row % 5}
    texts |= {41: {"b": True}, 43: {}}
    found = incidence(50, texts.items, np.ones(50, bool))
    assert found.items == ("a", "b")
    assert np.flatnonzero(found.known).tolist() == list(texts)
    dense = found.has.toarray()
    assert [{item for item, has in zip(found.items, row, strict=True) if has} for row in dense] == [
        set(texts.get(row, ())) for row in range(50)
    ]
