"""What the cells of a column mean: ids, numbers, and the kind of a metadata column.

Missing are: a null, an empty or blank cell, and, except in ids of samples and in names (model, target, task,
encoder) and texts, the spellings NA, N/A, n/a, NaN, nan, null, NULL.

The kind of a column is the join of the kinds of its cells, so neither the order of rows nor how they are
split over files matters: int and float make float, any other two kinds make text.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Final, Literal

import numpy as np
import polars as pl

Kind = Literal["empty", "int", "float", "bool", "date", "text"]

TYPES: Final[dict[Kind, pl.DataType]] = {
    "int": pl.Int64(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "text": pl.String(),
}
MISSING: Final = ("NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")

# a leading zero makes a text: 007 is a code
_INT = r"^(0|-?[1-9][0-9]*)$"
_FLOAT = r"^-?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_FRACTION_BITS: Final[dict[pl.DataType, int]] = {pl.Float16(): 11, pl.Float32(): 24}
_TEXT_TYPES = (pl.String, pl.Categorical, pl.Enum)


def texts(cells: pl.Series) -> pl.Series:
    """Text exactly as written; a blank cell is null."""
    text = cells.dt.to_string("iso") if cells.dtype == pl.Duration else cells.cast(pl.String)
    return text.set(text.str.strip_chars() == "", None)


def present(cells: pl.Series) -> pl.Series:
    """Text without surrounding blanks; a blank cell or a spelling of MISSING is null."""
    text = texts(cells).str.strip_chars()
    return text.set(text.is_in(MISSING), None)


def blanks_told(file: str, frame: pl.DataFrame, columns: Iterable[str]) -> list[str]:
    """Ids and names are stored as written: what to say where blanks, which nobody sees, make two of one."""
    notices = []
    for column in (column for column in columns if column in frame.columns):
        names = frame[column].drop_nulls().unique()
        merged = len(names) - names.str.strip_chars().n_unique()
        if merged:
            notices.append(f"{file}: {merged} of {len(names)} {column}s differ from another in blanks around it alone")
    return notices


def id_texts(cells: pl.Series) -> pl.Series | None:
    """Ids as text; None where the column can hold no ids. Whole floats (a Parquet integer column that once had gaps)
    read as integers, up to where floats no longer tell each from the next."""
    if cells.dtype in _TEXT_TYPES or cells.dtype.is_integer() or cells.dtype == pl.Null:
        return texts(cells)
    if cells.dtype.is_float():
        gaps = cells.fill_nan(None)
        whole = gaps.cast(pl.Int64, strict=False)
        is_whole = (whole.cast(pl.Float64) == gaps.cast(pl.Float64)).all()
        return texts(whole) if is_whole and not merged(cells).any() else None
    return None


def merged(cells: pl.Series) -> pl.Series:
    """Bool: whether a float is so large that it may stand for several whole numbers; false for every other type."""
    if not cells.dtype.is_float():
        return pl.repeat(False, len(cells), eager=True)
    return (cells.fill_nan(None).cast(pl.Float64).abs() > largest_whole(cells.dtype)).fill_null(value=False)


def largest_whole(kind: pl.DataType) -> int:
    """The largest number of a float type up to which each whole number is told from the next."""
    return (1 << _FRACTION_BITS.get(kind, 53)) - 1


def numbers(cells: pl.Series) -> pl.Series:
    """Float64, null where a cell is missing or no number. NaN and infinities stay for the caller.

    A number of 16 or 32 bits is the shortest decimal that it stands for, as a CSV file would have it: a score of 0.7
    reaches a threshold of 0.7.
    """
    if cells.dtype == pl.Float16:  # polars writes it with the digits of 32 bits
        return pl.Series(cells.name, cells.to_numpy().astype(str).astype(np.float64)).set(cells.is_null(), None)
    if cells.dtype == pl.Float32:
        return cells.cast(pl.String).cast(pl.Float64)
    if cells.dtype.is_numeric() or cells.dtype == pl.Boolean:
        return cells.cast(pl.Float64)
    return cells.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)


def kind_of(cells: pl.Series, *, as_written: bool = False) -> Kind:
    """The kind of a column without surrounding blanks; `as_written`: of text that is yet to be typed."""
    if cells.null_count() == len(cells):
        return "empty"
    if not as_written:
        return next(kind for kind, known in TYPES.items() if cells.dtype == known)
    values = cells.drop_nulls().unique()
    kinds: list[Kind] = []
    for kind, holds in _HOLDS.items():
        if values.is_empty():
            break
        hit = holds(values)
        if hit.any():
            kinds.append(kind)
            values = values.filter(~hit)
    return reduce(join, kinds, "text" if len(values) else "empty")


def join(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that holds both."""
    if other in (one, "empty"):
        return one
    if one == "empty":
        return other
    return "float" if {one, other} == {"int", "float"} else "text"


def as_kind(cells: pl.Series, kind: Kind) -> pl.Series:
    """The cells as a wider kind. Numbers that become text are written as Python writes them."""
    if kind == "empty":
        return cells.cast(pl.String)
    if kind == "text" and cells.dtype.is_float():
        return pl.Series(cells.name, [None if v is None else repr(v) for v in cells], pl.String)
    if kind == "bool" and cells.dtype == pl.String:
        return cells.str.to_lowercase() == "true"
    if kind == "date" and cells.dtype == pl.String:
        return cells.str.to_date("%Y-%m-%d")
    return cells.cast(TYPES[kind])


def metadata_cells(cells: pl.Series) -> pl.Series | None:
    """A metadata column as one of TYPES (text is yet to be typed where the file has no types); None where it
    holds lists, structures or bytes."""
    dtype = cells.dtype
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is None:
        return _days(cells)
    if dtype in _TEXT_TYPES or dtype in (pl.Datetime, pl.Time, pl.Duration, pl.Null):
        return present(cells)
    if dtype.is_integer():
        whole = cells.cast(pl.Int64, strict=False)
        return whole if whole.null_count() == cells.null_count() else present(cells)
    if dtype.is_float() or dtype.is_decimal():
        return numbers(cells).fill_nan(None)
    return cells if dtype in (pl.Boolean, pl.Date) else None


def _days(moments: pl.Series) -> pl.Series:
    """Dates where all are midnights, as pandas holds dates; else text, in which a midnight is its date too, as it
    would be in a file of midnights alone."""
    days = moments.cast(pl.Date)
    is_day = moments == days.cast(moments.dtype)
    return days if is_day.all() else days.cast(pl.String).zip_with(is_day, present(moments))


def _ints(values: pl.Series) -> pl.Series:
    return values.str.contains(_INT) & values.cast(pl.Int64, strict=False).is_not_null()


def _floats(values: pl.Series) -> pl.Series:
    finite = values.cast(pl.Float64, strict=False).is_finite().fill_null(value=False)
    # a whole number too long for 64 bits would lose digits
    return values.str.contains(_FLOAT) & ~values.str.contains(_INT) & finite


def _bools(values: pl.Series) -> pl.Series:
    return values.str.to_lowercase().is_in(["true", "false"])


def _dates(values: pl.Series) -> pl.Series:
    return values.str.contains(_DATE) & values.str.to_date("%Y-%m-%d", strict=False).is_not_null()


_HOLDS: Final[dict[Kind, Callable[[pl.Series], pl.Series]]] = {
    "int": _ints,
    "float": _floats,
    "bool": _bools,
    "date": _dates,
}
