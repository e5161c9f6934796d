"""Made-up slices of few patients among held-out rows: what the test by whole patients would confirm of them."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import SIGNIFICANCE

from .patients import Codes, stratum_members

Floats = NDArray[np.float64]

POWER = 0.8
SLICES = 500
"""So many say how often a slice is confirmed to 1.8 in a hundred, one standard error."""
SHUFFLES = 199
ENOUGH_HITS = round(SIGNIFICANCE * (1 + SHUFFLES))
"""So many shuffles that reach the slice are one too many: p = (1 + hits) / (1 + SHUFFLES) is above the level."""
SEED = 0
FEW = 4
"""Times as many patients as are drawn: of fewer the whole order is drawn."""

Landing = tuple[Codes, Codes, Codes]
"""The rows (k,) of a slice, patient by patient; of each its place among its patient's rows; and (SHUFFLES, k) the rows
whose values land there in as many shuffles."""


def smallest_confirmed(
    patients: Codes, slice_rows: int, fewest_patients: int, needed: Callable[[Landing], float]
) -> float:
    """The size of effect at which 80 % of slices of `slice_rows` of the rows, `patients` (n,), are confirmed.

    A slice holds the first rows of patients drawn at random: of each all, but no more than leave rows for
    `fewest_patients`, if there are so many. `needed` is how large the effect has to be in one slice for the test to
    confirm it, infinite where none would do. Infinite where more than 20 % need that. The same for the same rows.
    n > `slice_rows` > 0.
    """
    needs = np.sort([needed(slice_) for slice_ in landings(patients, slice_rows, fewest_patients)])
    return float(needs[int(np.ceil(POWER * len(needs))) - 1])


def landings(patients: Codes, slice_rows: int, fewest_patients: int) -> Iterator[Landing]:
    """So many slices as `SLICES`, with shuffles of the law of `PatientShuffle`."""
    generator = np.random.default_rng(SEED)
    _, codes, counts = np.unique(patients, return_inverse=True, return_counts=True)
    rows, starts = np.argsort(codes, kind="stable"), np.cumsum(counts) - counts
    strata = stratum_members(counts)
    stratum = np.empty(len(counts), np.intp)
    for number, members in enumerate(strata):
        stratum[members] = number
    taken = np.minimum(counts, _most_each(counts, slice_rows, fewest_patients))
    for _ in range(SLICES):
        drawn = generator.choice(len(counts), min(slice_rows, len(counts)), replace=False)
        drawn = drawn[: int(np.searchsorted(np.cumsum(taken[drawn]), slice_rows)) + 1]
        whose = np.repeat(np.arange(len(drawn)), taken[drawn])[:slice_rows]
        place = np.arange(slice_rows) - np.searchsorted(whose, whose)
        givers = np.empty((SHUFFLES, len(drawn)), np.intp)
        for number in np.unique(stratum[drawn]):
            here = stratum[drawn] == number
            givers[:, here] = strata[number][_orders(len(strata[number]), int(here.sum()), generator)]
        given = givers[:, whose]
        yield rows[starts[drawn][whose] + place], place, rows[starts[given] + place % counts[given]]


def _most_each(counts: Codes, slice_rows: int, fewest_patients: int) -> int:
    """How many rows of a patient a slice holds at most: more than its part where too few patients have as many."""
    most = max(1, slice_rows // fewest_patients)
    while np.minimum(counts, most).sum() < slice_rows:
        most += 1
    return most


def _orders(most: int, some: int, generator: np.random.Generator) -> Codes:
    """(SHUFFLES, some): each `some` different of the numbers below `most`, in random order."""
    if most < FEW * some:
        return np.argsort(generator.random((SHUFFLES, most)), axis=1)[:, :some]
    # the first different ones of numbers drawn with replacement; a row that lacks them is drawn again
    drawn = generator.integers(most, size=(SHUFFLES, 2 * some))
    while True:
        order = np.argsort(drawn, axis=1, kind="stable")
        ranked = np.take_along_axis(drawn, order, 1)
        first = np.ones(drawn.shape, bool)
        np.put_along_axis(first, order[:, 1:], ranked[:, 1:] != ranked[:, :-1], 1)
        short = first.sum(axis=1) < some
        if not short.any():
            break
        drawn[short] = generator.integers(most, size=(int(short.sum()), 2 * some))
    kept = first & (np.cumsum(first, axis=1) <= some)
    return drawn[kept].reshape(SHUFFLES, some)
