"""Neighbours by scikit-learn: a k-d tree in few dimensions, comparison with all rows in more. The rows are held."""

import contextlib
from collections.abc import Iterator

import numpy as np

from misread.spill import Vectors, mean_of
from misread.threads import one_thread

from .settle import Offered, Search, rounding

TREE_DIMENSIONS = 8
"""Up to so many dimensions a k-d tree is faster than comparing all rows."""
ROWS = 2048


@contextlib.contextmanager
def exact_search(vectors: Vectors, width: int) -> Iterator[Search]:
    """A search for `width` rows near every row (n, d)."""
    from sklearn.neighbors import NearestNeighbors

    held = vectors[:] - mean_of(vectors)
    algorithm = "kd_tree" if held.shape[1] <= TREE_DIMENSIONS else "brute"
    fitted = NearestNeighbors(n_neighbors=width, algorithm=algorithm).fit(held)
    squares = np.square(held).sum(axis=1)
    error = rounding(held.shape[1], float(np.finfo(np.float64).eps)) * (squares + squares.max())

    def offer(here: slice) -> Offered:
        with one_thread():  # of this one: others work beside it
            distances, rows = fitted.kneighbors(held[here])
        beyond = distances[:, -1] ** 2 - error[here] if width < len(held) else np.full(len(rows), np.inf)
        return Offered(here, np.asarray(rows, np.intp), beyond)

    yield Search(ROWS, offer)
