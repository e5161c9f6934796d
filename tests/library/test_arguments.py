"""Whatever a public function is given, it answers or says in words of the project what it takes."""

import math
import pydoc
from collections.abc import Callable, Iterator
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import misread as mr
from misread.encode import Settings
from misread.library import Store
from misread.report import Report
from misread.schemas.errors import MisreadError
from misread.sql import Limits, Session
from misread.workers import workers
from stores import planted_store

TABLES = {("ingest", name) for name in ("metadata", "reports", "predictions", "embeddings")}
ELSEWHERE = {*TABLES, ("embed", "precision"), ("describe", "phrases"), ("to_duckdb", "connection")}
"""Of kinds that are known where they are used alone, and looked at there."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return planted_store(tmp_path_factory.mktemp("arguments") / "store", samples=60)


def parameters() -> Iterator[tuple[str, Callable[..., object], str]]:
    """(what it is called, function without self, parameter)."""
    functions: list[tuple[Any, Callable[..., object]]] = [
        (None, function) for function in (mr.open, mr.scan_table, mr.scan_samples, workers, Limits, Settings)
    ]
    functions += [(Report, Report.save)]
    for kind in (mr.Store, mr.LazyFrame, Session):
        functions += [(kind, one) for name, one in vars(kind).items() if isfunction(one) and not name.startswith("_")]
    for kind, function in functions:
        for name, parameter in list(signature(function).parameters.items())[kind is not None :]:
            if parameter.kind is not parameter.VAR_POSITIONAL and (function.__name__, name) not in ELSEWHERE:
                bound = function if kind is None else function.__get__(kind.__new__(kind))
                yield function.__name__, bound, name


@pytest.mark.parametrize(("name", "function", "parameter"), [*parameters()])
def test_what_is_of_no_use_is_told_before_anything_is_done(
    name: str, function: Callable[..., object], parameter: str
) -> None:
    """Every parameter of every public function refuses an object of no kind, by its name, and says what to give."""
    with pytest.raises(MisreadError, match=f"^{name}: {parameter} is of type object\ngive "):
        function(**{parameter: object()})


WRONG: dict[str, tuple[Callable[[Store], object], str]] = {
    "a frame as a question": (lambda s: s.sql(s.scan()), "sql: query is of type LazyFrame\ngive text"),  # type: ignore[arg-type]
    "nothing as a question": (lambda s: s.sql(None), "sql: query is None\ngive text"),  # type: ignore[arg-type]
    "bytes as a question": (lambda s: s.sql(b"SELECT 1"), "sql: query is of type bytes"),  # type: ignore[arg-type]
    "a question with NUL": (lambda s: s.sql("SELECT '\0'"), "leave out the character NUL"),
    "values in no list": (lambda s: s.sql("SELECT ?", 5), "give a dict, a list or None"),  # type: ignore[arg-type]
    "values by number": (lambda s: s.sql("SELECT ?", {1: 2}), "give a dict, a list or None"),  # type: ignore[dict-item]
    "a value of no kind": (lambda s: s.sql("SELECT ?", [s]), "of type Store cannot be given to a question"),
    "a frame of values": (lambda s: s.sql("SELECT 1", pl.DataFrame({"a": [1]})), "values asked for: 0, given: 1"),  # type: ignore[arg-type]
    "rows as text": (lambda s: s.scan().head("2"), "head: rows is '2'\ngive a whole number"),  # type: ignore[arg-type]
    "rows that are none": (lambda s: s.scan().head(-1), "-1 rows cannot be kept"),
    "half a row": (lambda s: s.scan().head(2.5), "head: rows is 2.5\ngive a whole number"),  # type: ignore[arg-type]
    "rows that are so": (lambda s: s.scan().head(True), "head: rows is True"),
    "a list of numbers": (lambda s: s.scan([1]), "scan: model is .1.\ngive text, a list of text or None"),  # type: ignore[list-item]
    "a text for a list": (
        lambda s: s.ingest(keep_identifiers="name"),
        "keep_identifiers is 'name'\ngive a list of text",
    ),
    "memory in words": (lambda s: s.scan().collect(memory="1GB"), "give a whole number or None"),  # type: ignore[arg-type]
    "no predicate": (lambda s: s.assign("a", where=5), "give text, a polars.Expr or None"),  # type: ignore[arg-type]
    "no threshold": (lambda s: s.scan().discover(threshold=math.nan), "threshold is nan"),
    "no time": (lambda s: s.sql("SELECT 1", time_limit=math.nan), "give more than 0 seconds"),
    "too large batches": (lambda s: s.scan().stream(10**30), "rows cannot be made\nask for 1 to"),
    "no connection": (lambda s: s.scan().to_duckdb("x"), "str is no connection to DuckDB"),
    "no table": (lambda s: s.ingest(metadata=5), "metadata is no table: it is of type int"),  # type: ignore[arg-type]
    "a precision": (lambda s: s.embed(precision="x"), "no precision 'x'"),  # type: ignore[arg-type]
    "no threads": (lambda s: s.embed(threads=0), "0 threads cannot work"),
    "numbered phrases": (
        lambda s: s.scan().discover().describe(phrases={"a": 2}),  # type: ignore[dict-item]
        "phrase_list: phrases is of type dict",
    ),
    "a place with NUL": (lambda s: mr.open("a\0b"), "leave out the character NUL"),
    "a place with half a character": (lambda s: mr.open(Path("\ud800")), "halves of characters"),
    "a note in another encoding": (
        lambda s: s.judge("a", "unclear", judged_by="b", note="\udcff"),
        "judge: note is .*\nleave out",
    ),
    "a name in another encoding": (
        lambda s: s.judge("a", "unclear", judged_by="\udcff"),
        "judge: judged_by is .*\nleave out",
    ),
    "a place in another encoding": (lambda s: mr.open("/no\udcff"), "its name is not UTF-8"),
    "a folder of a report": (
        lambda s: s.scan_table("images").sink_parquet(Path(s.location).parent),
        "cannot be written",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_values_are_told_in_words(store: Store, what: str) -> None:
    """A value that a function cannot take is an error of the project's own, which says what it takes."""
    wrong, message = WRONG[what]
    with pytest.raises(MisreadError, match=message):
        wrong(store)


def test_numbers_of_numpy_are_numbers(store: Store) -> None:
    """A number out of an array, and names in an array or a Series, stand for Python's own."""
    assert store.scan().head(np.int64(3)) == store.scan().head(3)  # type: ignore[arg-type]
    assert type(store.scan().head(np.int64(3)).plan.rows) is int  # type: ignore[arg-type,attr-defined]
    names = np.array(["m"]), pl.Series(["m"])
    assert all(store.scan(name) == store.scan("m") for name in names)  # type: ignore[arg-type]
    assert store.sql("SELECT ? + 1 AS n", pl.Series([2]))["n"].to_list() == [3]  # type: ignore[arg-type]


def test_help_on_a_store_shows_what_is_for_its_users(store: Store) -> None:
    """No part of how it is read and written, in help and in completion alike; what is shown is there."""
    offered = {name for name in dir(mr.Store) if not name.startswith("_")}
    assert set(dir(store)) == offered
    assert {"scan", "sql", "ingest", "location", "tables"} <= offered
    assert all(hasattr(store, name) for name in offered)
    told = pydoc.plain(pydoc.render_doc(mr.Store))
    assert all(f"\n |  {name}" in told for name in offered)
    hidden = {name for name in vars(mr.Store.__base__) if not name.startswith("_")} - offered
    assert {"commit", "purge", "table", "read_model"} <= hidden
    assert not any(f"\n |  {name}(" in told for name in hidden)
