"""The search inside one true class, or among all rows with a loss: candidates, frozen rules, the best in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from misread.spill import Vectors, chosen, scores_of, spread_of, total

from .binned import Candidates, Tally, best_candidate, starts_of
from .discriminant import ClassModel, Moments, Shape, unit
from .patients import Codes
from .pools import MOST_ERRORS, drawn, lumps
from .scan import Values, best_prefix, standardised
from .tree import Floats, Rows, local_coordinates, tree_nodes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Booleans = NDArray[np.bool_]
Limits = tuple[int, int, int]
"""The fewest and the most rows of a slice, and how many slices there may be."""

GATE_SHARE = 0.25
"""How much of a rule's direction is the gate's, the rest being the candidate's own."""
LARGEST_SHARE = 0.5
"""A slice holds at most this share of its class; what is larger is the class itself."""
SMALLEST_CLUSTER, SHARE_OF_ERRORS = 5, 400
"""A node of the tree holds at least 5 errors, and no fewer than one in 400 of them, or of the default pool."""
MOST_ALIKE = 0.7
"""Candidates whose scores correlate more than this with a slice already taken are that slice again."""
SCORES_HELD = 10_000
"""Of a class of more rows scores are not held: they are read again and counted in bins."""
FOLDS = 5
DIGITS = 9
"""Scores are rounded to so many decimals, so that the order of sums never decides."""


@dataclass(frozen=True)
class ClassRows:
    """Discovery rows of one true class, in an order that does not depend on the store's: all (n, ...).

    `true_class` None: rows of any class or none, judged by a loss; what is said of a class then holds of all of them.
    `vectors` fused; `losses` errors (bool, the zero-one loss) or any finite losses (float64), higher being worse;
    `patients` codes; `model` tells the class from the vector.
    """

    true_class: int | None
    vectors: Vectors
    losses: Values
    patients: Codes
    model: ClassModel

    def drawn(self, numbers: Rows) -> ClassRows:
        """The rows of those numbers, which may repeat."""
        kept = (chosen(self.vectors, numbers), self.losses[numbers], self.patients[numbers])
        return ClassRows(self.true_class, *kept, self.model)

    def seed(self, seed: int) -> int:
        """The seed of the class's own draws."""
        return seed + (self.true_class or 0)


@dataclass(frozen=True)
class Rule:
    """A frozen slice: rows of the fused space whose score, `vector @ direction`, reaches `cut`, whatever their label.

    Scores have standard deviation 1 over the class. `statistic` is the scan statistic, from out-of-fold scores, on
    the rows that were left when the slice was taken. `model` tells the slice's class from the vector.
    """

    direction: Floats
    cut: float
    statistic: float
    model: ClassModel

    def scores(self, vectors: Vectors) -> Floats:
        """(n,) float64, rounded to 9 decimals."""
        return np.asarray(np.round(scores_of(vectors, self.direction), DIGITS))

    def takes(self, vectors: Vectors) -> Booleans:
        """(n,): which rows are in."""
        return np.asarray(self.scores(vectors) >= self.cut)


def search(rows: ClassRows, *, smallest: int, most: int, pool: int = MOST_ERRORS) -> list[Rule]:
    """The rules found among the rows of one class, best first, at most `most`; see `ClassSearch`."""
    return ClassSearch(rows, pool).rules(rows.losses, smallest=smallest, most=most)


def order_among_classes(place: int, rule: Rule, number: int) -> tuple[bool, float, int]:
    """Sorts the rules of several classes: the best of each class first, then all others, each by falling statistic.

    `place` of the rule in its class, from 0; `number` of the class, which decides ties. A larger class has higher
    statistics, and would else hide the other's best slice behind its own second and third.
    """
    return place > 0, -rule.statistic, number


class ClassSearch:
    """A search made ready for one class, to be run for its errors or losses and for any shuffle of them.

    A row is scored by directions fitted without its patient's fold (5 folds), so that neither the statistic nor
    the cut is flattered by rows that shaped the direction. Candidates are sought among `pool` errors, drawn of more.
    """

    def __init__(self, rows: ClassRows, pool: int = MOST_ERRORS) -> None:
        self._model, self._vectors, self._pool = rows.model, rows.vectors, pool
        self._rows = len(rows.vectors)
        self._varied = self._rows > 1 and bool(spread_of(rows.vectors).max(initial=0.0) > 10**-DIGITS)
        if not self._varied:
            return
        self._fold = np.unique(rows.patients % FOLDS, return_inverse=True)[1].astype(np.int8)
        self._moments = self._by_fold(self._fold)
        self._shape = Shape.of(total(self._moments))

    def rules(self, losses: Values, *, smallest: int, most: int) -> list[Rule]:
        """The rules for `losses` (n,) of the rows, best first; their scan statistics judge, ties go to the first.

        Candidates are sought among the rows whose loss is above the mean, which are the errors where losses are
        those. Empty where there are fewer than 2 of them, only errors, equal rows, or fewer than 2 * `smallest` rows.
        """
        values = standardised(losses)
        errors = np.asarray(values > 0)
        if not self._varied or self._rows < 2 * smallest or errors.sum() < 2 or errors.all():
            return []
        wrong = self._by_fold(np.where(errors, self._fold, np.int8(-1)))
        pool = drawn(np.flatnonzero(errors), self._pool)
        pooled = self._shape.rows(self._vectors[pool])
        smallest_node = max(SMALLEST_CLUSTER, min(len(pool), MOST_ERRORS) // SHARE_OF_ERRORS)
        nodes = tree_nodes(local_coordinates(pooled), smallest_node)
        limits = smallest, int(self._rows * LARGEST_SHARE), most
        if self._rows > SCORES_HELD:
            return self._in_turn(values, wrong, pool, pooled, nodes, limits)
        candidates = self._candidates(wrong, pool, pooled, nodes)
        scores = candidates.scores(self._vectors, self._fold)
        taken = _take_in_turn(scores, values, self._alike(candidates.whole, candidates.whole), *limits)
        return [self._frozen(candidates.whole[j], cut, statistic) for j, cut, statistic in taken]

    def _in_turn(
        self, values: Values, wrong: list[Moments], pool: Rows, pooled: Floats, nodes: list[Rows], limits: Limits
    ) -> list[Rule]:
        """The same where scores are not held. Among the errors that are left lumps are sought anew for every slice."""
        sizes, most = limits[:2], limits[2]
        right = self._shape.rows(self._vectors[drawn(np.flatnonzero(values <= 0), self._pool)])
        left = np.ones(self._rows, bool)
        known = self._tally(self._candidates(wrong, pool, pooled, nodes), values, left)
        taken = np.empty((0, pooled.shape[1]))
        rules: list[Rule] = []
        while len(rules) < most:
            fresh = np.flatnonzero(left[pool])
            found = [fresh[lump] for lump in lumps(_without(pooled[fresh], taken), _without(right, taken))]
            sought = self._candidates(wrong, pool, pooled, found).only(np.arange(1, 1 + len(found)))  # but the gate
            every = known.beside(self._tally(sought, values, left))
            again = self._alike(taken, every.candidates.whole).max(axis=0, initial=-1.0) >= MOST_ALIKE
            promising = np.where(again, 0.0, every.statistics(values[left], sizes).max(axis=1, initial=0.0))
            best = best_candidate(promising, every, self._vectors, self._fold, values, left, sizes)
            if best is None:
                break
            direction = every.candidates.whole[best.candidate]
            rules.append(self._frozen(direction, best.cut, best.statistic))
            if len(rules) == most:
                break
            taken = np.vstack([taken, direction])
            one = every.candidates.only(np.array([best.candidate]))
            known, left = known.less(one, best.cut, self._vectors, self._fold, values, left)
        return rules

    def _tally(self, candidates: Candidates, values: Values, kept: Booleans) -> Tally:
        return Tally.of(candidates, self._vectors, self._fold, values, kept)

    def _by_fold(self, fold: NDArray[np.int8]) -> list[Moments]:
        return Moments.by_group(self._vectors, fold, int(self._fold.max()) + 1)

    def _alike(self, some: Floats, others: Floats) -> Floats:
        """How the scores along two lots of directions correlate."""
        return np.asarray(some * self._shape.variances @ others.T)

    def _candidates(self, wrong: list[Moments], pool: Rows, pooled: Floats, groups: Sequence[Rows]) -> Candidates:
        """The gate, then the groups of rows of the pool, each with its directions; `wrong`: the folds' errors."""
        members, fold = _membership(groups, len(pool)), self._fold[pool]
        mine = [fold == number for number in range(len(wrong))]
        sums = (
            np.array([members[:, kept] @ pooled[kept] for kept in mine]),
            np.array([members[:, kept].sum(axis=1) for kept in mine], float).reshape(len(wrong), -1),
            np.array([(one.total - one.rows * self._shape.center) @ self._shape.turn for one in self._moments]),
            np.array([one.rows for one in self._moments], float),
        )
        every = [part.sum(axis=0) for part in sums]
        pairs = list(zip(every, sums, strict=True))
        all_wrong, all_rows = total(wrong), total(self._moments)
        without = [
            self._directions(all_wrong - its_wrong, all_rows - its_rows, *(e - s[i] for e, s in pairs))
            for i, (its_wrong, its_rows) in enumerate(zip(wrong, self._moments, strict=True))
        ]
        turned = np.array(without) @ self._shape.turn.T
        return Candidates(self._directions(all_wrong, all_rows, *every), turned, turned @ self._shape.center)

    def _directions(
        self, wrong: Moments, rows: Moments, inside: Floats, counts: Floats, everyone: Floats, count: Floats
    ) -> Floats:
        """The gate (where errors grow more likely), then each candidate's own direction blended with it.

        (1 + c, k), at a standard deviation of 1 over the class. Sums of shaped rows: of those in each candidate
        (c, k), how many they are (c,), of all (k,), how many they are.
        """
        gate = self._shape.discriminant(wrong, rows - wrong)
        mean = inside / np.maximum(counts, 1.0)[:, None]
        others = (everyone - inside) / np.maximum(count - counts, 1.0)[:, None]
        directions = np.vstack([gate, unit((1 - GATE_SHARE) * unit(mean - others) + GATE_SHARE * gate)])
        deviations = np.sqrt(directions**2 @ self._shape.variances)
        return np.asarray(directions / np.where(deviations > 0, deviations, 1.0)[:, None])

    def _frozen(self, direction: Floats, cut: float, statistic: float) -> Rule:
        of_fused = self._shape.turn @ direction
        return Rule(of_fused, float(np.round(cut + self._shape.center @ of_fused, DIGITS)), statistic, self._model)


def _membership(candidates: Sequence[Rows], n: int) -> csr_array:
    """(c, n) sparse, 1.0 where a candidate holds a row."""
    from scipy.sparse import csr_array

    lengths = [len(members) for members in candidates]
    rows = np.concatenate([*candidates, np.empty(0, np.intp)])
    return csr_array((np.ones(len(rows)), rows, np.concatenate([[0], np.cumsum(lengths)])), shape=(len(candidates), n))


def _without(rows: Floats, directions: Floats) -> NDArray[np.float32]:
    """Rows (n, k) without their parts along some directions (d, k), in single precision: lumps are sought in it."""
    if not len(directions):
        return rows.astype(np.float32)
    axes, _ = np.linalg.qr(directions.T)
    return np.asarray(rows - rows @ axes @ axes.T, np.float32)


def _take_in_turn(
    scores: Floats, values: Values, alike: Floats, smallest: int, largest: int, most: int
) -> list[tuple[int, float, float]]:
    """(candidate, cut, statistic): the best, its rows and those like it removed, then the best of what is left.

    `scores` (n, c); `alike` (c, c) how the candidates' directions correlate. Ties: the candidate that came first.
    """
    orders = {j: np.argsort(-column) for j, column in enumerate(scores.T)}  # how equal scores lie does not matter
    left = np.ones(len(values), bool)
    taken: list[tuple[int, float, float]] = []
    while len(taken) < most:
        best, value, cut = -1, 0.0, 0.0
        for j, order in orders.items():
            kept = order[left[order]]
            ranked = scores[kept, j]
            statistic, length = best_prefix(values[kept], starts_of(ranked), smallest, largest)
            if statistic > value:
                best, value, cut = j, statistic, float(ranked[length - 1])
        if best < 0:
            break
        taken.append((best, cut, value))
        left &= scores[:, best] < cut
        orders = {j: order for j, order in orders.items() if alike[best, j] < MOST_ALIKE}
    return taken
