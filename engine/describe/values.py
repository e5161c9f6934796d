"""Metadata as items: `view = PA`, numbers in quarters (`age 57 to 71`), and missing values as a value of their own."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .bank import METADATA, Bank, Saying
from .incidence import MOST_ITEMS, Booleans, Floats, kept_items

Codes = NDArray[np.unsignedinteger]
AT_ONCE: Final = 65_536
"""Rows whose items are sorted at a time."""

QUARTERS: Final = (0.25, 0.5, 0.75)
MOST_VALUES: Final = 8
"""Numbers of so many different values or fewer are told one by one."""
DIGITS: Final = (6, 9, 12, 15, 17)
"""How many digits of a number are told: the first that tell numbers apart. 17 tell any two."""


def value_bank(rows: pl.DataFrame, names: Sequence[str], counted: Booleans) -> Bank:
    """Which rows have which values of the columns `names`, as terms of SQL's view `metadata`.

    What is told of numbers (their different values, the edges of their quarters) is that of the rows `counted` (n,).
    """
    from scipy.sparse import csr_matrix, vstack

    columns = [_values(rows[name], counted) for name in sorted(names)]
    seen: dict[Saying, int] = {}
    for items, codes in columns:
        seen |= zip(items, np.bincount(codes[counted], minlength=len(items)).tolist(), strict=True)
    kept = kept_items(seen, int(counted.sum()), MOST_ITEMS)
    place = {item: number for number, item in enumerate(kept)}
    places = [np.array([place.get(item, -1) for item in items], np.int32) for items, _ in columns]
    parts = [csr_matrix((0, len(kept)), dtype=np.int8)]
    for start in range(0, rows.height, AT_ONCE):
        here = slice(start, min(start + AT_ONCE, rows.height))
        told = np.array([own[codes[here]] for own, (_, codes) in zip(places, columns, strict=True)], np.int32)
        told = told.reshape(len(columns), here.stop - start)
        _, row = np.nonzero(told >= 0)
        has = np.ones(len(row), np.int8), (row, told[told >= 0])
        parts.append(csr_matrix(has, shape=(here.stop - start, len(kept))))
    return Bank(tuple(kept), vstack(parts, format="csr"), np.ones(rows.height, bool))


def finite(column: pl.Series) -> pl.Series:
    """A column of numbers as floats; what is no finite number is missing."""
    numbers = column.cast(pl.Float64)
    return numbers.set(~numbers.is_finite().fill_null(value=False), None)


def told_apart(numbers: Floats) -> list[str]:
    """Different numbers as text, all in 6 digits that count, or in the first of `DIGITS` that tell them apart."""
    texts = ([f"{number:.{digits}g}" for number in numbers.tolist()] for digits in DIGITS)
    return next(told for told in texts if len(set(told)) == len(numbers))


def _values(column: pl.Series, fitted_on: Booleans) -> tuple[list[Saying], Codes]:
    """What a column may say, and which of these each row says (n,)."""
    numbers = finite(column) if column.dtype.is_numeric() else None
    seen = None if numbers is None else numbers.filter(pl.Series(fitted_on)).drop_nulls()
    if numbers is not None and seen is not None and seen.n_unique() > MOST_VALUES:
        told, quarters = _quarters(numbers, seen.to_numpy())
        return [_said(f"{column.name} {text}") for text in told], quarters
    texts = column.cast(pl.String) if numbers is None else column.cast(pl.String).set(numbers.is_null(), None)
    if column.dtype.is_float():  # as SQL and Python write them: polars has 0.00001 for 1e-05
        texts = texts.replace({text: repr(float(text)) for text in texts.drop_nulls().unique()})
    different = texts.drop_nulls().unique().sort()
    codes = texts.cast(pl.Enum(different)).to_physical().cast(pl.UInt32).fill_null(len(different))
    told = [*(f"{column.name} = {value}" for value in different), f"{column.name} missing"]
    return [_said(text) for text in told], codes.to_numpy()


def _said(text: str) -> Saying:
    return Saying(text, "present", METADATA)


def _quarters(numbers: pl.Series, seen: Floats) -> tuple[list[str], Codes]:
    """The quarter of each number, by its edges among those `seen`; without edges, whether it is above their lowest."""
    lowest = seen.min()
    edges = np.unique(np.quantile(seen, QUARTERS))
    edges = edges[edges > lowest]
    if not len(edges):
        (least,) = told_apart(lowest[None])
        edges, told = np.nextafter(lowest[None], np.inf), [f"{least} or less", f"above {least}"]
    else:
        texts = told_apart(edges)
        between = [f"{low} to {high}" for low, high in pairwise(texts)]
        told = [f"below {texts[0]}", *between, f"{texts[-1]} or more"]
    places = np.searchsorted(edges, numbers.to_numpy(), side="right").astype(np.uint8)
    places[numbers.is_null().to_numpy()] = len(told)
    return [*told, "missing"], places
