"""What a search finds: a direction and a cut, which tell of any row whether it is in the slice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from misread.schemas.values import SCORE_DECIMALS
from misread.spill import Vectors, mapped, scores_of

from .discriminant import ClassModel
from .scan import Booleans, Floats


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
        return np.asarray(np.round(scores_of(vectors, self.direction), SCORE_DECIMALS))

    def takes(self, vectors: Vectors) -> Booleans:
        """(n,): which rows are in."""
        return mapped(vectors, partial(_takes, rule=self))

    def scored(self, vectors: Vectors, kept: Booleans) -> tuple[Floats, Floats]:
        """The scores and the class probabilities, (m,) each, of the rows that are `kept` (n,), in one reading."""
        scores, likely = mapped(vectors, partial(_scored, rule=self), kept).T
        return scores, likely

    def holding(self, vectors: Vectors, fewest: int) -> Rule:
        """The rule, its cut lowered where it takes fewer than `fewest` of n `vectors`, to what takes so many or, with
        ties, more. The search counts rows by scores without their own fold, which may be higher than the rule's."""
        scores = self.scores(vectors)
        if fewest > len(scores) or (scores >= self.cut).sum() >= fewest:
            return self
        return replace(self, cut=float(np.partition(scores, -fewest)[-fewest]))


def _takes(part: Floats, rule: Rule) -> Booleans:
    return np.asarray(rule.scores(part) >= rule.cut)


def _scored(part: Floats, kept: Booleans, rule: Rule) -> Floats:
    """(m, 2), worked out for the whole part: last digits hang on what is multiplied together."""
    return np.stack([rule.scores(part), rule.model.probability(part)], axis=1)[kept]
