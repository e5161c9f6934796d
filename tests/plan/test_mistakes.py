"""What is wrong with a plan is told as it is written, with what there is instead."""

import math
from collections.abc import Callable

import polars as pl
import pytest

import misread as mr
from misread.library import Store
from misread.schemas.errors import AuditError, MisreadError, QueryError, StoreError, UnknownNameError

WRONG: dict[str, tuple[Callable[[Store], object], type[MisreadError], str]] = {
    "a table": (lambda s: s.scan_table("imagse"), UnknownNameError, "did you mean 'images'"),
    "a model": (lambda s: s.scan("mm"), UnknownNameError, "no model 'mm'"),
    "a target": (lambda s: s.scan("m", "C"), UnknownNameError, "no target 'C'"),
    "a column of a filter": (lambda s: s.scan().filter("agee < 3"), UnknownNameError, "did you mean 'age'"),
    "a column of polars": (lambda s: s.scan().filter(pl.col("agee") < 3), UnknownNameError, "did you mean 'age'"),
    "a column to select": (lambda s: s.scan().select("veiw"), UnknownNameError, "did you mean 'view'"),
    "a column to sort by": (lambda s: s.scan().sort("veiw"), UnknownNameError, "did you mean 'view'"),
    "columns in a list": (lambda s: s.scan().select(["age"]), MisreadError, "name each by itself"),  # type: ignore[arg-type]
    "an expression to sort by": (lambda s: s.scan().sort(pl.col("age")), MisreadError, "is no name of a column"),  # type: ignore[arg-type]
    "a column to join on": (
        lambda s: s.scan().join(s.scan_table("reports"), on="x"),
        UnknownNameError,
        "no column 'x'",
    ),
    "no column to join on": (
        lambda s: s.scan_table("images").select("age").join(s.scan_table("images").select("view"), on=[]),
        MisreadError,
        "join names no column",
    ),
    "a way to join": (lambda s: s.scan().join(s.scan(), on="sample_id", how="x"), UnknownNameError, "no way to join"),  # type: ignore[arg-type]
    "an encoder": (lambda s: s.scan().fuse(image="hogg"), UnknownNameError, "no image encoder 'hogg'"),
    "an encoder of another modality": (
        lambda s: s.scan().fuse(image=next(iter(s.encoders)), modalities=["metadata"]),
        AuditError,
        "not among the modalities",
    ),
    "a metadata column": (lambda s: s.scan().fuse(metadata=["agee"]), UnknownNameError, "did you mean 'age'"),
    "an audit": (lambda s: s.scan().assign("none"), AuditError, "nothing in .* has been audited"),
    "columns of both": (
        lambda s: s.scan_table("images").join(s.scan_table("predictions"), on="sample_id"),
        MisreadError,
        "both frames have 'score'",
    ),
    "kinds that differ": (
        lambda s: s.scan_table("images").select("visits").join(s.scan_table("predictions").select("label"), on="label"),
        UnknownNameError,
        "no column 'label' in images",
    ),
    "an audit of an optimised plan": (
        lambda s: s.scan().filter("age > 5").optimised().discover(),
        AuditError,
        "known by its plan as it was written",
    ),
    "an optimised audit": (
        lambda s: s.scan().filter("age > 5").discover().describe().optimised().sink(),
        AuditError,
        "leave optimised",
    ),
    "a name that is a word of SQL": (lambda s: s.scan().filter("order = 2"), QueryError, 'double quotes: "order" = 2'),
    "no predicate": (lambda s: s.scan().filter("age"), QueryError, "not true or false"),
    "an aggregate": (lambda s: s.scan().filter(pl.col("age") > pl.col("age").mean()), QueryError, "cannot choose rows"),
    "an infinite constant": (
        lambda s: s.scan().filter(pl.col("age") < math.inf),
        QueryError,
        "whether a constant is inf, -inf or NaN; SQL text",
    ),
    "several constants": (
        lambda s: s.scan().filter(pl.col("age") == pl.Series([30, 40])),
        QueryError,
        "a constant of kind Series",
    ),
    "no number": (
        lambda s: s.scan().filter(pl.col("age").is_between(0, math.nan)),
        QueryError,
        "whether a constant is inf, -inf or NaN",
    ),
    "a narrow infinity": (
        lambda s: s.scan().filter(pl.col("age") > pl.lit(-math.inf, pl.Float32)),
        QueryError,
        "whether a constant is inf, -inf or NaN",
    ),
    "a query in a filter": (lambda s: s.scan().filter("age > (SELECT 3)"), QueryError, "of its own"),
    "a value to come": (lambda s: s.scan().filter("age > $least"), QueryError, "asks for a value.*\nwrite the value"),
    "a value by its place": (lambda s: s.scan().filter("age > ?"), QueryError, "asks for a value.*\nwrite the value"),
    "what a model said": (lambda s: s.scan().filter("label = 1").fuse(), AuditError, "not by label"),
    "fuse of a table": (lambda s: s.scan_table("images").fuse(), AuditError, "fuse needs samples"),
    "too little memory": (lambda s: s.scan().collect(memory=1000), MisreadError, "too few"),
    "empty batches": (lambda s: s.scan().stream(0), MisreadError, "batches of 0"),
    "a store's state": (lambda s: mr.open(s.location, state=99), StoreError, "no state 99"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_when_it_is_written(mixed: Store, what: str) -> None:
    """Unknown names and impossible steps raise at once, with the names that exist; nothing is run."""
    wrong, kind, message = WRONG[what]
    with pytest.raises(kind, match=message):
        wrong(mixed)
