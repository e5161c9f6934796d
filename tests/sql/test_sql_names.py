"""Names that stand inside functions and views, met again among the caller's aliases, columns and patients."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from audited_rows import Tables, audited_tables, opened_over

from misread.sql import Session, question
from misread.sql.catalogue import catalogue

OWN = ("split", "sex", "age", "beds", "label")
"""The metadata columns of the made-up rows."""


def inner_names() -> list[str]:
    """What functions and views call their tables and columns, which no stored column of images is called."""
    texts = [entry.text for entry in catalogue() if entry.kind in ("functions", "views")]
    written = {name for text in texts for name in re.findall(r"\bAS (?:main\.)?([a-z][a-z_]*)\b(?! \()", text)}
    ctes = {name for text in texts for name in re.findall(r"\b([a-z_]+) AS \($", text, re.MULTILINE)}
    taken = {"sample_id", "patient_id", "study_id", "table", *OWN}
    return sorted((written | ctes) - taken)


def answers(session: Session) -> dict[str, Any]:
    """By question, what is told of the rows and of their own metadata columns."""
    own = f"column_name IN {OWN}"
    # numbers that are over every value, also those of the columns put beside, are left out
    counts = {
        "worst_subgroup": "* EXCLUDE (error_rate_low, error_rate_high)",
        "small_cells": "*",
        "missing_metadata": "*",
    }
    asked: dict[str, tuple[str, dict[str, str] | None]] = {
        "samples": (
            "SELECT sample_id, model, target, audit_id, half, slice_ids, patient_id, sex, age FROM samples",
            None,
        ),
        "metadata": (f"FROM metadata WHERE {own}", None),
        "rates_by": ("FROM rates_by(sex)", None),
        "slice_by": ("FROM slice_by(metadata_value(sample_id, 'age'))", None),
        "slice_profile": (
            "SELECT s.slice_id, p.* EXCLUDE (q_value, more_common) FROM slices AS s, slice_profile(s.slice_id) AS p "
            f"WHERE {own}",
            None,
        ),
        "models_and_targets": (question("models_and_targets"), None),
        **{
            name: (
                f"SELECT {told} FROM ({question(name).rstrip().rstrip(';')}) WHERE {own}",
                {"model": "m", "target": "t"},
            )
            for name, told in counts.items()
        },
    }
    return {name: sorted(map(str, session.query(*one).to_pylist())) for name, one in asked.items()}


def answers_over(tables: Tables) -> dict[str, Any]:
    with opened_over(tables, allow_small_cells=True) as session:
        return answers(session)


@pytest.mark.slow
def test_no_metadata_column_is_taken_for_a_name_inside_a_function() -> None:
    """Metadata columns may have any name, those of columns within a function too: nothing that is told of others
    changes."""
    tables = audited_tables(samples=200)
    plain = answers_over(tables)
    further = ["metadata_sample_id", *inner_names()]
    assert {"patient", "is_inside"} < set(further)
    for place, image in enumerate(tables["images"]):
        image |= {name: ("v", "w", None)[(place + number) % 3] for number, name in enumerate(further)}
    assert answers_over(tables) == plain


def test_a_sample_without_patient_is_nobody_elses() -> None:
    """Where a patient's id is the sample_id of somebody without one, they are two: every count is as it is where
    that patient is called otherwise."""
    alike, apart = audited_tables(), audited_tables()
    for tables, prefix in ((alike, ""), (apart, "patient ")):
        images = tables["images"]
        for one, other in pairwise(images):
            if one["patient_id"] is None:
                other["patient_id"] = prefix + one["sample_id"]
    told, wanted = answers_over(alike), answers_over(apart)
    del told["samples"], wanted["samples"]
    assert told == wanted


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with opened_over(audited_tables(), allow_small_cells=True) as opened:
        yield opened


@pytest.mark.parametrize("alias", ["its_slice", "its_row", "its_member", "judged", "given", "slices", "s", "a"])
@pytest.mark.parametrize("qualified", [True, False])
def test_a_profile_joined_to_slices_is_that_of_each_slice(session: Session, alias: str, qualified: bool) -> None:
    """Whatever the caller's table is called, and whether its column is named with it or without."""
    column = f"{alias}.slice_id" if qualified else "slice_id"
    joined = session.query(
        f"SELECT {column} AS one, p.* FROM slices AS {alias}, slice_profile({column}) AS p"
    ).to_pylist()
    for slice_id in session.query("FROM slices")["slice_id"].to_pylist():
        alone = session.query("FROM slice_profile($slice)", {"slice": slice_id}).to_pylist()
        mine = [{name: row[name] for name in row if name != "one"} for row in joined if row["one"] == slice_id]
        assert len(alone) > 10
        assert sorted(map(str, mine)) == sorted(map(str, alone))


def test_a_metadata_value_is_that_of_the_callers_row(session: Session) -> None:
    """Whatever the caller's tables are called."""
    asked = (
        "SELECT {0}.sample_id, metadata_value({0}.sample_id, {0}.column_name) AS told FROM metadata AS {0} ORDER BY ALL"
    )
    wanted = session.query("SELECT sample_id, value AS told FROM metadata ORDER BY ALL")
    for alias in ("its_value", "metadata", "m"):
        assert session.query(asked.format(alias)).equals(wanted)
