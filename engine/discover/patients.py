"""Rearranging errors or losses among whole patients: what chance alone would give."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.intp]
Values = TypeVar("Values", bound=NDArray[Any])

FEWEST_IN_STRATUM = 5
WIDEST_STRATUM = 2
"""How many times as many rows a patient has at most as another it is shuffled with."""
LONGEST_KIND = 6
"""Rows a patient has at most to be told by which of them are wrong: 2^6 kinds."""


class PatientShuffle:
    """Shuffles per-row values among patients with as many rows, each patient's run of values kept together.

    `patients` (n,) int codes, one a row. Patients are shuffled among those with the same number of rows. Numbers of
    rows that fewer than 5 patients have are taken together with the next smaller ones, up to twice the smallest: in
    a longer patient's place a shorter run begins again, in a shorter one's a longer run is cut, which makes rows of
    a patient more alike than they are and never less. A patient with far more rows than any other keeps its values.
    Where no patient has two rows this is an ordinary permutation.
    """

    def __init__(self, patients: Codes) -> None:
        _, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
        self.repeat = bool((counts > 1).any())
        by_patient, starts = np.argsort(codes, kind="stable"), np.cumsum(counts) - counts
        self._strata = [_Stratum.of(by_patient, starts[some], counts[some]) for some in stratum_members(counts)]

    def draws(self, values: Values, count: int, seed: int) -> Iterator[Values]:
        """`count` shuffles of `values` (n,), the same for the same seed."""
        generator = np.random.default_rng(seed)
        for _ in range(count):
            shuffled = copy(values)
            for stratum in self._strata:
                stratum.shuffle(values, shuffled, generator)
            yield shuffled

    def sums(self, values: NDArray[Any], inside: NDArray[np.bool_], count: int, seed: int) -> NDArray[np.float64]:
        """(count,): the sums of the values that land `inside` (n,) in as many shuffles; drawn without the others.

        The same law as that of `draws`. Errors are drawn by how many patients of each kind (which of their rows are
        wrong) land where (which rows there are inside); losses patient by patient, for the patients inside alone.
        """
        generator = np.random.default_rng(seed)
        total = np.zeros(count)
        for stratum in self._strata:
            runs, places = values[stratum.runs], inside[stratum.runs] & stratum.own
            by_kind = values.dtype == bool and runs.shape[1] <= LONGEST_KIND
            total += (_sums_by_kind if by_kind else _sums_of_drawn)(runs, places, count, generator)
        return total


@dataclass(frozen=True)
class _Stratum:
    """Patients who are shuffled among each other.

    `runs` (p, longest): a patient's rows, from the first again up to the longest patient's number. `own` (p, longest):
    the first time round.
    """

    runs: Codes
    own: NDArray[np.bool_]

    @classmethod
    def of(cls, rows: Codes, starts: Codes, sizes: Codes) -> "_Stratum":
        """Of patients whose `rows` lie from `starts` (p,) on, `sizes` (p,) of them each."""
        places = np.arange(sizes.max())
        return cls(rows[starts[:, None] + places % sizes[:, None]], places < sizes[:, None])

    def shuffle(self, values: Values, into: Values, generator: np.random.Generator) -> None:
        """Gives every patient the values of a drawn one."""
        into[self.runs[self.own]] = values[self.runs[generator.permutation(len(self.runs))][self.own]]


def _sums_by_kind(
    wrong: NDArray[np.bool_], inside: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """`wrong`, `inside` (patients, rows): multivariate hypergeometric draws, one kind after the other."""
    kinds, many = _kinds(wrong)
    places, taken = _kinds(inside[inside.any(axis=1)])
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


def _kinds(rows: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], Codes]:
    """The rows that differ, in rising order, False first, and how often each is there; a number stands for each."""
    places = np.arange(rows.shape[1])[::-1]
    numbers, many = np.unique(rows @ (1 << places), return_counts=True)
    return (numbers[:, None] >> places & 1).astype(bool), many


def _sums_of_drawn(
    values: NDArray[Any], inside: NDArray[np.bool_], count: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """`values`, `inside` (patients, rows): who lands inside is drawn without replacement."""
    places = inside[inside.any(axis=1)]
    who = (generator.choice(len(values), len(places), replace=False) for _ in range(count))
    return np.array([values[drawn][places].sum() for drawn in who], float)


def joined(sizes: Codes, members: Codes) -> Codes:
    """(k,): which stratum, from 0 on, patients of each of the `sizes` are in, numbers of rows in rising order.

    `members` (k,): how many patients have so many rows. Where fewer than 5 have, they are joined to the next smaller
    size, up to twice the smallest of the stratum.
    """
    places = np.zeros(len(sizes), np.intp)
    in_last = smallest = 0
    for place, (size, some) in enumerate(zip(sizes, members, strict=True)):
        joins = min(some, in_last) < FEWEST_IN_STRATUM and size <= WIDEST_STRATUM * smallest
        places[place] = places[place - 1] + (not joins) if place else 0
        in_last, smallest = (in_last + some, smallest) if joins else (some, size)
    return places


def stratum_members(counts: Codes) -> list[Codes]:
    """The patients of each stratum, of their number of rows `counts` (p,)."""
    sizes, members = np.unique(counts, return_counts=True)
    patients = np.bincount(joined(sizes, members), weights=members).astype(np.intp)
    return np.split(np.argsort(counts, kind="stable"), np.cumsum(patients))[:-1]
