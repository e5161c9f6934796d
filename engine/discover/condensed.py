"""What HDBSCAN makes of a spanning tree: private modules of hdbscan and scikit-learn, wrapped.

A test holds them against hdbscan's public class.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@contextmanager
def equal_rows_allowed() -> Iterator[None]:
    """Within it hdbscan divides by zero unheard, as it does where rows are equal."""
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        yield


def linkage(spanning: Floats) -> Floats:
    """(n - 1, 4): the two parts that each edge of `spanning` joins, its weight and how many rows they hold together.

    `spanning` (n - 1, 3): edges (row, row, weight) of a spanning tree, by rising weight. Parts are rows, and from n on
    what the edges joined, in their order.
    """
    from sklearn.cluster._hdbscan._linkage import (
        MST_edge_dtype,
        make_single_linkage,
    )  # hdbscan's takes 40 times as long

    edges = np.empty(len(spanning), MST_edge_dtype)
    for name, column in zip(edges.dtype.names, spanning.T, strict=True):
        edges[name] = column
    joins = make_single_linkage(edges)
    return np.column_stack([joins[name] for name in joins.dtype.names]).astype(np.float64)


def condensed_tree(spanning: Floats, smallest: int) -> Any:
    """The condensed tree of n rows as a structured array (parent, child, lambda_val, child_size); rows are below n.

    `spanning` as in `linkage`. Nodes hold `smallest` rows or more.
    """
    from hdbscan._hdbscan_tree import condense_tree

    with equal_rows_allowed():
        return condense_tree(linkage(spanning), smallest)
