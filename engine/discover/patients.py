"""Rearranging errors or losses among whole patients: what chance alone would give."""

from collections.abc import Iterator
from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
Values = TypeVar("Values", bound=NDArray[Any])

FEWEST_IN_STRATUM = 5
LONGEST_KIND = 6
"""Rows a patient has at most to be told by which of them are wrong: 2^6 kinds."""


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

    def sums(self, values: NDArray[Any], inside: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.float64]:
        """(count,): the sums of the values that land `inside` (n,) in as many shuffles; drawn without the others.

        The same law as that of `draws`. Errors are drawn by how many patients of each kind (which of their rows are
        wrong) land where (which rows there are inside); losses patient by patient, for the patients inside alone.
        """
        generator = np.random.default_rng(seed)
        total = np.zeros(count)
        for runs in self._strata:
            if len({len(run) for run in runs}) > 1:
                total += _shuffled_sums(values, inside, runs, count, generator)
                continue
            table = np.array(runs)
            if values.dtype == bool and table.shape[1] <= LONGEST_KIND:
                total += _sums_by_kind(values[table], inside[table], count, generator)
            else:
                total += _sums_of_drawn(values[table], inside[table], count, generator)
        return total


def _sums_by_kind(
    wrong: NDArray[np.bool_], inside: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """`wrong`, `inside` (patients, rows): multivariate hypergeometric draws, one kind after the other."""
    kinds, many = np.unique(wrong, axis=0, return_counts=True)
    places, taken = np.unique(inside[inside.any(axis=1)], axis=0, return_counts=True)
    left = np.tile(many[:, None], (1, count))
    total = np.zeros(count)
    for place, patients in zip(places, taken, strict=True):
        gains = (kinds & place).sum(axis=1)
        pool, wanted = left.sum(axis=0), np.full(count, patients)
        for number, gain in enumerate(gains):
            pool = pool - left[number]
            drawn = generator.hypergeometric(left[number], pool, wanted)
            left[number] -= drawn
            wanted = wanted - drawn
            total += gain * drawn
    return total


def _sums_of_drawn(
    values: NDArray[Any], inside: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """`values`, `inside` (patients, rows): who lands inside is drawn without replacement."""
    places = inside[inside.any(axis=1)]
    who = (generator.choice(len(values), len(places), replace=False) for _ in range(count))
    return np.array([values[drawn][places].sum() for drawn in who], float)


def _shuffled_sums(
    values: NDArray[Any],
    inside: NDArray[np.bool_],
    runs: list[Codes],
    count: int,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Runs of several lengths, laid end to end: shuffled as they are."""
    own = inside[np.concatenate(runs)]
    pieces = [values[run] for run in runs]
    orders = (generator.permutation(len(runs)) for _ in range(count))
    return np.array([np.concatenate([pieces[i] for i in order])[own].sum() for order in orders], float)


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
