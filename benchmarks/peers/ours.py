"""misread itself: its fusion and its search, as an audit runs them, without calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from misread.discover import Rule, search
from misread.fuse import Fusion, fit_fusion
from misread.plan import Discover
from misread.schemas.errors import AuditError

from .interface import MOST, Audit, Booleans, Fitted, Floats
from .labels import BONUS, ClassSlices, NoSlices

CLASSES = (1, 0)


@dataclass(frozen=True)
class Ours:
    """`bonus` is what a wrong row gains in standard deviations of the score, where labels are known."""

    smallest: int = Discover.min_size
    bonus: float = BONUS

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - nothing is drawn
        try:
            fusion = fit_fusion(audit.blocks, np.ones(len(audit), bool))
        except AuditError:
            return NoSlices()
        vectors = fusion.transform(audit.blocks)
        found = [(c, rule) for c in CLASSES for rule in _of_class(vectors, audit, c, self.smallest)]
        found = sorted(found, key=lambda item: (-item[1].statistic, -item[0]))[:MOST]
        if not found:
            return NoSlices()
        return _Rules(np.array([c for c, _ in found]), self.bonus, fusion, tuple(rule for _, rule in found))


def _of_class(vectors: Floats, audit: Audit, true_class: int, smallest: int) -> list[Rule]:
    own = audit.label == true_class
    patients = np.unique(audit.patients[own], return_inverse=True)[1].astype(np.intp)
    return search(vectors[own], audit.error[own], patients, smallest=smallest, most=MOST)


@dataclass(frozen=True, eq=False)
class _Rules(ClassSlices):
    fusion: Fusion
    rules: Sequence[Rule]

    def raw(self, audit: Audit) -> Floats:
        vectors = self.fusion.transform(audit.blocks)
        return np.stack([rule.scores(vectors) for rule in self.rules], axis=1)

    def inside(self, audit: Audit) -> Booleans:
        return np.asarray(self.raw(audit) >= np.array([rule.cut for rule in self.rules]))
