"""Rules, examples and sentences."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from misread.describe import examples, metadata_rule, sentence, value_bank
from misread.percentages import percent
from misread.spill import PART_ROWS, Spilled

RNG = np.random.default_rng(5)
N = 400
ROWS = pl.DataFrame(
    {
        "view": RNG.choice(["AP", "PA", "AP supine"], N).tolist(),
        "age": [
            None if missing else int(age)
            for missing, age in zip(RNG.random(N) < 0.1, RNG.integers(18, 95, N), strict=True)
        ],
    }
)
FITTED = np.arange(N) % 2 == 0
EACH = np.arange(N)
"""Every row is of a patient of its own."""


def test_a_rule_of_two_conditions_is_found_as_it_was_made() -> None:
    """`view = AP supine and age > 70`, to the decile; a missing age meets no comparison."""
    old = (ROWS["age"] > 70).fill_null(value=False).to_numpy()
    inside = old & (ROWS["view"] == "AP supine").to_numpy()
    rule = metadata_rule(ROWS, inside, FITTED, EACH)
    assert rule is not None
    first, second = rule.text.split(" and ")
    assert {first.split()[0], second.split()[0]} == {"view", "age"}
    assert "view = AP supine" in rule.text
    assert (rule.takes & inside).sum() >= 0.8 * inside.sum()
    assert not rule.takes[ROWS["age"].is_null().to_numpy()].any()


def test_missing_values_can_be_what_a_slice_has_in_common() -> None:
    """`age missing` is a rule."""
    inside = ROWS["age"].is_null().to_numpy()
    rule = metadata_rule(ROWS, inside, FITTED, EACH)
    assert rule is not None
    assert rule.text == "age missing"
    assert (rule.takes == inside).all()


@pytest.mark.parametrize("inside", [RNG.random(N) < 0.1, np.zeros(N, bool), np.ones(N, bool)])
def test_where_nothing_is_in_common_there_is_no_rule(inside: np.ndarray) -> None:
    """Random rows, no row and every row have none; nor is there one without columns."""
    assert metadata_rule(ROWS, inside, FITTED, EACH) is None
    assert metadata_rule(ROWS.select([]), inside, FITTED, EACH) is None


@pytest.mark.parametrize(("patients", "told"), [(4, False), (5, True)])
def test_what_few_patients_have_is_no_rule(patients: int, told: bool) -> None:
    """A value that fewer than five patients have, on however many films, could tell who they are."""
    inside = np.arange(N) % 5 == 0
    rows = pl.DataFrame({"remark": ["seen in March" if i else None for i in inside]})
    whose = np.where(inside, np.cumsum(inside & FITTED) % patients, EACH + 10)
    rule = metadata_rule(rows, inside, FITTED, whose)
    assert (rule is not None and rule.text == "remark = seen in March") == told


def test_numbers_that_are_none_are_missing() -> None:
    """Infinite values and NaN make no cut and meet no comparison."""
    odd = [float("inf"), float("-inf"), float("nan"), None]
    rows = pl.DataFrame({"dose": [odd[i % 4] if i % 3 == 0 else float(i) for i in range(N)]})
    inside = np.arange(N) % 3 == 0
    rule = metadata_rule(rows, inside, FITTED, EACH)
    assert rule is not None
    assert rule.text == "dose missing"
    assert (rule.takes == inside).all()
    assert "dose missing" in {saying.shown for saying in value_bank(rows, ["dose"], FITTED).items}


def test_long_numbers_are_cut_where_the_rule_says() -> None:
    """Dates written as numbers of eight digits keep their deciles; the text of a rule is what it takes."""
    days = 20_200_101 + np.arange(N) % 30
    rule = metadata_rule(pl.DataFrame({"day": days}), days > 20_200_115, FITTED, EACH)
    assert rule is not None
    column, sign, cut = rule.text.split()
    assert (column, sign) == ("day", ">")
    assert (rule.takes == (days > float(cut))).all()
    assert 0.9 < (rule.takes & (days > 20_200_115)).sum() / (days > 20_200_115).sum() <= 1
    assert not rule.takes[days < 20_200_112].any()


def test_a_rule_is_fitted_on_discovery_rows_alone() -> None:
    """Turning the slice round on the other rows changes nothing."""
    inside = (ROWS["view"] == "AP").to_numpy()
    one, other = (metadata_rule(ROWS, rows, FITTED, EACH) for rows in (inside, np.where(FITTED, inside, ~inside)))
    assert one is not None
    assert other is not None
    assert one.text == other.text == "view = AP"


def test_examples_are_errors_near_their_middle_and_correct_neighbours() -> None:
    """Errors of the slice by their distance, one a patient; of each the nearest correct row of another patient."""
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((N, 3))
    inside, wrong = rng.random(N) < 0.4, rng.random(N) < 0.5
    patients = rng.integers(0, 120, N)
    found = examples(vectors, inside, wrong, ~wrong, patients)
    typical = [e for e in found if e.kind == "typical error"]
    neighbours = [e for e in found if e.kind == "correct neighbour"]
    assert [e.rank for e in typical] == [*range(1, 9)]
    middle = vectors[inside & wrong].mean(axis=0)
    assert all((inside & wrong)[e.row] and e.of is None for e in typical)
    distances = [float(np.linalg.norm(vectors[e.row] - middle)) for e in typical]
    assert distances == sorted(distances) == pytest.approx([e.distance for e in typical])
    assert len({patients[e.row] for e in typical}) == len(typical)
    assert {e.of for e in neighbours} == {e.row for e in typical}
    first = neighbours[0]
    able = np.flatnonzero(~wrong & (patients != patients[first.of]))
    assert first.row == able[np.argmin(np.linalg.norm(vectors[able] - vectors[first.of], axis=1))]
    assert len({patients[e.row] for e in neighbours}) == len(neighbours)


def test_neighbours_are_the_nearest_of_patients_not_shown_yet() -> None:
    """Of rows on disk in parts, nearly all of three patients, each neighbour is the nearest that is left."""
    rng = np.random.default_rng(3)
    n = 2 * PART_ROWS + 50
    patients = rng.choice(40, n, p=[*[0.33] * 3, *[0.01 / 37] * 37])
    vectors, wrong = np.round(rng.standard_normal((n, 2)), 2), rng.random(n) < 0.2  # many are as near as others
    spilled = Spilled(2)
    spilled.append(vectors)
    found = examples(spilled, np.ones(n, bool), wrong, ~wrong, patients)
    taken: set[int] = set()
    for example in (e for e in found if e.kind == "correct neighbour"):
        away = np.round(np.linalg.norm(vectors - vectors[example.of], axis=1), 9)
        able = ~wrong & ~np.isin(patients, [*taken, patients[example.of]])
        assert example.row == np.flatnonzero(able)[np.argmin(away[able])]
        taken.add(patients[example.row])
    assert len(taken) == sum(e.kind == "typical error" for e in found) == 8


def test_without_errors_there_is_no_example() -> None:
    """A slice that is read correctly has none; without a correct row errors stand alone."""
    rng = np.random.default_rng(2)
    vectors, everybody = rng.standard_normal((9, 2)), np.ones(9, bool)
    assert examples(vectors, everybody, ~everybody, everybody, np.arange(9)) == []
    alone = examples(vectors, everybody, everybody, ~everybody, np.arange(9))
    assert {e.kind for e in alone} == {"typical error"}


SLICE: dict[str, Any] = {
    "error_kind": "false negative", "target": "pneumothorax", "confirmed": True, "q_value": 0.002,
    "confirmation_rows": 52, "confirmation_errors": 38, "confirmation_patients": 41, "error_rate": 38 / 52,
    "error_rate_low": 0.6, "error_rate_high": 0.83, "baseline_rate": 0.12,
    "baseline_patients": 90,
}  # fmt: skip
PHRASE: dict[str, Any] = {
    "phrase": "no chest drain", "assertion": "absent", "source": "term", "q_value": 0.003, "rate_inside": 0.9,
    "rate_outside": 0.4, "patients_inside": 36, "patients_outside": 31, "lacking_inside": 11, "lacking_outside": 59,
}  # fmt: skip


def test_the_sentence_of_a_slice_holds_its_numbers() -> None:
    """What is misread, how often, against what, the phrase with its shares, and how sure it is. A share of images that
    have a phrase cannot be taken for an error rate: the images have it, it is not missed "more often with" it."""
    assert sentence(SLICE, [PHRASE], 11) == (
        "Misses pneumothorax in 38 of 52 images (73 %, 60 to 83; elsewhere 12 %); images of the slice more "
        'often have "no chest drain" in the report (90 % against 40 % elsewhere); q = 0.002, seen in 41 patients'
    )
    kinds = [{"error_kind": "false positive"}, {"confirmed": False, "q_value": 0.2}]
    assert sentence({**SLICE, **kinds[0]}, [], 11).startswith("Calls pneumothorax that is not there in 38 of 52")
    assert sentence({**SLICE, **kinds[1]}, [], 11).endswith("not confirmed: q = 0.2, seen in 41 patients")


def test_rates_below_one_in_a_hundred_are_told_apart_from_none() -> None:
    """Of a rare error two digits count, in the rate, its interval and elsewhere: 0.04 % is no 0 %."""
    rare = {"confirmation_errors": 3, "confirmation_rows": 700, "error_rate": 3 / 700, "baseline_rate": 0.0004}
    told = sentence({**SLICE, **rare, "error_rate_low": 0.00146, "error_rate_high": 0.0125}, [], 11)
    assert "in 3 of 700 images (0.43 %, 0.15 to 1.2; elsewhere 0.040 %)" in told
    shown = {
        0: "0 %",
        1e-7: "0.000010 %",
        0.0004: "0.040 %",
        0.00999: "1.0 %",
        0.094: "9.4 %",
        0.0996: "10 %",
        0.52: "52 %",
        1: "100 %",
    }
    assert {share: percent(share) for share in shown} == shown


def test_only_phrases_that_held_out_rows_bear_out_are_told() -> None:
    """A phrase with q above .05, or without one, is not in the sentence; the first of each kind is."""
    unsure = [{**PHRASE, "q_value": q, "phrase": "zebra"} for q in (0.06, None)]
    value = {**PHRASE, "source": "metadata", "phrase": "view = AP", "assertion": "present"}
    told = sentence(SLICE, [*unsure, PHRASE, {**PHRASE, "phrase": "giraffe"}, value], 11)
    assert "zebra" not in told
    assert "giraffe" not in told
    assert "in the report (90 % against 40 % elsewhere) and view = AP (90 % against 40 % elsewhere)" in told


def test_numbers_of_few_patients_are_not_told() -> None:
    """Of a slice with 1 to 10 patients inside or outside no number is told, nor what would tell it, a q-value or a
    phrase's share; of a phrase that so few inside have or lack no share is, that so few outside do, none outside."""
    for few in ("confirmation_patients", "baseline_patients"):
        told = sentence({**SLICE, few: 10, "confirmed": False}, [PHRASE], 11)
        assert told == "Misses pneumothorax in images; not confirmed: of too few patients to show numbers"
        assert "q = 0.002" in sentence({**SLICE, few: 10}, [PHRASE], 0)
    for name in ("patients_inside", "lacking_inside"):
        told = sentence(SLICE, [{**PHRASE, name: 10}], 11)
        assert 'elsewhere 12 %); images of the slice more often have "no chest drain" in the report; q' in told
    for name in ("patients_outside", "lacking_outside"):
        for few in (10, None):  # nobody counted them
            told = sentence(SLICE, [{**PHRASE, name: few}], 11)
            assert 'images of the slice more often have "no chest drain" in the report (90 %); q' in told
    nobody = {**PHRASE, "patients_outside": 0, "rate_outside": 0.0}
    assert "(90 % against 0 % elsewhere)" in sentence(SLICE, [nobody], 11)
    empty = {**SLICE, "confirmation_rows": 0, "confirmation_patients": 0, "error_rate": None}
    assert "the confirmation half has none" in sentence(empty, [], 11)


def test_losses_have_their_own_sentence() -> None:
    """The mean loss with its interval, in place of error rates."""
    row = {**SLICE, "error_kind": "high loss", "mean_loss": 1.25, "mean_loss_low": 1.0, "mean_loss_high": 1.5}
    told = sentence({**row, "baseline_loss": 0.5}, [], 11)
    assert told.startswith("Has high losses for pneumothorax in 52 images (mean 1.25, 1 to 1.5; elsewhere 0.5)")


@pytest.mark.parametrize("phrases", [[], [PHRASE]])
def test_no_sentence_claims_a_cause(phrases: list[dict[str, Any]]) -> None:
    """It tells what goes together."""
    words = sentence(SLICE, phrases, 11).lower()
    assert not any(word in words for word in ("because", "cause", "due to", "owing", "therefore", "leads to"))
