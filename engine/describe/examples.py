"""Images that show a slice: its most typical errors, and of each the nearest image that is read correctly."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misread.spill import Vectors, folded, mapped, total

from .incidence import Booleans, Floats

Codes = NDArray[np.intp]

TYPICAL: Final = "typical error"
NEIGHBOUR: Final = "correct neighbour"
MOST_EXAMPLES: Final = 8
NEAREST: Final = 4096
"""So many rows are mostly enough: at most 8 of as many patients are taken."""


@dataclass(frozen=True)
class Example:
    """`row`: the image's place among the rows of the class; `of`: that of the typical error it is a neighbour of."""

    kind: str
    rank: int
    row: int
    of: int | None
    distance: float


def examples(vectors: Vectors, inside: Booleans, wrong: Booleans, right: Booleans, patients: Codes) -> list[Example]:
    """Examples of one slice among the rows of its class, in the order of their sample ids; arrays are (n, ...).

    Typical errors: the rows inside that are `wrong`, nearest to their middle; at most 8, at most one a patient.
    Correct neighbours: for each of them the nearest row that is `right`, of another patient, and of none taken before.
    Ties: the first row.
    """
    mine = inside & wrong
    errors = np.flatnonzero(mine)
    if not len(errors):
        return []
    middle = folded(vectors, _sum, total, mine) / len(errors)
    away = mapped(vectors, partial(_away, places=middle[None]), mine)[:, 0]
    typical = list(_one_a_patient(errors, away, patients, set()))[:MOST_EXAMPLES]
    found = [Example(TYPICAL, rank, row, None, distance) for rank, (row, distance) in enumerate(typical, start=1)]
    others = np.flatnonzero(right)
    places = vectors[np.array([row for row, _ in typical])]
    apart = mapped(vectors, partial(_away, places=places), right)
    taken: set[object] = set()
    for rank, ((row, _), away) in enumerate(zip(typical, apart.T, strict=True), start=1):
        nearest = next(_one_a_patient(others, away, patients, taken | {patients[row]}), None)
        if nearest is not None:
            taken.add(patients[nearest[0]])
            found.append(Example(NEIGHBOUR, rank, nearest[0], row, nearest[1]))
    return found


def _sum(part: Floats, kept: Booleans) -> Floats:
    return np.asarray(part[kept].sum(axis=0))


def _away(part: Floats, kept: Booleans, places: Floats) -> Floats:
    """(rows kept, p): their distances to places (p, d)."""
    some = part[kept]
    return np.stack([np.linalg.norm(some - place, axis=1) for place in places], axis=1)


def _one_a_patient(
    rows: NDArray[np.intp], away: Floats, patients: Codes, without: set[object]
) -> Iterator[tuple[int, float]]:
    """The rows, nearest first, each of a patient that was not met before."""
    met = set(without)
    for place in _nearest_first(np.round(away, 9)):
        row = int(rows[place])
        if patients[row] not in met:
            met.add(patients[row])
            yield row, float(away[place])


def _nearest_first(away: Floats) -> Iterator[int]:
    """Places by rising distance, ties in their order; the nearest are found before the others are sorted."""
    reach = np.partition(away, NEAREST)[NEAREST] if len(away) > NEAREST else np.inf
    for part in (away <= reach, away > reach):
        places = np.flatnonzero(part)
        yield from places[np.argsort(away[places], kind="stable")].tolist()
