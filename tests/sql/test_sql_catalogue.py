"""The `.sql` files are what their headers say."""

import re

import pytest

from misread.schemas.tables import CONTRACTS
from misread.sql import Entry, Session, catalogue
from misread.sql.catalogue import STORED

ENTRIES = {entry.name: entry for entry in catalogue()}


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_every_file_says_what_goes_in_and_out(entry: Entry) -> None:
    """A header names inputs, output, units and what is read; a formula's function also names its source."""
    wanted = {"name", "inputs", "output", "units", "reads"} | (
        {"source", "signature"} if entry.kind == "functions" else set()
    )
    assert wanted <= set(entry.header)
    assert all(entry.header[key] for key in wanted)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_a_header_reads_what_the_text_reads(entry: Entry) -> None:
    """`reads` is exactly the stored tables, views and functions that the statement names."""
    body = re.sub(r"--[^\n]*", "", entry.text)
    asked = set(re.findall(r"(?:FROM|JOIN)\s+(?:main\.)?(\w+)", body))
    called = set(re.findall(r"(\w+)\(", body))
    known = {STORED + name for name in CONTRACTS} | set(ENTRIES)
    assert set(entry.reads) == ((asked | called) & known) - {entry.name}


@pytest.mark.parametrize("entry", [e for e in ENTRIES.values() if e.kind == "functions"], ids=lambda e: e.name)
def test_a_signature_is_what_can_be_called(entry: Entry, session: Session) -> None:
    """Each way to call a function has its name, and takes as many arguments as the macro does."""
    listed = [re.fullmatch(r"(\w+)\((.*)\)", one) for one in entry.header["signature"].split("; ")]
    assert {one[1] for one in listed if one} == {entry.name}
    counts = sorted(len([part for part in one[2].split(", ") if part]) for one in listed if one)
    asked = "SELECT len(parameters) FROM duckdb_functions() WHERE function_name = ? AND function_type LIKE '%macro'"
    made = sorted(count for (count,) in session.connection.execute(asked, [entry.name]).fetchall())
    # functions that take a slice or a vector have one macro for both
    assert sorted(set(counts)) == sorted(set(made))


def test_files_are_made_in_an_order_that_works() -> None:
    """Each view and function comes after everything it reads."""
    order = [entry.name for entry in catalogue()]
    for entry in catalogue():
        assert all(order.index(part) < order.index(entry.name) for part in entry.reads if part in ENTRIES)


def test_one_definition_a_file() -> None:
    """A view's or function's file defines what its name says, and a question defines nothing."""
    for entry in catalogue():
        words = {"views": "CREATE VIEW", "functions": "CREATE MACRO"}
        made = re.findall(r"CREATE \w+ (?=\w)", entry.text)
        if entry.kind == "questions":
            assert not made
        else:
            assert f"{words[entry.kind]} {entry.name}" in entry.text
            assert len(made) == 1


def test_every_question_of_our_own_may_be_asked(session: Session) -> None:
    """The gate lets our own questions through, and they run on a store without audits, with texts as values."""
    for entry in catalogue():
        if entry.kind == "questions":
            values = dict.fromkeys(re.findall(r"\$(\w+)", entry.text), "x")
            answer = session.query(entry.text, values)
            assert answer.num_columns > 1
            assert answer.num_rows == 0
