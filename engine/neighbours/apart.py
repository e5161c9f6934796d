"""Of every row the nearest of another patient: far nearer than usual, it may be the same image, taken in twice."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from misread.principal import unit

from .settle import rounding

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Singles = NDArray[np.float32]

COSINE_DECIMALS = 6
"""Of a cosine that vectors in single precision give alike in any order of sums."""
_AT_ONCE = 1 << 25
"""Similarities that are held at a time."""
_TIES = 64
"""Rows, the likeliest, among which single precision leaves the choice to double."""


def nearest_of_others(
    queries: Singles, own: Rows, vectors: Singles, patients: Rows, check: Callable[[], None]
) -> tuple[Rows, Floats]:
    """(m,) twice: for every query the most similar row of another patient, and their cosine, rounded to 6 decimals.

    `queries` (m, d) and `vectors` (n, d), scaled to length 1; `own` (m,) and `patients` (n,) codes, those of the
    vectors in rising order. Ties go to the lower row; -1 and NaN where no row is of another patient. Every two are
    compared, in single precision, and the likely ones again in double: m * n * d products. `check` is called now and
    then and may raise.
    """
    rows, dimension = vectors.shape
    others, cosines = np.full(len(queries), -1, np.intp), np.full(len(queries), np.nan)
    if not rows:
        return others, cosines
    slack = rounding(dimension, float(np.finfo(np.float32).eps))
    first, behind = np.searchsorted(patients, own), np.searchsorted(patients, own, side="right")
    apart = np.flatnonzero(behind - first < rows)
    step = max(_AT_ONCE // rows, 1)
    for start in range(0, len(apart), step):
        check()
        here = apart[start : start + step]
        similarity = queries[here] @ vectors.T
        for place, query in enumerate(here.tolist()):
            similarity[place, first[query] : behind[query]] = -np.inf
            likely = _likely(similarity[place], slack)
            exact = np.round(unit(vectors[likely]) @ unit(queries[query]), COSINE_DECIMALS)
            best = int(np.argmax(exact))
            others[query], cosines[query] = likely[best], exact[best]
    return others, cosines


def _likely(similarity: Singles, slack: float) -> Rows:
    """Rows that may be the most similar: all within the slack, or `_TIES` of them, the lower ones of those alike."""
    rows = np.flatnonzero(similarity >= similarity.max() - slack)
    if len(rows) <= _TIES:
        return rows
    return np.sort(rows[np.argsort(-np.round(similarity[rows], COSINE_DECIMALS), kind="stable")[:_TIES]])
