from dataclasses import fields

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.demo import ATTRIBUTES, PATIENT_ATTRIBUTES, Appearance, Plant, appearances, draw_population

MANY = 6000
SURE = 0.035


def share(films: pl.DataFrame, attribute: str, given: str | None = None, holds: bool = True) -> float:
    kept = films if given is None else films.filter(pl.col(given) == holds)
    return float(kept[attribute].mean())  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_population() -> None:
    """A population is a function of its arguments."""
    assert draw_population(300, seed=4).equals(draw_population(300, seed=4))
    assert not draw_population(300, seed=4).equals(draw_population(300, seed=5))


def test_ids_are_text_unique_and_nested() -> None:
    """Every film has its own id, made of its patient's, and patients have one to three films."""
    films = draw_population(400, seed=1)
    assert films["sample_id"].n_unique() == len(films)
    assert films["sample_id"].is_sorted()
    assert (films["sample_id"].str.head(6) == films["patient_id"]).all()
    assert set(films.group_by("patient_id").len()["len"]) == {1, 2, 3}


def test_one_patient_stays_one_person() -> None:
    """Sex, age, body and habitus never change between the films of one patient."""
    films = draw_population(800, seed=2)
    fixed = ["sex", "age", "body", "habitus", *PATIENT_ATTRIBUTES]
    kinds = films.group_by("patient_id").agg(pl.col(*fixed, "effusion").n_unique())
    assert all(kinds[name].max() == 1 for name in fixed)
    assert kinds["effusion"].max() == 2


def test_rows_and_appearances_say_the_same() -> None:
    """The yes/no columns of a row agree with the appearance rebuilt from it."""
    films = draw_population(500, seed=3)
    for row, shown in zip(films.iter_rows(named=True), appearances(films), strict=True):
        assert shown == Appearance(**{field.name: row[field.name] for field in fields(Appearance) if field.name in row})
        for name in ("pneumothorax", "effusion", "consolidation", "nodule", "drain", "line"):
            assert row[name] == (getattr(shown, f"{name}_side") is not None)
        assert row["supine"] == shown.supine
        assert row["female"] == (shown.sex == "F")
        assert row["older_scanner"] == (shown.scanner == "B")


def test_a_drain_lies_on_the_side_of_the_pneumothorax() -> None:
    """Where both are there, drain and pneumothorax share a side."""
    both = draw_population(1500, seed=6).filter("drain", "pneumothorax")
    assert len(both) > 30
    assert (both["drain_side"] == both["pneumothorax_side"]).all()


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_any_rate_can_be_set(name: str) -> None:
    """An attribute's rate is the one asked for, whatever else it hangs on."""
    films = draw_population(MANY, seed=8, rates={name: 0.4}, films_per_patient=(1.0,))
    assert share(films, name) == pytest.approx(0.4, abs=SURE)


def test_nature_links_attributes() -> None:
    """Unplanted, the sick are monitored: tubes go with supine films, heart size with age."""
    films = draw_population(MANY, seed=9)
    assert share(films, "tube", "supine") > 3 * share(films, "tube", "supine", holds=False)
    assert films.filter("cardiomegaly")["age"].mean() > films.filter(~pl.col("cardiomegaly"))["age"].mean() + 3


@settings(max_examples=12)
@given(
    pair=st.lists(st.integers(0, len(ATTRIBUTES) - 1), min_size=2, max_size=2, unique=True),
    p_with=st.floats(0, 1),
    p_without=st.floats(0, 1),
)
def test_any_pair_can_be_planted(pair: list[int], p_with: float, p_without: float) -> None:
    """P(attribute | given) is the planted one, for any two attributes, of patients or of films."""
    given_name, attribute = (ATTRIBUTES[place] for place in sorted(pair))
    plant = Plant(attribute, given_name, p_with, p_without, rate=0.4)
    films = draw_population(MANY, seed=10, plant=plant, films_per_patient=(1.0,))
    assert share(films, given_name) == pytest.approx(0.4, abs=SURE)
    assert share(films, attribute, given_name) == pytest.approx(p_with, abs=SURE)
    assert share(films, attribute, given_name, holds=False) == pytest.approx(p_without, abs=SURE)


def test_changing_one_rate_leaves_unlinked_attributes_as_they_were() -> None:
    """Attributes have random streams of their own."""
    plain, more = draw_population(300, seed=14), draw_population(300, seed=14, rates={"nodule": 0.5})
    assert plain["supine"].equals(more["supine"])
    assert plain["film_seed"].equals(more["film_seed"])


@pytest.mark.parametrize(("name", "rate"), [("halo", 0.5), ("nodule", 1.5)])
def test_impossible_wishes_are_refused(name: str, rate: float) -> None:
    """Unknown names and impossible rates are refused by name."""
    with pytest.raises(ValueError, match=name):
        draw_population(5, seed=0, rates={name: rate})


def test_nobody_is_a_population_too() -> None:
    """Zero patients give a frame of zero films with the same columns."""
    none, some = draw_population(0, seed=1), draw_population(5, seed=1)
    assert len(none) == 0
    assert none.columns == some.columns
    assert none["drain_side"].dtype == some["drain_side"].dtype == pl.String
