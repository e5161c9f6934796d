"""The search inside one true class: gate, pools, candidates, frozen rules, the best of them in turn."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .patients import Codes
from .scan import best_prefix
from .tree import Floats, Rows, local_coordinates, tree_nodes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Booleans = NDArray[np.bool_]

GATE_STRENGTH = 0.01
"""Inverse regularisation of the gate: strong, so that it follows broad trends alone."""
GATE_SHARE = 0.25
"""How much of a rule's direction is the gate's, the rest being the candidate's own."""
LARGEST_SHARE = 0.5
"""A slice holds at most this share of its class; what is larger is the class itself."""
POOL_CLUSTER = 5
FOLDS = 5
DIGITS = 9
"""Scores are rounded to so many decimals, so that the order of sums never decides."""


@dataclass(frozen=True)
class Rule:
    """A frozen slice: rows of the fused space with `row @ direction >= cut`. `direction` (k,) has unit length.

    `statistic` is its scan statistic, from out-of-fold scores, on the rows that were left when it was taken.
    """

    direction: Floats
    cut: float
    statistic: float

    def scores(self, vectors: Floats) -> Floats:
        """(n,) float64, rounded to 9 decimals."""
        return np.asarray(np.round(vectors @ self.direction, DIGITS))


def search(vectors: Floats, errors: Booleans, patients: Codes, *, smallest: int, most: int) -> list[Rule]:
    """The rules found among the rows of one class, best first, at most `most`.

    `vectors` (n, k) whitened, in an order that does not depend on the store's; `errors` (n,) bool; `patients`
    (n,) codes. A row is scored by directions fitted without its patient's fold (5 folds), so that neither the
    statistic nor the cut is flattered by rows that shaped the direction. Empty where there are no errors, only
    errors, or fewer than 2 * `smallest` rows.
    """
    n, wrong = len(errors), int(errors.sum())
    if n < 2 * smallest or wrong < 2 or wrong == n:
        return []
    folds = [patients % FOLDS == fold for fold in range(FOLDS)]
    folds = [fold for fold in folds if fold.any()]
    center = vectors.mean(axis=0)
    vectors = vectors - center  # so that directions of different folds put the class's mean at the same score
    if np.abs(vectors).max() < 10**-DIGITS:
        return []
    whole = gate_direction(vectors, errors)
    gates = [_gate_without(vectors, errors, fold, whole) for fold in folds]
    risk = np.zeros(n)
    for fold, gate in zip(folds, gates, strict=True):
        risk[fold] = vectors[fold] @ gate
    members = _membership(list(_candidates(vectors, errors, risk, smallest)), n)
    parts = [_Sums.over(vectors, members, fold) for fold in folds]
    whole_sums = sum(parts[1:], parts[0])
    scores = np.zeros((n, members.shape[0] + 1))
    for fold, part, gate in zip(folds, parts, gates, strict=True):
        scores[fold] = vectors[fold] @ (whole_sums - part).directions(gate).T
    directions = whole_sums.directions(whole)
    rules = _take_in_turn(np.asarray(np.round(scores, DIGITS), float), errors, directions, smallest, most)
    return [replace(rule, cut=float(np.round(rule.cut + center @ rule.direction, DIGITS))) for rule in rules]


def gate_direction(vectors: Floats, errors: Booleans) -> Floats:
    """The unit direction in which rows grow more likely to be wrong: a strongly regularised logistic regression."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=GATE_STRENGTH, solver="newton-cholesky", class_weight="balanced", tol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the solver falls back on another by itself
        direction: Floats = _unit(model.fit(vectors, errors).coef_)[0]
    return direction


def _gate_without(vectors: Floats, errors: Booleans, fold: Booleans, whole: Floats) -> Floats:
    kept = errors[~fold]
    return gate_direction(vectors[~fold], kept) if kept.any() and not kept.all() else whole


def _candidates(vectors: Floats, errors: Booleans, risk: Floats, smallest: int) -> Iterator[Rows]:
    """Row numbers of every node of the trees over the high-risk pool and over the errors."""
    for pool in (_high_risk(risk, errors, smallest), np.flatnonzero(errors)):
        if len(pool) >= 2 * POOL_CLUSTER:
            for node in tree_nodes(local_coordinates(vectors[pool]), POOL_CLUSTER):
                yield pool[node]


def _high_risk(risk: Floats, errors: Booleans, smallest: int) -> Rows:
    order, starts = _descending(np.round(risk, DIGITS))
    _, length = best_prefix(errors[order], starts, smallest, int(len(risk) * LARGEST_SHARE))
    return np.sort(order[:length])


def _membership(candidates: Sequence[Rows], n: int) -> "csr_array":
    """(c, n) sparse, 1.0 where a candidate holds a row."""
    from scipy.sparse import csr_array

    lengths = [len(members) for members in candidates]
    rows = np.concatenate([*candidates, np.empty(0, np.intp)])
    return csr_array((np.ones(len(rows)), rows, np.concatenate([[0], np.cumsum(lengths)])), shape=(len(candidates), n))


@dataclass(frozen=True)
class _Sums:
    """Sums over some rows: of the rows in each candidate (c, k), their numbers (c,), of all rows (k,), their number."""

    inside: Floats
    counts: Floats
    total: Floats
    rows: int

    @classmethod
    def over(cls, vectors: Floats, members: "csr_array", kept: Booleans) -> "_Sums":
        of_kept, its_vectors = members[:, kept], vectors[kept]
        counts = np.asarray(of_kept.sum(axis=1), float).reshape(-1)
        return cls(of_kept @ its_vectors, counts, its_vectors.sum(axis=0), len(its_vectors))

    def __add__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.inside + other.inside, self.counts + other.counts, self.total + other.total, self.rows + other.rows
        )

    def __sub__(self, other: "_Sums") -> "_Sums":
        return _Sums(
            self.inside - other.inside, self.counts - other.counts, self.total - other.total, self.rows - other.rows
        )

    def directions(self, gate: Floats) -> Floats:
        """The gate, then each candidate's mean less that of the other rows, blended with the gate."""
        inside = self.inside / np.maximum(self.counts, 1.0)[:, None]
        outside = (self.total - self.inside) / np.maximum(self.rows - self.counts, 1.0)[:, None]
        own = _unit(inside - outside)
        return np.vstack([gate, _unit((1 - GATE_SHARE) * own + GATE_SHARE * gate)])


def _take_in_turn(scores: Floats, errors: Booleans, directions: Floats, smallest: int, most: int) -> list[Rule]:
    """The best candidate, its rows removed, then the best of what is left. Ties: the candidate that came first."""
    largest = int(len(errors) * LARGEST_SHARE)
    orders = [_descending(column)[0] for column in scores.T]
    left = np.ones(len(errors), bool)
    rules: list[Rule] = []
    while len(rules) < most:
        best, value, cut = -1, 0.0, 0.0
        for j, order in enumerate(orders):
            kept = order[left[order]]
            ranked = scores[kept, j]
            statistic, length = best_prefix(errors[kept], _starts(ranked), smallest, largest)
            if statistic > value:
                best, value, cut = j, statistic, float(ranked[length - 1])
        if best < 0:
            break
        rules.append(Rule(directions[best], cut, value))
        left &= scores[:, best] < cut
    return rules


def _descending(scores: Floats) -> tuple[Rows, Booleans]:
    """Rows by falling score (ties: by row), and where a new score begins."""
    order = np.argsort(-scores, kind="stable")
    return order, _starts(scores[order])


def _starts(ordered: Floats) -> Booleans:
    starts = np.ones(len(ordered), bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    return starts


def _unit(rows: Floats) -> Floats:
    """Rows (m, k) at length 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))
