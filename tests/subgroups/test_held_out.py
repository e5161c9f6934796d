"""Subgroups that one half of the patients suggests, and what the other half says of them."""

from unittest.mock import Mock

import numpy as np
import pytest

from misread.discover import confirm, q_values
from misread.subgroups import DividedRows, rows_with
from misread.subgroups.lattice import unchecked

COLUMNS = 14
BASE = 0.15


def rows_of(generator: np.random.Generator, people: int, of_each: int, planted: float = BASE) -> DividedRows:
    """Columns of four values by patient; errors at BASE, and at `planted` where the first column is 0."""
    patients = np.repeat(np.arange(people), of_each)
    codes = generator.integers(0, 4, (people, COLUMNS))[patients]
    rate = np.where(codes[:, 0] == 0, planted, BASE)[::of_each]
    own = rate if of_each == 1 else generator.beta(3 * rate, 3 * (1 - rate))
    errors = generator.random(len(patients)) < own[patients]
    return DividedRows(codes, errors, patients, (generator.random(people) < 0.5)[patients])


def searched(rows: DividedRows, **others: int) -> list:
    wanted = {"min_size": 10, "most_terms": 3, "top": 10, "smallest_cell": 11} | others
    return rows.search(**wanted, check=unchecked)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "of_each"), [(800, 1), (500, 2)])
def test_where_errors_are_by_chance_the_best_subgroup_reads_as_any_other(people: int, of_each: int) -> None:
    """The first of ten, the best of thousands searched, shows the truth without bias and within its interval as often
    as it says; hardly any null has a subgroup confirmed."""
    generator = np.random.default_rng(0)
    rates, held, found_any, nulls = [], 0, 0, 40
    for seed in range(nulls):
        rows = rows_of(generator, people, of_each)
        verdicts = rows.confirmed(searched(rows), seed, unchecked)
        assert verdicts
        rates.append(verdicts[0].rate)
        held += verdicts[0].low <= BASE <= verdicts[0].high
        found_any += q_values(np.array([one.p_value for one in verdicts])).min() <= 0.05
    assert np.mean(rates) == pytest.approx(BASE, abs=3 * np.std(rates) / np.sqrt(nulls))
    assert held >= 0.85 * nulls
    assert found_any <= 0.15 * nulls


def test_a_planted_subgroup_is_confirmed() -> None:
    """Among 1,500 patients twice the errors in a quarter of them are found and borne out."""
    rows = rows_of(np.random.default_rng(1), 1500, 2, planted=0.4)
    first, *_ = found = searched(rows)
    assert first.terms == ((0, 0),)
    verdict, *others = rows.confirmed(found, 0, unchecked)
    assert q_values(np.array([verdict.p_value, *(one.p_value for one in others)]))[0] < 0.01
    assert verdict.low < 0.4 < verdict.high


def test_each_is_judged_as_a_slice_of_the_other_half_is() -> None:
    """What is said of a subgroup is what `confirm` says of its held-out rows, whatever else is listed."""
    rows = rows_of(np.random.default_rng(2), 400, 2, planted=0.5)
    held_out = ~rows.discovery
    found = searched(rows)
    for one, verdict in zip(found, rows.confirmed(found, 7, unchecked), strict=True):
        inside = rows_with(one.terms, rows.codes[held_out])
        assert verdict == confirm(inside, rows.errors[held_out], rows.patients[held_out], 7)
        assert (one.rows, one.errors) == (
            rows_with(one.terms, rows.codes[rows.discovery]).sum(),
            rows.errors[rows.discovery & rows_with(one.terms, rows.codes)].sum(),
        )


def test_what_the_other_half_has_no_row_of_is_not_listed() -> None:
    """A value that only searched patients have cannot be judged: others take its place."""
    rows = rows_of(np.random.default_rng(3), 400, 1)
    codes, errors = rows.codes.copy(), rows.errors.copy()
    only = np.flatnonzero(rows.discovery)[:30]
    codes[only, 1], errors[only] = 4, True
    found = searched(DividedRows(codes, errors, rows.patients, rows.discovery), smallest_cell=0)
    assert found
    assert not any((1, 4) in one.terms for one in found)


@pytest.mark.parametrize(
    ("between", "of_the_part", "is_told"), [(10, 0, False), (11, 0, True), (21, 10, True), (21, 11, False)]
)
@pytest.mark.parametrize("searched_half", [True, False])
def test_of_two_that_differ_in_few_patients_the_better_is_listed(
    between: int, of_the_part: int, is_told: bool, searched_half: bool
) -> None:
    """What lies between a subgroup and a part of it could be told from both: rows of patients of either half, and how
    many of these patients the part has no row of.

    Errors are sure in the part, less so between it and the whole, and rare elsewhere, so that both score.
    """
    rows = [
        (first, second, place % 10 < tenths, half)
        for half in (True, False)
        for first, second, people, tenths in [
            (0, 0, 40, 10),
            (0, 1, between if half is searched_half else 30, 2),
            (1, 0, 60, 1),
            (1, 1, 60, 1),
        ]
        for place in range(people)
    ]
    first, second, errors, discovery = (np.array(column) for column in zip(*rows, strict=True))
    patients = np.arange(len(rows))
    part_rows, between_rows = (
        np.flatnonzero((first == 0) & (second == value) & (discovery == searched_half)) for value in (0, 1)
    )
    patients[between_rows[:of_the_part]] = patients[part_rows[:of_the_part]]
    divided = DividedRows(np.stack([first, second], axis=1), errors, patients, discovery)
    whole, part = ((0, 0),), ((0, 0), (1, 0))
    told, allowed = ([one.terms for one in searched(divided, smallest_cell=cell)] for cell in (11, 0))
    assert {whole, part} <= {*allowed}
    assert {whole, part} & {*told} == ({whole, part} if is_told else {part})


def test_work_is_stopped_between_two_that_are_judged() -> None:
    """`check` is asked before each, so that a question with a limit ends in time."""
    rows = rows_of(np.random.default_rng(4), 400, 2)
    found = searched(rows)
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        rows.confirmed(found, 0, stop)
    assert asked == 3


def test_a_search_that_may_list_nothing_can_be_stopped() -> None:
    """`check` is asked before each that is refused, too: where patients are too few, they may be many."""
    rows = rows_of(np.random.default_rng(4), 400, 2)
    could_be = len(searched(rows, most_terms=1, top=1000, smallest_cell=0))
    assert could_be > 10
    check = Mock()
    assert rows.search(min_size=10, most_terms=1, top=10, smallest_cell=10_000, check=check) == []
    assert check.call_count >= could_be
