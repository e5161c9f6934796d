"""The search inside one true class: gate, pools, candidates, frozen rules, the best of them in turn."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .scan import best_prefix, scan_statistic
from .tree import Floats, Rows, local_coordinates, tree_nodes

Booleans = NDArray[np.bool_]

GATE_STRENGTH = 0.01
"""Inverse regularisation of the gate: strong, so that it follows broad trends alone."""
GATE_SHARE = 0.25
"""How much of a rule's direction is the gate's, the rest being the candidate's own."""
LARGEST_SHARE = 0.5
"""A slice holds at most this share of its class; what is larger is the class itself."""
POOL_CLUSTER = 5


@dataclass(frozen=True)
class Rule:
    """A frozen slice: rows of the fused space with `row @ direction >= cut`. `direction` (k,) has unit length.

    `statistic` is its scan statistic on the rows that were left when it was taken.
    """

    direction: Floats
    cut: float
    statistic: float

    def scores(self, vectors: Floats) -> Floats:
        """(n,) float64, rounded to 12 significant bits below the unit so that row order never decides."""
        return np.asarray(np.round(vectors @ self.direction, 9))


def search(vectors: Floats, errors: Booleans, *, smallest: int, most: int) -> list[Rule]:
    """The rules found among the rows of one class, best first, at most `most`.

    `vectors` (n, k) whitened, in an order that does not depend on the store's; `errors` (n,) bool. Empty where
    there are no errors, only errors, or fewer than 2 * `smallest` rows.
    """
    n, wrong = len(errors), int(errors.sum())
    if n < 2 * smallest or wrong < 2 or wrong == n:
        return []
    gate = gate_direction(vectors, errors)
    directions = np.array([gate, *_candidate_directions(vectors, errors, gate, smallest)])
    return _take_in_turn(vectors, errors, directions, smallest, most)


def gate_direction(vectors: Floats, errors: Booleans) -> Floats:
    """The unit direction in which rows grow more likely to be wrong: a strongly regularised logistic regression."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=GATE_STRENGTH, solver="newton-cholesky", class_weight="balanced", tol=1e-6)
    return _unit(model.fit(vectors, errors).coef_[0])


def _candidate_directions(vectors: Floats, errors: Booleans, gate: Floats, smallest: int) -> Iterator[Floats]:
    total = vectors.sum(axis=0)
    n = len(vectors)
    for pool in (_high_risk(vectors @ gate, errors, smallest), np.flatnonzero(errors)):
        if len(pool) < 2 * POOL_CLUSTER:
            continue
        for node in tree_nodes(local_coordinates(vectors[pool]), POOL_CLUSTER):
            members = pool[node]
            if len(members) == n:
                continue
            inside = vectors[members].sum(axis=0)
            difference = inside / len(members) - (total - inside) / (n - len(members))
            yield _unit((1 - GATE_SHARE) * _unit(difference) + GATE_SHARE * gate)


def _high_risk(risk: Floats, errors: Booleans, smallest: int) -> Rows:
    order, starts = _descending(risk)
    _, length = best_prefix(errors[order], starts, smallest, int(len(risk) * LARGEST_SHARE))
    return np.sort(order[:length])


def _take_in_turn(vectors: Floats, errors: Booleans, directions: Floats, smallest: int, most: int) -> list[Rule]:
    """The best candidate, its rows removed, then the best of what is left."""
    largest = int(len(errors) * LARGEST_SHARE)
    scores = np.round(vectors @ directions.T, 9)
    left = np.ones(len(errors), bool)
    rules: list[Rule] = []
    orders = [_descending(scores[:, j])[0] for j in range(len(directions))]
    while len(rules) < most:
        best = (0.0, 0, -1)
        for j, order in enumerate(orders):
            kept = order[left[order]]
            sorted_scores = scores[kept, j]
            starts = np.ones(len(kept), bool)
            starts[1:] = sorted_scores[1:] != sorted_scores[:-1]
            value, length = best_prefix(errors[kept], starts, smallest, largest)
            if value > best[0]:
                best = (value, length, j)
        value, length, j = best
        if j < 0:
            break
        kept = orders[j][left[orders[j]]]
        cut = float(scores[kept[length - 1], j])
        rules.append(Rule(directions[j], cut, value))
        left &= scores[:, j] < cut
    return rules


def _descending(scores: Floats) -> tuple[Rows, Booleans]:
    """Rows by falling score (ties: by row), and where a new score begins."""
    order = np.argsort(-scores, kind="stable")
    starts = np.ones(len(scores), bool)
    starts[1:] = scores[order][1:] != scores[order][:-1]
    return order, starts


def _unit(vector: Floats) -> Floats:
    norm = np.linalg.norm(vector)
    return np.asarray(vector / norm if norm > 0 else vector)


__all__ = ["Rule", "gate_direction", "scan_statistic", "search"]
