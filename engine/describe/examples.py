"""Images that show a slice: its most typical errors, and of each the nearest image that is read correctly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misread.spill import Vectors, folded, mapped, total

from .incidence import Booleans, Floats

Codes = NDArray[np.intp]
Rows = NDArray[np.signedinteger]
Near = tuple[Rows, Floats]
"""Rows by rising number, and how far they are."""

TYPICAL: Final = "typical error"
NEIGHBOUR: Final = "correct neighbour"
MOST_EXAMPLES: Final = 8
DECIMALS: Final = 9
"""Of distances, so that the order of sums never decides which row is nearer."""


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
    places = vectors[np.array([row for row, _ in typical])]
    passed = (MOST_EXAMPLES + 1) * int(np.bincount(patients).max())  # a patient's own rows, and of those taken before
    work = partial(_nearest, places=places, most=passed + 1)
    near = folded(vectors, work, _laid, np.arange(len(right), dtype=np.int32), right)
    taken: set[object] = set()
    for rank, ((row, _), (others, away)) in enumerate(zip(typical, near, strict=True), start=1):
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


def _nearest(part: Floats, rows: Rows, kept: Booleans, places: Floats, most: int) -> list[Near]:
    """For each place (p, d) the rows kept that may be nearest to it: `most`, and those as near as the last of them."""
    some, found = rows[kept], []
    for away in _away(part, kept, places).T:
        rounded = np.round(away, DECIMALS)
        near = rounded <= np.partition(rounded, most - 1)[most - 1] if len(away) > most else np.ones(len(away), bool)
        found.append((some[near], away[near]))
    return found


def _laid(parts: Iterable[list[Near]]) -> list[Near]:
    """The rows of all parts one after the other, for each place."""
    of_places = (zip(*some, strict=True) for some in zip(*parts, strict=True))
    return [(np.concatenate(rows), np.concatenate(away)) for rows, away in of_places]


def _one_a_patient(rows: Rows, away: Floats, patients: Codes, without: set[object]) -> Iterator[tuple[int, float]]:
    """The rows, nearest first, each of a patient that was not met before."""
    met = set(without)
    for place in np.argsort(np.round(away, DECIMALS), kind="stable").tolist():
        row = int(rows[place])
        if patients[row] not in met:
            met.add(patients[row])
            yield row, float(away[place])
