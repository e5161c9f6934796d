"""A spanning tree of mutual reachability over a graph of nearest neighbours, its components bridged."""

import numpy as np
from numpy.typing import NDArray

from misread.neighbours import Way, nearest

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

NEIGHBOURS = 16
"""Edges that a row brings into the graph."""
BRIDGE_ROWS = 8192
"""Rows from which bridges are sought in one round, over all components: at most `MOST_OF_ONE` of each, at least one."""
MOST_OF_ONE = 32
_AT_ONCE = 1 << 22
"""Distances that are held at a time."""


def spanning_tree(points: Floats, density: int, way: Way | None = None) -> Floats:
    """(n - 1, 3): edges (row, row, weight) of a spanning tree over `points` (n, c), by rising weight, then rows.

    The weight of an edge is the mutual reachability of its rows: the largest of their distance and their core distances,
    which are those to the `density`-th other row (Campello, Moulavi and Sander 2013). Only edges to a row's 16 nearest
    neighbours are looked at; of those the tree is minimal. Where they fall into components, each but the largest
    is joined to the row of another that the least mutual reachability leads to from at most 32 of its rows, evenly
    spaced in their order; then again, until one is left. Ties go to the lower row number.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(points)
    found = nearest(points, max(NEIGHBOURS, density), way=way)
    core = found.distances[:, min(density, n - 1) - 1]
    starts, ends = np.repeat(np.arange(n), found.rows.shape[1]), found.rows.ravel()
    weights = np.maximum(found.distances.ravel(), np.maximum(core[starts], core[ends]))
    edges = _forest(n, starts, ends, weights)
    while len(edges) < n - 1:
        linked = csr_array((np.ones(len(edges)), (edges[:, 0].astype(int), edges[:, 1].astype(int))), shape=(n, n))
        bridges = _bridges(points, core, connected_components(linked, directed=False)[1])
        edges = _forest(n, *np.vstack([edges, bridges]).T)
    return edges


def _forest(n: int, starts: NDArray[np.generic], ends: NDArray[np.generic], weights: Floats) -> Floats:
    """(m, 3): the edges of a minimum spanning forest, by rising weight, then rows.

    Ranks stand for the weights, so that equal weights are taken in one order and a weight of 0 is an edge too.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    low, high = np.minimum(starts, ends).astype(np.intp), np.maximum(starts, ends).astype(np.intp)
    _, first = np.unique(low * n + high, return_index=True)  # an edge may come from both of its ends
    order = first[np.lexsort((high[first], low[first], weights[first]))]
    ranks = csr_array((np.arange(1.0, len(order) + 1), (low[order], high[order])), shape=(n, n))
    kept = order[np.sort(minimum_spanning_tree(ranks).data).astype(np.intp) - 1]
    return np.column_stack([low[kept], high[kept], weights[kept]]).astype(float)


def _bridges(points: Floats, core: Floats, components: Rows) -> Floats:
    """(c - 1, 3): for each component but the largest the best edge (row, row, weight) found out of it."""
    sizes = np.bincount(components)
    each = int(np.clip(BRIDGE_ROWS // len(sizes), 1, MOST_OF_ONE))
    members = np.split(np.argsort(components, kind="stable"), np.cumsum(sizes)[:-1])
    del members[int(np.argmax(sizes))]
    spaced = [rows[np.unique(np.linspace(0, len(rows) - 1, each).astype(np.intp))] for rows in members]
    inside = np.concatenate(spaced)
    outside, weights = _out(points, core, components, inside)
    order = np.lexsort((outside, inside, weights, components[inside]))
    best = order[np.unique(components[inside][order], return_index=True)[1]]
    return np.column_stack([inside[best], outside[best], weights[best]])


def _out(points: Floats, core: Floats, components: Rows, rows: Rows) -> tuple[Rows, Floats]:
    """For each of `rows` (m,) the row of another component of the least mutual reachability, and that."""
    squares = np.square(points).sum(axis=1)
    found = np.empty(len(rows), np.intp)
    step = max(_AT_ONCE // len(points), 1)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        reach = squares[some, None] + squares - 2 * points[some] @ points.T
        np.maximum(reach, np.square(core), out=reach)  # the row's own core distance changes no order
        reach[components[some][:, None] == components] = np.inf
        found[start : start + step] = np.argmin(reach, axis=1)
    distances = np.linalg.norm(points[rows] - points[found], axis=1)
    return found, np.maximum(distances, np.maximum(core[rows], core[found]))
