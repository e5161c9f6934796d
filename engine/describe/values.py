"""Metadata as items: `view = PA`, numbers in quarters (`age 57 to 71`), and missing values as a value of their own."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from .bank import METADATA, Bank, Saying
from .incidence import Booleans, Floats, incidence

BANDS = 4


def value_bank(rows: pl.DataFrame, names: Sequence[str], counted: Booleans) -> Bank:
    """Which rows have which values of the columns `names`; quarters are those of the rows `counted` (n,)."""
    columns = [_values(rows[name], counted) for name in sorted(names)]

    def documents() -> Iterator[tuple[int, dict[Saying, bool]]]:
        for row in range(rows.height):
            yield row, {Saying(values[row], "present", METADATA): True for values in columns}

    return incidence(rows.height, documents, counted)


def finite(column: pl.Series) -> pl.Series:
    """A column of numbers as floats; what is no finite number is missing."""
    numbers = column.cast(pl.Float64)
    return numbers.set(~numbers.is_finite().fill_null(value=False), None)


def _values(column: pl.Series, fitted_on: Booleans) -> list[str]:
    name = column.name
    if column.dtype.is_numeric():
        numbers = finite(column)
        seen = numbers.filter(pl.Series(fitted_on)).drop_nulls()
        if seen.len():
            edges = np.unique(np.quantile(seen.to_numpy(), np.linspace(0, 1, BANDS + 1)))
            return [f"{name} missing" if v is None else f"{name} {_band(v, edges)}" for v in numbers.to_list()]
    return [f"{name} missing" if v is None else f"{name} = {v}" for v in column.cast(pl.String).to_list()]


def _band(value: float, edges: Floats) -> str:
    if len(edges) == 1:
        return f"= {edges[0]:g}" if value == edges[0] else "other"
    band = int(np.clip(np.searchsorted(edges, value, side="right") - 1, 0, len(edges) - 2))
    if band == 0:
        return f"below {edges[1]:g}"
    return f"{edges[band]:g} or more" if band == len(edges) - 2 else f"{edges[band]:g} to {edges[band + 1]:g}"
