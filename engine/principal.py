"""Principal directions with signs that do not depend on the machine."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def principal_directions(centered: Floats, most: int) -> tuple[Floats, Floats]:
    """Variances (c,) and directions (d, c) of centred rows (n, d), largest first, at most `most`.

    The smaller of the two Gram matrices is decomposed. Directions without variance are left out; the largest
    loading of each is positive.
    """
    from scipy.linalg import eigh

    n, d = centered.shape
    size = min(n, d)
    most = min(most, size)
    if most < 1 or not centered.any():
        return np.empty(0), np.empty((d, 0))
    gram = centered.T @ centered / n if d <= n else centered @ centered.T / n
    values, vectors = eigh(gram, subset_by_index=(size - most, size - 1))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > max(values[0] * 1e-9, 1e-18)
    values, vectors = values[kept], vectors[:, kept]
    if d > n:
        vectors = centered.T @ vectors / np.sqrt(values * n)
    signs = np.sign(vectors[np.argmax(np.abs(vectors), axis=0), np.arange(vectors.shape[1])])
    return values, vectors * signs
