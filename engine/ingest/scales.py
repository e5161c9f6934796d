"""Columns of numbers that are wrong as a whole: percents, logits, decimal commas, labels in words.

Told once for the column, as no row is the fault: what --skip-faulty would keep of logits are those that happen to lie
between 0 and 1.
"""

import polars as pl

from .faultbook import ROW, FaultBook

_FEWEST = 3
"""Rows from which a column can be told from a slip."""


def tell_wrong_column(file: str, name: str, cells: pl.DataFrame, is_bad: pl.Expr, book: FaultBook) -> bool:
    """One fault for a column most of whose cells are at fault, and True; else nothing, and False.

    `cells`: ROW, `written` (text, null where missing) and `value` (float, null where that is no number).
    """
    given = cells.filter(pl.col("written").is_not_null())
    bad = given.filter(is_bad.fill_null(value=False))
    if bad.height < _FEWEST or 2 * bad.height <= given.height:
        return False
    row, first = bad.select(ROW, "written").row(0)
    book.whole(
        file,
        f"{bad.height:,} of {given.height:,} cells are {_AT_FAULT[name]}, such as {first!r} in row {row}: "
        f"{_labels(bad) if name == 'label' else _scores(f'{name}s', given, bad)}",
        name,
    )
    return True


_AT_FAULT = {
    "label": "neither 0, 1 nor missing",
    "score": "no numbers from 0 to 1",
    "threshold": "no numbers from 0 to 1",
}


def _labels(bad: pl.DataFrame) -> str:
    others = sorted(bad["written"].unique())
    shown = ", ".join(map(repr, others[:5])) + (", …" if len(others) > 5 else "")
    return f"write 1 where a finding is there, 0 where it is not, nothing where it is not known, in place of {shown}"


def _scores(names: str, given: pl.DataFrame, bad: pl.DataFrame) -> str:
    written, value = bad["written"], given["value"].drop_nulls().drop_nans()
    if (written.str.contains(",", literal=True)).all():
        return "write decimals with a point"
    if (written.str.ends_with("%")).all():
        return "leave out the percent sign, and divide by 100"
    if len(value) and value.min() < 0:  # type: ignore[operator]
        return f"{names} are probabilities; logits become such by 1 / (1 + exp(-logit))"
    if len(value) and value.max() <= 100:  # type: ignore[operator]
        return f"{names} are probabilities; percents are to be divided by 100"
    return f"{names} are probabilities"
