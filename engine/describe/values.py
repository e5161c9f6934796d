"""Metadata as items: `view = PA`, numbers in quarters (`age 57 to 71`), and missing values as a value of their own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from .bank import METADATA, Bank, Saying
from .incidence import Booleans, Floats, incidence

QUARTERS: Final = (0.25, 0.5, 0.75)
MOST_VALUES: Final = 8
"""Numbers of so many different values or fewer are told one by one."""
DIGITS: Final = (6, 9, 12, 15, 17)
"""How many digits of a number are told: the first that tell numbers apart. 17 tell any two."""


def value_bank(rows: pl.DataFrame, names: Sequence[str], counted: Booleans) -> Bank:
    """Which rows have which values of the columns `names`, as terms of SQL's view `metadata`.

    What is told of numbers (their different values, the edges of their quarters) is that of the rows `counted` (n,).
    """
    columns = [_values(rows[name], counted) for name in sorted(names)]

    def documents() -> Iterator[tuple[int, dict[Saying, bool]]]:
        for row in range(rows.height):
            yield row, {Saying(values[row], "present", METADATA): True for values in columns}

    return incidence(rows.height, documents, counted)


def finite(column: pl.Series) -> pl.Series:
    """A column of numbers as floats; what is no finite number is missing."""
    numbers = column.cast(pl.Float64)
    return numbers.set(~numbers.is_finite().fill_null(value=False), None)


def told_apart(numbers: Floats) -> list[str]:
    """Different numbers as text, all in 6 digits that count, or in the first of `DIGITS` that tell them apart."""
    texts = ([f"{number:.{digits}g}" for number in numbers.tolist()] for digits in DIGITS)
    return next(told for told in texts if len(set(told)) == len(numbers))


def _values(column: pl.Series, fitted_on: Booleans) -> list[str]:
    name = column.name
    texts = column.cast(pl.String)
    if column.dtype.is_numeric():
        numbers = finite(column)
        seen = numbers.filter(pl.Series(fitted_on)).drop_nulls()
        if seen.n_unique() > MOST_VALUES:
            return [f"{name} {told}" for told in _quarters(numbers, seen.to_numpy())]
        texts = texts.set(numbers.is_null(), None)
    return [f"{name} missing" if v is None else f"{name} = {v}" for v in texts.to_list()]


def _quarters(numbers: pl.Series, seen: Floats) -> list[str]:
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
    places = np.searchsorted(edges, numbers.to_numpy(), side="right").tolist()
    return ["missing" if missing else told[place] for place, missing in zip(places, numbers.is_null(), strict=True)]
