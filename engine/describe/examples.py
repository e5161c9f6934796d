"""Images that show a slice: its most typical errors, and of each the nearest image that is read correctly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .incidence import Booleans, Floats

Codes = NDArray[np.intp]

TYPICAL: Final = "typical error"
NEIGHBOUR: Final = "correct neighbour"
MOST_EXAMPLES: Final = 8


@dataclass(frozen=True)
class Example:
    """`row`: the image's place among the rows of the class; `of`: that of the typical error it is a neighbour of."""

    kind: str
    rank: int
    row: int
    of: int | None
    distance: float


def examples(vectors: Floats, inside: Booleans, wrong: Booleans, right: Booleans, patients: Codes) -> list[Example]:
    """Examples of one slice among the rows of its class, in the order of their sample ids; arrays are (n, ...).

    Typical errors: the rows inside that are `wrong`, nearest to their middle; at most 8, at most one a patient.
    Correct neighbours: for each of them the nearest row that is `right`, of another patient, and of none taken before.
    Ties: the first row.
    """
    errors = np.flatnonzero(inside & wrong)
    if not len(errors):
        return []
    away = np.linalg.norm(vectors[errors] - vectors[errors].mean(axis=0), axis=1)
    typical = list(_one_a_patient(errors, away, patients, set()))[:MOST_EXAMPLES]
    found = [Example(TYPICAL, rank, row, None, distance) for rank, (row, distance) in enumerate(typical, start=1)]
    others = np.flatnonzero(right)
    taken: set[object] = set()
    for rank, (row, _) in enumerate(typical, start=1):
        away = np.linalg.norm(vectors[others] - vectors[row], axis=1)
        nearest = next(_one_a_patient(others, away, patients, taken | {patients[row]}), None)
        if nearest is not None:
            taken.add(patients[nearest[0]])
            found.append(Example(NEIGHBOUR, rank, nearest[0], row, nearest[1]))
    return found


def _one_a_patient(
    rows: NDArray[np.intp], away: Floats, patients: Codes, without: set[object]
) -> Iterator[tuple[int, float]]:
    """The rows, nearest first, each of a patient that was not met before."""
    met = set(without)
    for place in np.argsort(np.round(away, 9), kind="stable").tolist():
        row = int(rows[place])
        if patients[row] not in met:
            met.add(patients[row])
            yield row, float(away[place])
