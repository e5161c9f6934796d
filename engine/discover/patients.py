"""Rearranging errors or losses among whole patients: what chance alone would give."""

from collections.abc import Iterator
from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
Values = TypeVar("Values", bound=NDArray[Any])

FEWEST_IN_STRATUM = 5


class PatientShuffle:
    """Shuffles per-row values among patients with about as many rows, each patient's run of values kept together.

    `patients` (n,) int codes, one a row. Patients are shuffled among those with the same number of rows; sizes
    that fewer than 5 patients share are taken together with the next smaller ones, there the runs are laid end
    to end over the rows. Where no patient has two rows this is an ordinary permutation.
    """

    def __init__(self, patients: Codes) -> None:
        _, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
        self.repeat = bool((counts > 1).any())
        by_patient = np.argsort(codes, kind="stable")
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        self._strata = [[by_patient[starts[p] : starts[p] + counts[p]] for p in stratum] for stratum in _strata(counts)]

    def draws(self, values: Values, count: int, seed: int) -> Iterator[Values]:
        """`count` shuffles of `values` (n,), the same for the same seed."""
        generator = np.random.default_rng(seed)
        targets = [np.concatenate(runs) for runs in self._strata]
        even = [len({len(run) for run in runs}) == 1 for runs in self._strata]
        tables = [np.array(runs) if same else None for runs, same in zip(self._strata, even, strict=True)]
        for _ in range(count):
            shuffled = copy(values)
            for runs, target, table in zip(self._strata, targets, tables, strict=True):
                order = generator.permutation(len(runs))
                source = np.concatenate([runs[i] for i in order]) if table is None else table[order].ravel()
                shuffled[target] = values[source]
            yield shuffled


def _strata(counts: NDArray[np.intp]) -> list[Codes]:
    """Patients grouped by their number of rows, small groups joined to the next smaller size."""
    groups: list[list[int]] = []
    for size in np.unique(counts):
        members = np.flatnonzero(counts == size).tolist()
        if groups and (len(members) < FEWEST_IN_STRATUM or len(groups[-1]) < FEWEST_IN_STRATUM):
            groups[-1].extend(members)
        else:
            groups.append(members)
    return [np.array(group) for group in groups]
