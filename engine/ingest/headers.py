"""The first line of a table: its names as they are meant, and whether it holds names at all."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

import polars as pl

_NUMBER: Final = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?%?", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?")


def clean_name(name: str) -> str:
    """A column's name without what nobody sees: composed (NFC), every blank a space, no zero-width characters, and no
    blanks around it."""
    letters = unicodedata.normalize("NFC", name)
    seen = (" " if unicodedata.category(one) == "Zs" else one for one in letters if unicodedata.category(one) != "Cf")
    return "".join(seen).strip()


def holds_values(header: Sequence[str], columns: Sequence[pl.Series]) -> bool:
    """Whether what stands in the place of names looks like values: a number or a date, a text that is there twice, or
    stands below in its column too, or has digits and is written as most below it are (`p101` above `p205`).

    `columns`: the cells below each name, or nothing.
    """
    told = [name for name in header if name]
    if len(set(told)) < len(told) or any(_NUMBER.fullmatch(name) or _DATE.fullmatch(name) for name in told):
        return True
    return any(_is_like(name, cells) for name, cells in zip(header, columns, strict=False) if name)


def _is_like(name: str, cells: pl.Series) -> bool:
    if cells.dtype.is_nested() or cells.dtype == pl.Binary:
        return False
    texts = cells.cast(pl.String).drop_nulls().unique()
    like = sum(_shape(text) == _shape(name) for text in texts) if re.search(r"\d", name) else 0
    return name in texts or 2 * like > len(texts)


def _shape(text: str) -> str:
    return re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "a", text))
