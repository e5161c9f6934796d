"""Names that stand inside functions and views, met again among the caller's aliases, columns and patients."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from audited_rows import Tables, audited_tables, opened_over

from misread.ask import backing_of_columns
from misread.ingest.columns import metadata_columns
from misread.schemas.errors import UnknownNameError
from misread.sql import Limits, Session, question
from misread.sql.catalogue import catalogue, functions
from stores import dataset

OWN = ("split", "sex", "age", "beds", "label")
"""The metadata columns of the made-up rows."""


def words_of(text: str) -> set[str]:
    """Every name and word of a `.sql` file, in lower case."""
    code = "\n".join(line.partition("--")[0] for line in text.splitlines())
    return {word.lower() for word in re.findall(r"[A-Za-z_]\w*", code)}


def inner_names() -> list[str]:
    """The words of all `.sql` files, as a metadata column called so is stored, but for those of the rows."""
    written = {word for entry in catalogue() for word in words_of(entry.text)}
    taken = {"sample_id", "patient_id", "study_id", *OWN}
    return sorted({metadata_columns([word], []).names[word] for word in written} - taken)


def over_samples() -> dict[str, tuple[str, list[str]]]:
    """The functions that take an expression over samples: a call of it with one to fill in, and the words within."""
    written = {"subgroups": "FROM subgroups('m', 't', keep := {} IS NOT NULL)"}
    own = {name: entry for name, entry in functions().items() if "over" in entry.header}
    return {
        name: (written.get(name, f"FROM {name}({{}})"), sorted(words_of(entry.text))) for name, entry in own.items()
    }


def searched(check: Callable[[], None], terms: pa.Array, *columns: pa.Array) -> pa.Array:
    """In the place of the search for subgroups: what it was given of each row and of their own metadata columns."""
    told = []
    rows = zip(terms.to_pylist(), *(column.to_pylist() for column in columns), strict=True)
    for place, (lists, samples, patients, *others) in enumerate(rows):
        own = [one for one in lists or () if one[0].split(" ")[0] in OWN]
        who = [patients.index(patient) for patient in patients]
        digest = hashlib.sha256(repr((own, samples, who, others)).encode()).hexdigest()
        told.append([{"rank": place, "error_kind": "false negative", "terms": [digest], "rows": len(samples)}])
    return pa.array(told)


def answers(session: Session, columns: Sequence[str] = ("sex", "age")) -> dict[str, Any]:
    """By question, what is told of the rows and of their own metadata columns; `columns`: what is asked by, all of
    which are NULL or not in the same rows."""
    own = f"column_name IN {OWN}"
    # numbers that are over every value, also those of the columns put beside, are left out
    names = {
        "worst_subgroup": "* EXCLUDE (error_rate_low, error_rate_high)",
        "small_cells": "*",
        "missing_metadata": "*",
    }
    known = session.columns["samples"]
    called = [f'"metadata_{name}"' if f"metadata_{name}" in known else f'"{name}"' for name in columns]
    by = f"concat_ws(',', {', '.join(called)})"
    keep = f"keep := {' AND '.join(f'coalesce({name}::VARCHAR <> $$w$$, true)' for name in called)}"
    asked: dict[str, tuple[str, dict[str, str] | None]] = {
        "samples": (
            "SELECT sample_id, model, target, audit_id, half, slice_ids, patient_id, sex, age FROM samples",
            None,
        ),
        "metadata": (f"FROM metadata WHERE {own}", None),
        "rates_by": ("FROM rates_by(sex)", None),
        "slice_by": ("FROM slice_by(metadata_value(sample_id, 'age'))", None),
        "rates_by any": (f"FROM rates_by({by})", None),
        "slice_by any": (f"FROM slice_by({by})", None),
        "subgroups": (f"FROM subgroups('m', 't', {keep})", None),
        "subgroups of an audit": (f"FROM subgroups('m', 't', of_audit := 'new', {keep})", None),
        "slice_profile": (
            "SELECT s.slice_id, p.* EXCLUDE (q_value, more_common) FROM slices AS s, slice_profile(s.slice_id) AS p "
            f"WHERE {own}",
            None,
        ),
        "models_and_targets": (question("models_and_targets"), None),
        "unexplained_slices": (question("unexplained_slices"), None),
        **{
            name: (
                f"SELECT {told} FROM ({question(name).rstrip().rstrip(';')}) WHERE {own}",
                {"model": "m", "target": "t"},
            )
            for name, told in names.items()
        },
    }
    return {name: sorted(map(str, session.query(*one).to_pylist())) for name, one in asked.items()}


def opened(tables: Tables) -> Session:
    datasets = {name: dataset(name, rows) for name, rows in tables.items()}
    return Session(
        datasets, backed={**backing_of_columns(), "subgroups": searched}, limits=Limits(allow_small_cells=True)
    )


def answers_over(tables: Tables, columns: Sequence[str] = ("sex", "age")) -> dict[str, Any]:
    with opened(tables) as session:
        return answers(session, columns)


@pytest.mark.slow
def test_no_metadata_column_is_taken_for_a_name_inside_a_function() -> None:
    """Metadata columns may have any name, those within functions and views too: nothing that is told of others
    changes, and what is asked by them is what is asked by the same columns called otherwise."""
    further = inner_names()
    assert {"patient", "is_inside", "subgroup", "half"} < set(further)
    told = []
    for names in (further, [f"plain_{number}" for number in range(len(further))]):
        tables = audited_tables(samples=60)
        for place, image in enumerate(tables["images"]):
            image.update(dict.fromkeys(names, ("v", "w", None)[place % 3]))
        told.append(answers_over(tables, names))
    assert told[0] == told[1]


@pytest.mark.parametrize("name", over_samples())
def test_names_within_a_function_are_no_columns_to_ask_by(name: str) -> None:
    """Whoever asks by one is told that there is no such column, instead of getting something else."""
    call, inner = over_samples()[name]
    with opened(audited_tables(samples=60)) as session:
        known = {*session.columns["samples"], "samples"}
        asked = [word for word in inner if word not in known and not word.startswith("_")]
        assert len(asked) > 10
        for word in asked:
            with pytest.raises(UnknownNameError, match=f"no column '{word}'"):
                session.query(call.format(f'"{word}"'))


@pytest.mark.parametrize("name", over_samples())
def test_what_the_caller_names_in_with_is_what_is_asked_by(name: str) -> None:
    """A subquery in the expression means the caller's own table, whatever that is called."""
    call, inner = over_samples()[name]

    def asked(names: Sequence[str]) -> str:
        """By a sample's being in every one of the caller's tables called so, which all hold the same."""
        quoted = [f'"{name}"' for name in names]
        tables = "".join(f", {name} AS (FROM women)" for name in quoted)
        within = " AND ".join(f"sample_id IN (SELECT taken FROM {name})" for name in quoted)
        women = "women AS (SELECT sample_id AS taken FROM images WHERE sex = 'F')"
        return f"WITH {women}{tables} " + call.format(f"if({within}, 'in', NULL)")

    with opened(audited_tables(samples=60)) as session:
        wanted = session.query(asked(["unlike"])).to_pylist()
        assert wanted
        words = [word for word in inner if not word.startswith("_")]
        assert len(words) > 10
        assert session.query(asked(words)).to_pylist() == wanted


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


@pytest.fixture(scope="module")
def profiles(session: Session) -> dict[str, list[dict[str, Any]]]:
    """The profile of each slice, asked for alone."""
    asked = "FROM slice_profile($slice)"
    names = session.query("FROM slices")["slice_id"].to_pylist()
    return {name: session.query(asked, {"slice": name}).to_pylist() for name in names}


@pytest.mark.parametrize("alias", ["its_slice", "its_row", "its_member", "judged", "given", "slices", "s", "a"])
@pytest.mark.parametrize("qualified", [True, False])
def test_a_profile_joined_to_slices_is_that_of_each_slice(
    session: Session, profiles: dict[str, list[dict[str, Any]]], alias: str, qualified: bool
) -> None:
    """Whatever the caller's table is called, and whether its column is named with it or without."""
    column = f"{alias}.slice_id" if qualified else "slice_id"
    joined = session.query(
        f"SELECT {column} AS one, p.* FROM slices AS {alias}, slice_profile({column}) AS p"
    ).to_pylist()
    for slice_id, alone in profiles.items():
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


def test_a_renamed_column_takes_no_others_name() -> None:
    """Columns called as those of samples, and as what these are called there, are all there with their own values, by
    the names that plans give them."""
    names = ["Score", "half", "metadata_half", "metadata_score", "metadata_SCORE_1", "metadata__none", "label"]
    tables = audited_tables(samples=20)
    for image in tables["images"]:
        image.update({name: f"{name} {image['sample_id']}" for name in names})
    called = ["metadata_Score_2", "metadata_half_1", *names[2:6], "metadata_label"]
    with opened(tables) as session:
        assert not {"metadata_.", "metadata__none_1"} & set(session.columns["samples"])
        listed = ", ".join(f'"{name}"' for name in called)
        for row in session.query(f"SELECT sample_id, {listed} FROM samples").to_pylist():
            assert [row[name] for name in called] == [f"{name} {row['sample_id']}" for name in names]
