"""The search inside one true class, or among all rows with a loss: candidates, and the best of them in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from misread.principal import unit
from misread.schemas.values import SCORE_DECIMALS
from misread.spill import Vectors, chosen, spread_of, total

from .binned import Candidates, Found, Tally, best_candidate
from .discriminant import ClassModel, Moments, Shape
from .patients import Codes
from .pools import FEWEST_ERRORS, MOST_ERRORS, drawn, lumps
from .rule import Rule
from .scan import Values, standardised
from .tree import Floats, Rows, local_coordinates, tree_nodes

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Booleans = NDArray[np.bool_]

GATE_SHARE = 0.25
"""How much of a rule's direction is the gate's, the rest being the candidate's own."""
LARGEST_SHARE = 0.5
"""A slice holds at most this share of its class; what is larger is the class itself."""
SMALLEST_CLUSTER, SHARE_OF_ERRORS = 5, 400
"""A node of the tree holds at least 5 errors, and no fewer than one in 400 of them, or of the default pool."""
MOST_ALIKE = 0.7
"""Candidates whose scores correlate more than this with a slice already taken are that slice again."""
REFINED = 3
"""So often a slice's rule is found anew from the errors it takes; more gains little (benchmarks/planted/README.md)."""
FOLDS = 5


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
        self._varied = self._rows > 1 and bool(spread_of(rows.vectors).max(initial=0.0) > 10**-SCORE_DECIMALS)
        if not self._varied:
            return
        self._fold = np.unique(rows.patients % FOLDS, return_inverse=True)[1].astype(np.int8)
        self._moments = self._by_fold(self._fold)
        self._shape = Shape.of(total(self._moments))
        shaped = [(one.total - one.rows * self._shape.center) @ self._shape.turn for one in self._moments]
        self._everyone = _Sums(np.array(shaped)[:, None], np.array([[float(one.rows)] for one in self._moments]))

    def rules(self, losses: Values, *, smallest: int, most: int) -> list[Rule]:
        """The rules for `losses` (n,) of the rows, best first; their scan statistics judge, ties go to the first.

        Candidates are sought among the rows whose loss is above the mean, which are the errors where losses are
        those: the gate, the nodes of their tree, and for every slice anew lumps of those that are left. The best's rows
        are gone for the next. Where errors are many enough for lumps, the best is refined before. Empty where there
        are fewer than 2 errors, errors alone, equal rows, or fewer than 2 * `smallest` rows.
        """
        values = standardised(losses)
        errors = np.asarray(values > 0)
        if not self._varied or self._rows < 2 * smallest or errors.sum() < 2 or errors.all():
            return []
        pool, right = self._pooled(errors), self._right(errors)
        sizes = smallest, int(self._rows * LARGEST_SHARE)
        left, taken = np.ones(self._rows, bool), np.empty((0, pool.shaped.shape[1]))
        known = self._tally(self._known(pool), values, left)
        rules: list[Rule] = []
        while len(rules) < most:
            every = known
            if len(right):
                fresh = np.flatnonzero(left[pool.rows])
                found = [fresh[lump] for lump in lumps(_without(pool.shaped[fresh], taken), _without(right, taken))]
                every = known.beside(self._tally(self._candidates(pool, found), values, left))
            best = self._best(every, values, left, taken, sizes)
            if best is None:
                break
            if len(right):
                best = self._refined(best, pool, values, left, taken, sizes)
            rules.append(self._frozen(best))
            if len(rules) < most:
                taken = np.vstack([taken, best.along.whole])
                known, left = known.less(best, self._vectors, self._fold, values, left)
        return rules

    def _refined(
        self, best: Found, pool: _Pool, values: Values, left: Booleans, taken: Floats, sizes: tuple[int, int]
    ) -> Found:
        """What is found with the errors it takes as a candidate of its own, for as long as its statistic grows."""
        for _ in range(REFINED):
            along = pool.shaped @ (self._shape.back @ best.along.without[:, 0].T)
            scores = np.round(along[np.arange(len(pool.rows)), pool.fold], SCORE_DECIMALS)
            inside = np.flatnonzero(left[pool.rows] & (scores >= best.cut))
            again = self._tally(self._candidates(pool, [inside]), values, left)
            better = self._best(again, values, left, taken, sizes)
            if better is None or better.statistic <= best.statistic:
                break
            best = better
        return best

    def _best(
        self, tally: Tally, values: Values, left: Booleans, taken: Floats, sizes: tuple[int, int]
    ) -> Found | None:
        """The best of the candidates that are not a slice taken before once more."""
        again = self._alike(taken, tally.candidates.whole).max(axis=0, initial=-1.0) >= MOST_ALIKE
        promising = np.where(again, 0.0, tally.statistics(values[left], sizes).max(axis=1, initial=0.0))
        return best_candidate(promising, tally, self._vectors, self._fold, values, left, sizes)

    def _tally(self, candidates: Candidates, values: Values, kept: Booleans) -> Tally:
        return Tally.of(candidates, self._vectors, self._fold, values, kept)

    def _by_fold(self, fold: NDArray[np.int8]) -> list[Moments]:
        return Moments.by_group(self._vectors, fold, int(self._fold.max()) + 1)

    def _alike(self, some: Floats, others: Floats) -> Floats:
        """How the scores along two lots of directions correlate."""
        return np.asarray(some * self._shape.variances @ others.T)

    def _pooled(self, errors: Booleans) -> _Pool:
        rows = drawn(np.flatnonzero(errors), self._pool)
        wrong = self._by_fold(np.where(errors, self._fold, np.int8(-1)))
        all_wrong, all_rows = total(wrong), total(self._moments)
        groups = [(all_wrong - one, all_rows - own) for one, own in zip(wrong, self._moments, strict=True)]
        gates = [self._shape.discriminant(one, own - one) for one, own in [*groups, (all_wrong, all_rows)]]
        return _Pool(rows, self._shape.rows(self._vectors[rows]), self._fold[rows], np.array(gates))

    def _right(self, errors: Booleans) -> Floats:
        """Shaped rows that are no errors, as many as errors may be drawn; none where errors are too few for lumps."""
        if min(int(errors.sum()), self._pool) < FEWEST_ERRORS:
            return np.empty((0, self._vectors.shape[1]))
        return self._shape.rows(self._vectors[drawn(np.flatnonzero(~errors), self._pool)])

    def _known(self, pool: _Pool) -> Candidates:
        """The gate, and every node of the tree over the pool."""
        smallest = max(SMALLEST_CLUSTER, min(len(pool.rows), MOST_ERRORS) // SHARE_OF_ERRORS)
        nodes = tree_nodes(local_coordinates(pool.shaped), smallest)
        gates = self._scored(pool.gates[:, None])
        return gates.beside(self._candidates(pool, nodes))

    def _candidates(self, pool: _Pool, groups: Sequence[Rows]) -> Candidates:
        """The groups of rows of the pool, each along the way from the others' mean to its own, beside the gate's."""
        members = _membership(groups, len(pool.rows))
        mine = [pool.fold == number for number in range(len(self._moments))]
        inside = _Sums(
            np.array([members[:, kept] @ pool.shaped[kept] for kept in mine]),
            np.array([members[:, kept].sum(axis=1) for kept in mine], float).reshape(len(mine), -1),
        ).without_each()
        everyone = self._everyone.without_each()
        own = unit(inside.means - everyone.less(inside).means)
        return self._scored(unit((1 - GATE_SHARE) * own + GATE_SHARE * pool.gates[:, None]))

    def _scored(self, directions: Floats) -> Candidates:
        """Candidates of directions (f + 1, c, k), without each fold and of all, at a standard deviation of 1."""
        deviations = np.sqrt(directions**2 @ self._shape.variances)
        even = directions / np.where(deviations > 0, deviations, 1.0)[:, :, None]
        turned = even[:-1] @ self._shape.turn.T
        return Candidates(even[-1], turned, turned @ self._shape.center)

    def _frozen(self, found: Found) -> Rule:
        of_fused = self._shape.turn @ found.along.whole[0]
        cut = float(np.round(found.cut + self._shape.center @ of_fused, SCORE_DECIMALS))
        return Rule(of_fused, cut, found.statistic, self._model)


@dataclass(frozen=True)
class _Pool:
    """Errors among which candidates are sought: `rows` (p,) of the class, `shaped` (p, k), and their `fold` (p,).

    `gates` (f + 1, k): where errors grow more likely, fitted without each fold, and on all rows.
    """

    rows: Rows
    shaped: Floats
    fold: NDArray[np.int8]
    gates: Floats


@dataclass(frozen=True)
class _Sums:
    """Of groups of shaped rows: `sums` (f, c, k) and how many they are, `counts` (f, c); by fold, or without each."""

    sums: Floats
    counts: Floats

    def without_each(self) -> _Sums:
        """(f + 1, ...): of all folds but one, for each, and of all."""
        return _Sums(
            *(np.concatenate([part.sum(axis=0) - part, part.sum(axis=0)[None]]) for part in (self.sums, self.counts))
        )

    def less(self, others: _Sums) -> _Sums:
        return _Sums(self.sums - others.sums, self.counts - others.counts)

    @property
    def means(self) -> Floats:
        return np.asarray(self.sums / np.maximum(self.counts, 1.0)[:, :, None])


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
