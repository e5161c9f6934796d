"""The one door to neighbours, and which way is taken where none is named."""

from contextlib import AbstractContextManager
from importlib.util import find_spec
from typing import Final, Literal, get_args

import numpy as np

from misread.devices import device_of
from misread.schemas.errors import MisreadError, unknown_name
from misread.spill import Vectors
from misread.threads import in_order, one_thread

from .exact import TREE_DIMENSIONS, TREE_SPARE, exact_search
from .indexed import index_search
from .settle import SPARE, Neighbours, Search, parts, settled
from .tiles import tile_search

Way = Literal["exact", "tiles", "index"]
WAYS: Final[tuple[Way, ...]] = get_args(Way)

MOST_PRODUCTS: Final = {"none": 2e12, "cpu": 4e12, "cuda": 1e15}
"""Products of two numbers, n * n * d, up to which all rows are compared with each other: some minutes of two cores
without torch and with it, as measured; with CUDA reckoned from its makers' figures, not measured."""


def nearest(vectors: Vectors, count: int, *, way: Way | None = None, device: str | None = None) -> Neighbours:
    """Of every row of `vectors` (n, d) float64 the `count` nearest others, in Euclidean distance.

    `rows` and `distances` are (n, k), k = count or n - 1 where there are no more others; nearest first, ties by the
    lower row number; a row is never its own neighbour, but rows equal to it are, at distance 0. `way`: `exact` (SciPy
    or scikit-learn, holds the rows), `tiles` (torch) or `index` (Lance); None chooses, see `chosen_way`. `device`:
    where torch works, None for CUDA where there is one.

    `exact` and `tiles` give the same rows, on every device: what is sought in single precision is sought with a bound
    on its error, distances are worked out again from differences in float64, and a row whose last neighbour is not
    beyond doubt is compared with all others. `index` may miss neighbours; the distances it gives are as exact.
    Vectors on disk stay there but for `exact`; besides n * k numbers memory does not grow with n.

    Raises MisreadError for numbers that are not finite (or whose squares are not), for a negative count, for an
    unknown way or device, and for `tiles` without torch.
    """
    _check(vectors, count)
    rows, dimension = vectors.shape
    kept = min(count, max(rows - 1, 0))
    found = Neighbours(np.empty((rows, kept), np.intp), np.empty((rows, kept)))
    if not kept:
        return found
    taken = way or chosen_way(rows, dimension, device)
    spare = TREE_SPARE if taken == "exact" and dimension <= TREE_DIMENSIONS else SPARE
    with _searching(vectors, min(kept + 1 + spare, rows), taken, device) as search, one_thread():
        blocks = (slice(start, min(start + search.height, rows)) for start in range(0, rows, search.height))
        for here, part in in_order(lambda here: (here, settled(vectors, search.offer(here), kept)), blocks):
            found.rows[here], found.distances[here] = part.rows, part.distances
    return found


def chosen_way(rows: int, dimension: int, device: str | None = None) -> Way:
    """The way for (rows, dimension) vectors on this machine, as measured (benchmarks/neighbours/README.md).

    In few dimensions a k-d tree. In more all rows are compared while that takes some minutes: by `tiles` where there
    is torch, which reaches further with CUDA, else by scikit-learn. Beyond that the index.
    """
    if dimension <= TREE_DIMENSIONS:
        return "exact"
    by_torch = find_spec("torch") is not None
    where = device_of(device).partition(":")[0] if by_torch else "none"
    if rows * rows * dimension > MOST_PRODUCTS[where]:
        return "index"
    return "tiles" if by_torch else "exact"


def _searching(vectors: Vectors, width: int, way: Way, device: str | None) -> AbstractContextManager[Search]:
    if way == "exact":
        return exact_search(vectors, width)
    if way == "index":
        return index_search(vectors, width)
    if way not in WAYS:
        raise unknown_name("way to seek neighbours", way, WAYS)
    if find_spec("torch") is None:
        raise MisreadError(
            "neighbours cannot be sought by tiles: torch is not installed",
            "pip install 'misread[encoders]', or name another way: exact or index",
        )
    return tile_search(vectors, width, device_of(device))


def _check(vectors: Vectors, count: int) -> None:
    if count < 0:
        raise MisreadError(f"{count} neighbours cannot be sought", "ask for 0 or more")
    for first, part in parts(vectors):
        with np.errstate(over="ignore", invalid="ignore"):
            sound = np.isfinite(np.square(2 * part).sum(axis=1))
        if not sound.all():
            raise MisreadError(
                f"row {first + int(np.argmin(sound))} of the vectors holds a number that is not finite, or too large",
                "neighbours need finite numbers below 1e150: leave such rows out",
            )
