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

        The other half has rows of each that is listed, and neither half 1 to `smallest_cell` - 1 patients inside or
        outside it, or in it but not in a part of it that is listed before.
        """

        def enough_patients(terms: Conditions) -> bool:
            check()
            inside = rows_with(terms, self.codes)
            can_be_judged = bool((inside & ~self.discovery).any())
            return (
                can_be_judged and not self._are_few(inside, smallest_cell) and not self._are_few(~inside, smallest_cell)
            )

        errors = self.errors[self.discovery]
        found = best_conjunctions(
            self.codes[self.discovery],
            errors,
            ScanScore(int(errors.sum()), len(errors)),
            min_size=min_size,
            most_terms=most_terms,
            top=top,
            admit=enough_patients,
            check=check,
        )
        return self._told_apart(found, smallest_cell, check)

    def confirmed(self, found: Sequence[Conjunction], seed: int, check: Callable[[], None]) -> list[Confirmation]:
        """What the other half says of each; `seed` is that of the shuffles of patients."""
        held_out = self.of(~self.discovery)
        verdicts = []
        for one in found:
            check()
            verdicts.append(confirm(rows_with(one.terms, held_out.codes), held_out.errors, held_out.patients, seed))
        return verdicts

    def of(self, rows: Booleans) -> "DividedRows":
        """Some of the rows, in their order."""
        return DividedRows(self.codes[rows], self.errors[rows], self.patients[rows], self.discovery[rows])

    def _told_apart(
        self, found: Sequence[Conjunction], smallest_cell: int, check: Callable[[], None]
    ) -> list[Conjunction]:
        """Those found without what differs in few patients from a part of it: parts are better, or were not found."""
        listed: list[Conjunction] = []
        for one in found:
            check()
            parts = (other.terms for other in listed if set(one.terms) < set(other.terms))
            if not any(self._differ_in_few(one.terms, part, smallest_cell) for part in parts):
                listed.append(one)
        return listed

    def _are_few(self, rows: Booleans, smallest_cell: int) -> bool:
        """Whether the patients of these rows in either half are too few to be told of."""
        return any(
            is_small_cell(self._patients(rows & half), smallest_cell) for half in (self.discovery, ~self.discovery)
        )

    def _differ_in_few(self, whole: Conditions, part: Conditions, smallest_cell: int) -> bool:
        """Whether the rows, or the patients, of the whole less those of the part are of too few patients."""
        rows, own = rows_with(whole, self.codes), rows_with(part, self.codes)
        patients = (
            self._patients(rows & half) - self._patients(own & half) for half in (self.discovery, ~self.discovery)
        )
        few_patients = any(is_small_cell(count, smallest_cell) for count in patients)
        return few_patients or self._are_few(rows & ~own, smallest_cell)

    def _patients(self, rows: Booleans) -> int:
        return int(np.count_nonzero(np.bincount(self.patients[rows])))
