"""Condensed trees of several makers, and how well two agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from misread.discover.condensed import condensed_tree, equal_rows_allowed
from misread.discover.graph import spanning_tree
from misread.discover.tree import members_of


@dataclass(frozen=True)
class Grown:
    """Row numbers under every node of a tree, and the cluster of every row as two ways choose them."""

    nodes: list[np.ndarray]
    eom: np.ndarray
    leaf: np.ndarray

    @classmethod
    def of(cls, tree: Any, rows: int) -> Grown:
        nodes = members_of(tree["parent"], tree["child"], rows)
        return cls(nodes, labels_of(tree, "eom"), labels_of(tree, "leaf"))


def labels_of(condensed: Any, method: str) -> NDArray[np.intp]:
    """(n,): the cluster of every row, -1 for none, chosen by `eom` (excess of mass) or `leaf` as HDBSCAN does."""
    from hdbscan._hdbscan_tree import compute_stability, get_clusters

    with equal_rows_allowed():
        return np.asarray(get_clusters(condensed, compute_stability(condensed), method)[0], np.intp)


def nodes_of(method: str, points: np.ndarray, smallest: int, density: int) -> Grown:
    """The tree of `hdbscan`, of the same rows `shuffled`, of the `graph`, or of `fast_hdbscan`."""
    rows = len(points)
    if method == "graph":
        return Grown.of(condensed_tree(spanning_tree(points, density), smallest), rows)
    if method == "fast_hdbscan":
        return _fast(points, smallest, density)
    import hdbscan

    order = np.random.default_rng(1).permutation(rows) if method == "shuffled" else np.arange(rows)
    asked = {"min_cluster_size": smallest, "min_samples": density, "core_dist_n_jobs": 1}
    fitted = hdbscan.HDBSCAN(**asked, approx_min_span_tree=False).fit(points[order])
    found = Grown.of(fitted.condensed_tree_.to_numpy(), rows)
    back = np.argsort(order)
    return Grown([order[node] for node in found.nodes], found.eom[back], found.leaf[back])


def _fast(points: np.ndarray, smallest: int, density: int) -> Grown:
    """fast_hdbscan shows no condensed tree that is laid out alike: its clusters stand for the nodes."""
    import fast_hdbscan

    labels = {}
    for method in ("eom", "leaf"):
        fitted = fast_hdbscan.HDBSCAN(min_cluster_size=smallest, min_samples=density, cluster_selection_method=method)
        labels[method] = fitted.fit_predict(points)
    nodes = [np.flatnonzero(chosen == k) for chosen in labels.values() for k in range(chosen.max() + 1)]
    return Grown(nodes or [np.arange(len(points))], labels["eom"], labels["leaf"])


def agreement(exactly: Grown, other: Grown, rows: int) -> dict[str, float]:
    """Rand indices of the labels; of the exact nodes how many there are, and how like them their best match is."""
    best = _overlaps(exactly.nodes, other.nodes, rows)
    found = {"nodes": float(len(best)), "mean": float(best.mean()), "alike": float((best > 0.9).mean())}
    eom, leaf = (adjusted_rand_score(getattr(exactly, name), getattr(other, name)) for name in ("eom", "leaf"))
    return found | {"eom": float(eom), "leaf": float(leaf)}


def _overlaps(nodes: list[np.ndarray], others: list[np.ndarray], rows: int) -> np.ndarray:
    """(c,): each node's highest Jaccard overlap with any of the others."""
    from scipy.sparse import csr_array

    def membership(sets: list[np.ndarray]) -> Any:
        ends = np.cumsum([0, *map(len, sets)])
        return csr_array((np.ones(ends[-1]), np.concatenate(sets), ends), shape=(len(sets), rows))

    one, other = membership(nodes), membership(others)
    both = (one @ other.T).toarray()
    return np.asarray((both / (one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - both)).max(axis=1))
