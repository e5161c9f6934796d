"""Candidates for slices: every node of an HDBSCAN condensed tree."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from misread.principal import principal_directions, unit

from .condensed import condensed_tree, equal_rows_allowed
from .graph import spanning_tree

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

LOCAL_COMPONENTS = 6
"""Directions in which a pool differs from its class; few suffice."""
DECIMALS = 6
"""Of coordinates: many edges of the tree are equally long, and their order must not hang on a sum's last digits."""
EXACT_ROWS = 2048
"""Of more rows the tree is grown from a graph of nearest neighbours, which takes less time and, but for the order in
which equal distances are taken, seldom gives another tree (benchmarks/neighbours/README.md)."""
DENSITY = 5
"""The neighbour to which the core distance of a row is measured, where nodes are not smaller."""


def local_coordinates(pool: Floats, components: int = LOCAL_COMPONENTS) -> Floats:
    """The pool's (n, d) rows on its own principal directions, scaled to unit length: (n, c), rounded to 6 decimals."""
    centered = pool - pool.mean(axis=0)
    _, directions = principal_directions(centered, components)
    return np.asarray(np.round(unit(centered @ directions), DECIMALS))


def tree_nodes(points: Floats, smallest: int) -> list[Rows]:
    """The members of every node of the condensed tree over `points` (n, c), the root first; sorted row numbers.

    No node where there are fewer than 2 * `smallest` rows, or where all rows are equal.
    """
    n = len(points)
    if n < 2 * smallest or not np.ptp(points, axis=0).any():
        return []
    density = min(smallest, DENSITY)
    if n > EXACT_ROWS:
        edges = condensed_tree(spanning_tree(points, density), smallest)
    else:
        edges = _exactly(points, smallest, density)
    return members_of(edges["parent"], edges["child"], n)


def _exactly(points: Floats, smallest: int, density: int) -> Any:
    """hdbscan's own condensed tree, as an array (parent, child, lambda_val, child_size)."""
    import hdbscan

    with equal_rows_allowed():
        fitted = hdbscan.HDBSCAN(
            min_cluster_size=smallest, min_samples=density, core_dist_n_jobs=1, approx_min_span_tree=False
        ).fit(points)
        return fitted.condensed_tree_.to_numpy()


def members_of(parents: Rows, children: Rows, n: int) -> list[Rows]:
    """Row numbers under every cluster of a condensed tree; children have higher numbers than parents."""
    clusters = np.unique(parents)
    below: dict[int, list[Rows]] = {int(cluster): [] for cluster in clusters}
    is_row = children < n
    order = np.argsort(parents[is_row], kind="stable")
    row_parents, rows = parents[is_row][order], children[is_row][order]
    for chunk in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(row_parents)) + 1):
        if len(chunk):
            below[int(row_parents[chunk[0]])].append(rows[chunk])
    owner = {int(c): int(p) for p, c in zip(parents[~is_row], children[~is_row], strict=True)}
    nodes: dict[int, Rows] = {}
    for cluster in sorted(below, reverse=True):
        nodes[cluster] = np.sort(np.concatenate(below[cluster])) if below[cluster] else np.empty(0, np.intp)
        if cluster in owner:
            below[owner[cluster]].append(nodes[cluster])
    return [nodes[cluster] for cluster in sorted(nodes) if len(nodes[cluster])]
