"""Neighbours by SciPy's k-d tree in few dimensions, by scikit-learn's comparison with all rows in more.

The rows are held.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from misread.spill import Vectors, mean_of
from misread.threads import one_thread

from .settle import Floats, Offered, Rows, Search, rounding

TREE_DIMENSIONS = 8
"""Up to so many dimensions a k-d tree is faster than comparing all rows."""
TREE_SPARE = 1
"""Rows that it offers beyond those asked for: its distances are hardly less exact than those they are settled by."""
LEAF_ROWS = 32
"""Rows of the tree's leaves: fewer take longer."""
ROWS = 2048


@contextlib.contextmanager
def exact_search(vectors: Vectors, width: int) -> Iterator[Search]:
    """A search for `width` rows near every row (n, d)."""
    held = vectors[:] - mean_of(vectors)
    near = _by_tree(held, width) if held.shape[1] <= TREE_DIMENSIONS else _by_comparison(held, width)
    squares = np.square(held).sum(axis=1)
    error = rounding(held.shape[1], float(np.finfo(np.float64).eps)) * (squares + squares.max())

    def offer(here: slice) -> Offered:
        distances, rows = near(held[here])
        beyond = distances[:, -1] ** 2 - error[here] if width < len(held) else np.full(len(rows), np.inf)
        return Offered(here, np.asarray(rows, np.intp), beyond)

    yield Search(ROWS, offer)


def _by_tree(held: Floats, width: int) -> Callable[[Floats], tuple[Floats, Rows]]:
    from scipy.spatial import cKDTree

    tree = cKDTree(held, LEAF_ROWS, balanced_tree=False)  # a balanced one is slow to build over rows that are equal
    return partial(tree.query, k=width)


def _by_comparison(held: Floats, width: int) -> Callable[[Floats], tuple[Floats, Rows]]:
    from sklearn.neighbors import NearestNeighbors

    fitted = NearestNeighbors(n_neighbors=width, algorithm="brute").fit(held)

    def near(some: Floats) -> tuple[Floats, Rows]:
        with one_thread():  # of this one: others work beside it
            distances, rows = fitted.kneighbors(some)
        return distances, rows

    return near
