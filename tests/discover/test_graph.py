"""HDBSCAN's tree, grown from a graph of nearest neighbours."""

import hdbscan
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from benchmarks.neighbours.trees import labels_of
from misread.discover import graph, tree
from misread.discover.condensed import condensed_tree
from misread.discover.graph import spanning_tree
from misread.discover.tree import local_coordinates, tree_nodes


def blobs(sizes: list[int], dimension: int = 3, apart: float = 8.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.standard_normal((len(sizes), dimension)) * apart
    return np.vstack([rng.normal(middle, 1.0, (n, dimension)) for middle, n in zip(middles, sizes, strict=True)])


def reachability(points: np.ndarray, density: int) -> np.ndarray:
    """(n, n): mutual reachability, by its definition."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    core = np.sort(distances, axis=1)[:, density]
    return np.maximum(distances, np.maximum(core[:, None], core[None]))


def least_weight(reach: np.ndarray) -> float:
    """The weight of a minimum spanning tree of a complete graph (Prim)."""
    near, left, total = reach[0].copy(), np.ones(len(reach), bool), 0.0
    left[0] = False
    while left.any():
        following = np.flatnonzero(left)[np.argmin(near[left])]
        total, left[following] = total + near[following], False
        near = np.minimum(near, reach[following])
    return total


def spans(edges: np.ndarray, n: int) -> bool:
    """Whether n - 1 edges join all rows."""
    owner = np.arange(n)
    for start, end in edges[:, :2].astype(int):
        owner[owner == owner[start]] = owner[end]
    return len(edges) == n - 1 and len(set(owner.tolist())) == 1


@given(
    sizes=st.lists(st.integers(1, 60), min_size=2, max_size=6).filter(lambda sizes: sum(sizes) > 9),
    seed=st.integers(0, 50),
    equal=st.booleans(),
)
@settings(max_examples=40)
def test_the_tree_spans_all_rows_with_the_weights_of_mutual_reachability(sizes, seed, equal) -> None:
    """Whatever falls apart in the graph is bridged; no tree weighs much less, and none less if all edges are seen."""
    points = blobs(sizes, seed=seed)
    if equal:
        points = np.round(points)
    edges = spanning_tree(points, 5)
    reach = reachability(points, 5)
    assert spans(edges, len(points))
    assert (np.diff(edges[:, 2]) >= 0).all()
    np.testing.assert_allclose(edges[:, 2], reach[edges[:, 0].astype(int), edges[:, 1].astype(int)], rtol=1e-12)
    assert edges[:, 2].sum() >= least_weight(reach) * (1 - 1e-12)
    assert edges[:, 2].sum() <= least_weight(reach) * (1 + (1e-9 if len(points) <= graph.NEIGHBOURS else 0.03))


def test_components_far_apart_are_bridged_where_they_are_nearest() -> None:
    """Three groups on a line: the middle one is joined to both, by edges about as long as their gaps."""
    groups = [np.random.default_rng(n).normal((n * 100.0, 0), 1.0, (200, 2)) for n in range(3)]
    edges = spanning_tree(np.vstack(groups), 5)[-2:]
    assert sorted(tuple(sorted(pair)) for pair in (edges[:, :2].astype(int) // 200).tolist()) == [(0, 1), (1, 2)]
    assert (edges[:, 2] < 100).all()


def test_rows_many_times_over_are_one_place_each() -> None:
    """Thirty places with forty equal rows each: forty times nothing apart, and bridges between the places."""
    places = np.random.default_rng(1).standard_normal((30, 4))
    edges = spanning_tree(np.repeat(places, 40, axis=0), 5)
    assert (edges[:, 2] == 0).sum() == 30 * 39
    assert edges[:, 2].sum() == pytest.approx(least_weight(reachability(places, 0)))


@pytest.mark.parametrize("method", ["eom", "leaf"])
def test_what_is_private_of_hdbscan_gives_what_its_class_gives(method: str) -> None:
    """The same condensed tree and the same labels from hdbscan's own spanning tree."""
    points = blobs([80, 60, 200, 40], apart=3.0)
    fitted = hdbscan.HDBSCAN(
        min_cluster_size=15, min_samples=5, cluster_selection_method=method, gen_min_span_tree=True, core_dist_n_jobs=1
    ).fit(points)
    spanning = fitted.minimum_spanning_tree_.to_numpy()
    condensed = condensed_tree(spanning[np.argsort(spanning[:, 2], kind="stable")], 15)
    np.testing.assert_array_equal(condensed, fitted.condensed_tree_.to_numpy())
    np.testing.assert_array_equal(labels_of(condensed, method), fitted.labels_)


def pool(n: int, dimension: int) -> np.ndarray:
    """Unit-length rows of one mass with tails and three groups at its rim, as discovery has them."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((n, 60)) / np.sqrt(1 + np.arange(60))
    for group in range(3):
        rows[rng.integers(0, 40, n) == 0, 3 * group : 3 * group + 3] += 3 / np.sqrt(1 + 3 * group)
    return local_coordinates(rows, dimension)


@pytest.mark.slow
@pytest.mark.parametrize(("dimension", "way"), [(6, "exact"), (24, "exact"), (24, "tiles"), (24, "index")])
def test_the_graph_gives_the_clusters_of_exact_hdbscan(dimension: int, way) -> None:
    """Labels agree but for the order in which equal weights are taken, and nodes of the exact tree have their like."""
    points = pool(3000, dimension)
    fitted = hdbscan.HDBSCAN(min_cluster_size=20, min_samples=5, core_dist_n_jobs=1, approx_min_span_tree=False)
    exactly = fitted.fit(points).condensed_tree_.to_numpy()
    grown = condensed_tree(spanning_tree(points, 5, way), 20)
    for method in ("eom", "leaf"):
        assert adjusted_rand_score(labels_of(exactly, method), labels_of(grown, method)) > 0.95
    nodes = [set(node.tolist()) for node in tree.members_of(grown["parent"], grown["child"], len(points))]
    for members in tree.members_of(exactly["parent"], exactly["child"], len(points)):
        node = set(members.tolist())
        assert max(len(other & node) / len(other | node) for other in nodes) > 0.9


def test_large_pools_are_grown_from_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the stated number of rows exact HDBSCAN is not asked, and the nodes are those that it gives."""
    points = local_coordinates(blobs([300, 80, 60], 10, 3.0))
    exactly = tree_nodes(points, 20)
    monkeypatch.setattr(tree, "EXACT_ROWS", 200)
    monkeypatch.setattr(tree, "_exactly", None)
    grown = tree_nodes(points, 20)
    assert len(grown) == len(exactly) > 3
    assert [len(node) for node in grown] == pytest.approx([len(node) for node in exactly], abs=5)
    assert tree_nodes(np.ones((500, 3)), 20) == []
