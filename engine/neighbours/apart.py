"""Of every row the nearest of another patient: far nearer than usual, it may be the same image, taken in twice."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from misread.principal import unit

from .settle import rounding

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

_AT_ONCE = 1 << 25
"""Similarities that are held at a time."""
_DECIMALS = 6
"""Of a cosine that vectors in single precision give alike in any order of sums."""
_TIES = 64
"""Rows, the first ones, among which single precision leaves the choice to double."""


def nearest_of_others(vectors: NDArray[np.float32], patients: Rows, check: Callable[[], None]) -> tuple[Rows, Floats]:
    """(n,) twice: of every row the most similar row of another patient, and their cosine, rounded to 6 decimals.

    `vectors` (n, d), scaled to length 1; `patients` (n,) codes in rising order. Ties go to the lower row; -1 and NaN
    where there is one patient alone. Every two rows are compared, in single precision, and the likely ones again in
    double: n * n * d products. `check` is called now and then and may raise.
    """
    rows, dimension = vectors.shape
    others, cosines = np.full(rows, -1, np.intp), np.full(rows, np.nan)
    if not rows or patients[0] == patients[-1]:
        return others, cosines
    slack = rounding(dimension, float(np.finfo(np.float32).eps))
    first, behind = np.searchsorted(patients, patients), np.searchsorted(patients, patients, side="right")
    step = max(_AT_ONCE // rows, 1)
    for start in range(0, rows, step):
        check()
        here = np.arange(start, min(start + step, rows))
        similarity = vectors[here] @ vectors.T
        for place, row in enumerate(here.tolist()):
            similarity[place, first[row] : behind[row]] = -np.inf
            likely = np.flatnonzero(similarity[place] >= similarity[place].max() - slack)[:_TIES]
            exact = np.round(unit(vectors[likely]) @ unit(vectors[row]), _DECIMALS)
            best = int(np.argmax(exact))
            others[row], cosines[row] = likely[best], exact[best]
    return others, cosines
