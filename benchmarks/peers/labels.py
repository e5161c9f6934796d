"""Scoring rows whose labels are known, alike for every method whose model has no place for them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from .interface import Audit, Booleans, Floats, Integers

LAST = 1e6
BONUS = 3.0
"""What a wrong row gains, in standard deviations of the score; 3 served k-means and misread best (.5 to 4 tried)."""


def label_scores(scores: Floats, classes: Integers, audit: Audit, bonus: float) -> Floats:
    """Scores (n, s) with what the labels tell of slices that lie in one true class each (`classes` (s,)).

    Scores are standardised over the rows of the slice's class, wrong rows get `bonus`, and rows of another
    class come last.
    """
    result = np.empty_like(scores)
    for j, true_class in enumerate(classes):
        own = audit.label == true_class
        spread = float(scores[own, j].std()) if own.any() else 0.0
        center = float(scores[own, j].mean()) if own.any() else 0.0
        standard = (scores[:, j] - center) / (spread if spread > 0 else 1.0)
        result[:, j] = np.clip(standard, -LAST / 4, LAST / 4) + bonus * audit.error - np.where(own, 0.0, LAST)
    return result


@dataclass(frozen=True, eq=False)
class ClassSlices(ABC):
    """Slices of one true class each. A method gives `raw` (n, s) scores and `inside` (n, s) of any rows."""

    classes: Integers
    bonus: float

    @abstractmethod
    def raw(self, audit: Audit) -> Floats: ...

    @abstractmethod
    def inside(self, audit: Audit) -> Booleans: ...

    def score(self, audit: Audit, with_labels: bool) -> Floats:
        raw = self.raw(audit)
        return label_scores(raw, self.classes, audit, self.bonus) if with_labels else raw

    def members(self, audit: Audit, with_labels: bool) -> Booleans:
        inside = self.inside(audit)
        return inside & (audit.label[:, None] == self.classes) if with_labels else inside


class NoSlices:
    """What a method gives that found nothing."""

    def score(self, audit: Audit, with_labels: bool) -> Floats:  # noqa: ARG002 - the interface's
        return np.zeros((len(audit), 0))

    def members(self, audit: Audit, with_labels: bool) -> Booleans:  # noqa: ARG002 - the interface's
        return np.zeros((len(audit), 0), bool)
