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
    """The gate lets our own questions through, and they run on a store without audits."""
    for entry in catalogue():
        if entry.kind == "questions":
            session.query(entry.text, {"audit_ids": ["x"]} if "$audit_ids" in entry.text else None)
