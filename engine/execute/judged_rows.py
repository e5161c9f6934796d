"""The rows of a population that are judged, as arrays."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.population import Population
from misread.discover import Codes
from misread.schemas.values import CONFIRMATION

Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class JudgedRows:
    """Rows of one population, by sample id, all (n,): `places` among its samples; `values` errors or losses.

    `labels`: by loss -1 where there is none.
    """

    places: NDArray[np.intp]
    labels: NDArray[np.int8]
    values: NDArray[Any]
    held_out: Booleans
    patients: Codes

    @classmethod
    def of(cls, judged: Population, true_class: int | None = None, half: str | None = None) -> "JudgedRows":
        """Those of one true class, or of all (None); of one half or both."""
        rows = judged.judged_rows(true_class, half)
        return cls(
            rows["place"].to_numpy().astype(np.intp),
            rows["label"].fill_null(-1).to_numpy(),
            rows["value"].to_numpy(),
            (rows["half"] == CONFIRMATION).to_numpy(),
            codes(rows["patient"]),
        )

    @cached_property
    def searched(self) -> NDArray[np.intp]:
        """The places of the discovery rows."""
        return self.places[~self.held_out]

    def of_class(self, true_class: int | None) -> Booleans:
        """(n,): which rows are of that class; every one for None."""
        return np.ones(len(self.labels), bool) if true_class is None else np.asarray(self.labels == true_class)


def people(patients: Codes) -> int:
    """How many different patients rows are of."""
    return len(np.unique(patients))


def codes(values: pl.Series) -> NDArray[np.intp]:
    """Each value's place among the sorted distinct values; whole numbers are sorted as such, all else as text.

    Numbers without a sign are those of patients, from 0 on: nothing needs to be sorted.
    """
    if not values.dtype.is_unsigned_integer():
        ordered = values if values.dtype.is_integer() else values.cast(pl.String)
        return ordered.rank("dense").to_numpy().astype(np.intp) - 1
    numbers = values.to_numpy()
    there = np.zeros(int(numbers.max(initial=0)) + 1, np.bool_)
    there[numbers] = True
    return np.asarray((np.cumsum(there) - 1)[numbers])
