"""The reports file, checked: one row a report, keyed by its sample or its study."""

import polars as pl

from misread.schemas.tables import CHECKSUM, REPORTS

from .faultbook import ROW, FaultBook, repeated
from .files import Source, as_text, take
from .known import Known

KEYS = ("sample_id", "study_id")
SECTIONS = tuple(name for name in REPORTS.names if name not in (*KEYS, "report", CHECKSUM))
COLUMNS = (*KEYS, "report", *SECTIONS)


def check_reports(source: Source, known: Known, book: FaultBook, notices: list[str]) -> pl.DataFrame | None:
    """ROW, the keys, report and its sections, of every row that has a report; None where columns are missing.

    A row with both keys belongs to its sample.
    """
    frame = take(source, book, ["report"], (*KEYS, *SECTIONS))
    if frame is None:
        return None
    if not any(key in frame.columns for key in KEYS):
        take(source, book, ["sample_id"])  # tells what is missing
        return None
    frame = as_text(frame, COLUMNS, source, book)
    if frame is None:
        return None
    frame = _keyed(frame)
    whole = book.good(source.name, frame)
    nameless = pl.col("sample_id").is_null() & pl.col("study_id").is_null()
    book.where(source.name, _first_key(source), whole, nameless, "the row has no sample_id and no study_id")
    for key, what in zip(KEYS, ("the report of sample", "the report of study"), strict=True):
        rows = whole.drop_nulls(key)
        known.check(book, source, rows, key)
        book.rows(source.name, key, repeated(rows.drop_nulls("report"), [key], what))
    empty = whole["report"].null_count()
    if empty:
        notices.append(f"{source.name}: {empty} rows without a report text were left out")
    return frame.drop_nulls("report")


def _first_key(source: Source) -> str:
    return next(key for key in KEYS if key in {name.casefold() for name in source.columns})


def _keyed(frame: pl.DataFrame) -> pl.DataFrame:
    absent = [pl.lit(None, pl.String).alias(key) for key in KEYS if key not in frame.columns]
    study = pl.when(pl.col("sample_id").is_null()).then(pl.col("study_id"))
    return frame.with_columns(absent).select(
        ROW, "sample_id", study.alias("study_id"), "report", *(name for name in SECTIONS if name in frame.columns)
    )
