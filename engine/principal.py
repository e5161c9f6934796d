"""Directions and scales: principal directions, signs that do not depend on the machine, rows at length 1."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def principal_directions(centered: Floats, most: int) -> tuple[Floats, Floats]:
    """Variances (c,) and directions (d, c) of centred rows (n, d), largest first, at most `most`.

    The smaller of the two Gram matrices is decomposed. Directions without variance are left out; the largest
    loading of each is positive.
    """
    n, d = centered.shape
    if d <= n:
        return principal_axes(centered.T @ centered / max(n, 1), most)
    values, vectors = _largest(centered @ centered.T / max(n, 1), most)
    return values, signed(centered.T @ vectors / np.sqrt(values * n))


def principal_axes(covariance: Floats, most: int) -> tuple[Floats, Floats]:
    """The same from a covariance (d, d)."""
    values, vectors = _largest(covariance, most)
    return values, signed(vectors)


def _largest(matrix: Floats, most: int) -> tuple[Floats, Floats]:
    from scipy.linalg import eigh

    size = len(matrix)
    most = min(most, size)
    if most < 1 or not matrix.any():
        return np.empty(0), np.empty((size, 0))
    values, vectors = eigh(matrix, subset_by_index=(size - most, size - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > max(values[0] * 1e-9, 1e-18)
    return values[kept], vectors[:, kept]


def unit(rows: NDArray[np.floating]) -> Floats:
    """Rows (..., k) at length 1, in float64; a row of zeros stays."""
    wide = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(wide, axis=-1, keepdims=True)
    return np.asarray(wide / np.where(lengths > 0, lengths, 1.0))


def unit_scale(values: Floats) -> float:
    """A power of two as large as the largest of `values` or up to half as large: dividing by it is exact."""
    return float(np.ldexp(0.5, np.frexp(np.abs(values).max(initial=0.0))[1]))


def signed(directions: Floats) -> Floats:
    """Directions (d, c), each turned so that its largest loading is positive."""
    if not directions.size:
        return directions
    signs = np.sign(directions[np.argmax(np.abs(directions), axis=0), np.arange(directions.shape[1])])
    return np.asarray(directions * signs)
