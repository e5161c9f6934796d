"""The benchmark of neighbours compares like with like."""

import numpy as np
import pytest

from benchmarks.neighbours.trees import Grown, agreement, nodes_of

pytest.importorskip("torch", reason="tiles need torch")

from benchmarks.neighbours.__main__ import by_way, multiplied, points, recall
from misread.neighbours import nearest


def test_a_tree_agrees_with_itself_and_not_with_another() -> None:
    """Rand indices and overlaps are 1 for the same tree, less for another one; rows of another order are put back."""
    made = points(1_500, 6)
    exactly, shuffled = (nodes_of(method, made, 20, 5) for method in ("hdbscan", "shuffled"))
    same = agreement(exactly, exactly, 1_500)
    assert (same["eom"], same["leaf"], same["mean"], same["alike"]) == (1, 1, 1, 1)
    assert agreement(exactly, shuffled, 1_500)["mean"] > 0.9
    mixed = np.random.default_rng(0).permutation(1_500)
    wrong = Grown([mixed[node] for node in exactly.nodes], exactly.eom[mixed], exactly.leaf[mixed])
    assert agreement(exactly, wrong, 1_500)["leaf"] < 0.2


@pytest.mark.slow
def test_recall_and_rates_are_shares() -> None:
    """All true neighbours are a recall of 1, other rows 0; products take some of the rate that there is."""
    made = points(1_200, 6)
    found = nearest(made, 16)
    assert recall(made, found.rows) == 1
    assert recall(made, np.full_like(found.rows, -1)) == 0
    assert multiplied("cpu") > 1e8
    assert by_way("tiles", 1_200, 24, "cpu")["share"] > 0
