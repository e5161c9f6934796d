"""A spanning tree of mutual reachability over a graph of nearest neighbours, its components bridged."""

import numpy as np
from numpy.typing import NDArray

from misread.neighbours import Way, nearest

from .condensed import linkage

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

NEIGHBOURS = 16
"""Edges that a row brings into the graph."""
BRIDGE_ROWS = 512
"""Rows from which bridges are sought in one round, over all components: at most `MOST_OF_ONE` of each, at least one."""
MOST_OF_ONE = 32
_AT_ONCE = 1 << 17
"""Distances that are held at a time."""


def spanning_tree(points: Floats, density: int, way: Way | None = None) -> Floats:
    """(n - 1, 3): edges (row, row, weight) of a spanning tree over `points` (n, c), by rising weight, then rows.

    The weight of an edge is the mutual reachability of its rows: the largest of their distance and their core
    distances, which are those to the `density`-th other row (Campello, Moulavi and Sander 2013). Only edges to a row's
    16 nearest neighbours are looked at; of those the tree is minimal. Where they fall into components, each but the
    largest is bridged: from at most 32 of its rows, evenly spaced in their order, to the row of another component that
    is reached best, from there to its own row that is reached best, and back; the best edge is taken. Then again,
    until one component is left. Edges between groups of more than 16 rows are sought once more in that way, as if
    there were none, and the lightest of both are kept. Ties go to the lower row number.
    """
    n = len(points)
    found = nearest(points, max(NEIGHBOURS, density), way=way)
    core = found.distances[:, min(density, n - 1) - 1]
    starts, ends = np.repeat(np.arange(n), found.rows.shape[1]), found.rows.ravel()
    weights = np.maximum(found.distances.ravel(), np.maximum(core[starts], core[ends]))
    edges = _joined(points, core, _forest(n, starts, ends, weights))
    anew = _joined(points, core, edges[~_between_groups(edges)])
    return _forest(n, *np.vstack([edges, anew]).T)


def _joined(points: Floats, core: Floats, edges: Floats) -> Floats:
    """The edges (m, 3) of a forest, with bridges between its trees until there is one."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = len(points)
    while len(edges) < n - 1:
        linked = csr_array((np.ones(len(edges)), (edges[:, 0].astype(int), edges[:, 1].astype(int))), shape=(n, n))
        bridges = _bridges(points, core, connected_components(linked, directed=False)[1])
        edges = _forest(n, *np.vstack([edges, bridges]).T)
    return edges


def _between_groups(edges: Floats) -> NDArray[np.bool_]:
    """(m,): which edges of a spanning tree, taken in their order, join two groups of more than 16 rows.

    All neighbours of a row may lie in its group: that the lightest edge out of it is in the graph is not sure.
    """
    joins = linkage(edges)
    sizes = np.concatenate([np.ones(len(edges) + 1), joins[:, 3]])
    return np.asarray(np.minimum(sizes[joins[:, 0].astype(int)], sizes[joins[:, 1].astype(int)]) > NEIGHBOURS)


def _forest(n: int, starts: NDArray[np.generic], ends: NDArray[np.generic], weights: Floats) -> Floats:
    """(m, 3): the edges of a minimum spanning forest, by rising weight, then rows.

    Ranks stand for the weights, so that equal weights are taken in one order and a weight of 0 is an edge too.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    low, high = np.minimum(starts, ends).astype(np.intp), np.maximum(starts, ends).astype(np.intp)
    _, first = np.unique(low * n + high, return_index=True)  # an edge may come from both of its ends; by rows
    order = first[np.argsort(weights[first], kind="stable")]
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
    own = components[inside]
    outside = _reached(points, core, inside, components, own, within=False)
    inside = _reached(points, core, outside, components, own, within=True)
    outside = _reached(points, core, inside, components, own, within=False)
    distances = np.linalg.norm(points[inside] - points[outside], axis=1)
    weights = np.maximum(distances, np.maximum(core[inside], core[outside]))
    order = np.lexsort((outside, inside, weights, own))
    best = order[np.unique(own[order], return_index=True)[1]]
    return np.column_stack([inside[best], outside[best], weights[best]])


def _reached(points: Floats, core: Floats, rows: Rows, components: Rows, own: Rows, *, within: bool) -> Rows:
    """For each of `rows` (m,) the row that is reached best within the component `own` (m,), or outside of it."""
    squares, cores = np.square(points).sum(axis=1), np.square(core)
    found = np.empty(len(rows), np.intp)
    step = max(_AT_ONCE // len(points), 1)
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        reach = (-2 * points[some]) @ points.T
        reach += squares
        np.maximum(reach, cores - squares[some, None], out=reach)  # a row's own core distance changes no order
        reach[(components == own[start : start + step, None]) != within] = np.inf
        found[start : start + step] = np.argmin(reach, axis=1)
    return found
