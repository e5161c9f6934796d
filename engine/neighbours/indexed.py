"""Neighbours by an index of Lance on disk, for more rows than can be compared with each other."""

import contextlib
from collections.abc import Iterator
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from misread.spill import PART_ROWS, Vectors, mean_of

from .settle import Floats, Offered, Search, longest, parts

Singles = NDArray[np.float32]

PER_PARTITION = 32
"""Rows for each partition of the index from which its middle is learned."""
_SEED = 20_011


@contextlib.contextmanager
def index_search(vectors: Vectors, width: int) -> Iterator[Search]:
    """A search for `width` rows near every row (n, d); what the index passes over is taken to be further."""
    from misread.sql.temporary import TemporaryFolder
    from misread.store.nearest import index_over

    center = mean_of(vectors)
    length = longest(vectors, center)  # of numbers as they are squares may be too large or small for Lance

    def single(rows: Floats) -> Singles:
        return ((rows - center) / length).astype(np.float32)

    with TemporaryFolder("index") as folder:
        asked = index_over(folder, (single(part) for _, part in parts(vectors)), single(_centroids(vectors)), width)

        def offer(here: slice) -> Offered:
            rows = asked(single(vectors[here])).astype(np.intp)
            return Offered(here, rows, np.full(len(rows), np.inf))

        yield Search(PART_ROWS, offer)


def _centroids(vectors: Vectors) -> Floats:
    """The middles of sqrt(n) partitions, by k-means over evenly spaced rows."""
    from sklearn.cluster import MiniBatchKMeans

    count = isqrt(len(vectors))
    spaced = np.unique(np.linspace(0, len(vectors) - 1, count * PER_PARTITION).astype(np.intp))
    distinct = np.unique(vectors[spaced], axis=0)
    fitted = MiniBatchKMeans(min(count, len(distinct)), random_state=_SEED, n_init=1).fit(distinct)
    return np.asarray(fitted.cluster_centers_)
