"""Findings as words: positive, negative and uncertain are told apart, and a missing one stays missing."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import polars as pl

from misread.ingest.faultbook import ROW

from .request import Request

WORDS: Final = {"1": "positive", "0": "negative", "-1": "uncertain"}


def snake(name: str) -> str:
    """A name of a column or finding as ours are: `Pleural Thickening` and `PleuralThickening` as pleural_thickening."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.casefold()).strip("_")


def findings(request: Request, file: str, frame: pl.DataFrame, columns: Mapping[str, str]) -> pl.DataFrame:
    """ROW and columns (theirs -> ours) with 1, 0 and -1 as WORDS; anything else but a blank is a fault of its row."""
    spelled = {**WORDS, **{f"{number}.0": word for number, word in WORDS.items()}}
    for name in columns:
        strange = pl.col(name).is_not_null() & ~pl.col(name).is_in(list(spelled))
        request.book.where(file, name, frame, strange, pl.format("'{}' is none of 1, 0, -1 and blank", name))
    worded = [
        pl.col(theirs).replace_strict(spelled, default=None, return_dtype=pl.String).alias(ours)
        for theirs, ours in columns.items()
    ]
    return frame.select(ROW, *worded)


def named_findings(
    column: str,
    names: Sequence[str],
    kinds: Mapping[str, Sequence[str]] = MappingProxyType({}),
    silent: Sequence[str] = (),
) -> list[pl.Expr]:
    """One column a finding: positive where a cell of `column` lists it, or one of its `kinds`, else negative.

    Missing where the cell is blank, or lists nothing but names that are `silent` of findings, and not this one.
    Names in a cell are parted by |.
    """
    listed = pl.col(column).str.split("|").list.eval(pl.element().str.strip_chars())
    telling = listed.list.set_difference(list(silent)).list.len() > 0
    return [
        pl.when(listed.list.set_intersection([name, *kinds.get(name, ())]).list.len() > 0).then(pl.lit("positive"))
        .when(telling | pl.lit(name in silent)).then(pl.when(pl.col(column).is_not_null()).then(pl.lit("negative")))
        .alias(snake(name))
        for name in names
    ]  # fmt: skip
