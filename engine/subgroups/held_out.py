"""Subgroups searched in one half of the patients and judged on the other, whose errors the search never saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.discover import Codes, Confirmation, confirm
from misread.schemas.values import is_small_cell

from .lattice import Booleans, Conditions, Conjunction, best_conjunctions, rows_with
from .scores import ScanScore


@dataclass(frozen=True, eq=False)
class DividedRows:
    """The rows of one true class: `codes` (n, d) as `best_conjunctions` has them; `errors`, `patients`, and `discovery`
    (True: the row is searched, False: it is held out), (n,) each."""

    codes: NDArray[np.intp]
    errors: Booleans
    patients: Codes
    discovery: Booleans

    def search(
        self, *, min_size: int, most_terms: int, top: int, smallest_cell: int, check: Callable[[], None]
    ) -> list[Conjunction]:
        """The best conjunctions of the discovery half, with its rows, errors and scan statistic, best first.

        The other half has rows of each that is listed, and neither half 1 to `smallest_cell` patients inside or
        outside it.
        """

        def enough_patients(terms: Conditions) -> bool:
            inside = rows_with(terms, self.codes)
            sides = [
                inside & ~self.discovery,
                inside & self.discovery,
                ~inside & ~self.discovery,
                ~inside & self.discovery,
            ]
            patients = [int(np.count_nonzero(np.bincount(self.patients[side]))) for side in sides]
            return patients[0] > 0 and not any(is_small_cell(count, smallest_cell) for count in patients)

        errors = self.errors[self.discovery]
        return best_conjunctions(
            self.codes[self.discovery],
            errors,
            ScanScore(int(errors.sum()), len(errors)),
            min_size=min_size,
            most_terms=most_terms,
            top=top,
            admit=enough_patients,
            check=check,
        )

    def confirmed(self, found: Sequence[Conjunction], seed: int, check: Callable[[], None]) -> list[Confirmation]:
        """What the other half says of each; `seed` is that of the shuffles of patients."""
        held_out = ~self.discovery
        codes, errors, patients = self.codes[held_out], self.errors[held_out], self.patients[held_out]
        verdicts = []
        for one in found:
            check()
            verdicts.append(confirm(rows_with(one.terms, codes), errors, patients, seed))
        return verdicts
