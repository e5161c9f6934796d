"""The predictions file, checked row by row and against the predictions that stay in the store."""

from typing import Final

import polars as pl

from .cells import MISSING, blanks_told, numbers
from .consistency import check_consistency, unsaid_tasks
from .faultbook import ROW, FaultBook, repeated
from .files import Source, as_text, take
from .known import Known
from .scales import tell_wrong_column

KEY: Final = ("sample_id", "model", "target")
JUDGED: Final = ("label", "score")
"""Needed unless there is a loss."""
OPTIONAL: Final = ("task", "threshold", "loss")
COLUMNS: Final = (*KEY, *JUDGED, *OPTIONAL)
_REALS: Final = ("label", "score", "threshold", "loss")
_PROBABILITIES: Final = ("score", "threshold")


def check_predictions(
    source: Source, stored: pl.DataFrame | None, known: Known, book: FaultBook
) -> pl.DataFrame | None:
    """ROW and the columns of the predictions table that the file has; None where one it needs is missing. With a column
    of losses it needs no labels or scores, and a row with a loss needs no score.

    `stored` are the store's predictions, against which labels, thresholds and tasks are held too.
    """
    has_loss = any(column.casefold() == "loss" for column in source.columns)
    taken = take(source, book, KEY if has_loss else (*KEY, *JUDGED), (*JUDGED, *OPTIONAL) if has_loss else OPTIONAL)
    absent = [] if taken is None else [name for name in JUDGED if name not in taken.columns]
    if taken is not None:
        taken = taken.with_columns(pl.lit(None, pl.String).alias(name) for name in absent)
    named = None if taken is None else as_text(taken, (*KEY, "task"), source, book)
    if named is None or not _have_numbers(named, source, book):
        return None
    source.notices.extend(blanks_told(source.name, named, ("model", "target", "task")))
    whole = book.good(source.name, named)  # all but ragged rows
    book.where(source.name, "sample_id", whole, pl.col("sample_id").is_null(), "the sample_id is missing")
    for name in ("model", "target"):
        book.alike(source.name, name, whole, pl.col(name).is_null(), f"the {name} is missing")
    known.check(book, source, whole)
    book.rows(source.name, None, repeated(whole, KEY, "the prediction"))
    for name in (name for name in _REALS if name in whole.columns):
        _check_number(source, whole, name, book)
    frame = whole.with_columns(_number(whole, name) for name in _REALS if name in whole.columns)
    source.notices.extend(unsaid_tasks(source.name, frame, stored))
    frame = frame.drop(absent)  # they stay as the store has them
    check_consistency(source, frame, stored, book)
    return frame


def _have_numbers(frame: pl.DataFrame, source: Source, book: FaultBook) -> bool:
    wrong = [
        name
        for name in _REALS
        if name in frame.columns
        and not (frame[name].dtype.is_numeric() or frame[name].dtype in (pl.String, pl.Boolean, pl.Null))
    ]
    for name in wrong:
        book.whole(source.name, f"{name} is to be a number, not {frame[name].dtype}", name)
    return not wrong


def _written(frame: pl.DataFrame, name: str) -> pl.Series:
    """The cells as text; null where missing. NaN counts as missing for labels alone."""
    text = _cells(frame, name).cast(pl.String).str.strip_chars()
    marks = [mark for mark in ("", *MISSING) if name == "label" or mark.lower() != "nan"]
    return text.set(text.is_in(marks), None)


def _cells(frame: pl.DataFrame, name: str) -> pl.Series:
    """The cells of a column; in labels true and false, as tables of truth values are written, are 1 and 0."""
    cells = frame[name]
    if name != "label" or cells.dtype != pl.String:
        return cells
    word = cells.str.strip_chars().str.to_lowercase()
    return cells.set(word == "true", "1").set(word == "false", "0")


def _number(frame: pl.DataFrame, name: str) -> pl.Series:
    value = numbers(_cells(frame, name))
    if name == "label":
        value = value.fill_nan(None)
        return value.set(~value.is_in([0.0, 1.0]), None).cast(pl.Int8).alias(name)
    return value.alias(name)


def _check_number(source: Source, frame: pl.DataFrame, name: str, book: FaultBook) -> None:
    """Tells what is wrong with the numbers of one column; each row has one reason at most."""
    cells = frame.select(ROW, written=_written(frame, name), value=numbers(_cells(frame, name)))
    written, value = pl.col("written"), pl.col("value")

    def tell(is_bad: pl.Expr, reason: str) -> None:
        book.where(source.name, name, cells, is_bad, pl.format(reason, written))

    given = written.is_not_null()
    if name == "label":
        is_bad = given & ~value.is_in([0.0, 1.0]).fill_null(value=False)
        if not tell_wrong_column(source.name, name, cells, is_bad, book):
            tell(is_bad, "label {} is neither 0, 1 nor missing")
        return
    of_scores = name in _PROBABILITIES
    if of_scores and tell_wrong_column(source.name, name, cells, ~_is_probability(value), book):
        return
    tell(given & value.is_null(), f"{name} '{{}}' is not a number")
    tell(given & value.is_nan(), f"{name} is {{}}")
    if name == "score":
        missing = "the score is missing"
        if "loss" in frame.columns:
            given |= pl.lit(numbers(frame["loss"]).is_not_null())  # judged by its loss
            missing = "score and loss are missing"
        book.where(source.name, name, cells, ~given, missing)
    if of_scores:
        tell(value.is_not_nan() & ~value.is_between(0, 1), f"{name} {{}} is outside 0..1")
    else:
        tell(value.is_infinite(), f"{name} is {{}}")


def _is_probability(value: pl.Expr) -> pl.Expr:
    return value.is_between(0, 1).fill_null(value=False)
