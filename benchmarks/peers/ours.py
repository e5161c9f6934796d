"""misread itself: what an audit gives, without calibration.

Its three best slices, the best of either class among them, and for each true class its list of the most confidently
wrong rows (the view `confident_errors`), which is no slice of the vectors: where confidence alone tells, no rule over
vectors does better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from misread.discover import ClassRows, Rule, fit_class_model, order_among_classes, search
from misread.fitting import fuse
from misread.fuse import Fusion
from misread.plan import Discover
from misread.schemas.errors import AuditError
from misread.schemas.values import CLASSES
from misread.spill import Vectors, chosen, put_aside
from misread.threads import cores, in_order

from .interface import MOST, Audit, Booleans, Fitted, Floats, Integers
from .labels import BONUS, ClassSlices, NoSlices

TINY = 1e-9


@dataclass(frozen=True)
class Ours:
    """`bonus` is what a wrong row gains in standard deviations of the score, where labels are known.

    `lists`: 1 to have the lists of confident errors among the five, 0 for slices alone.
    """

    smallest: int = Discover.min_size
    bonus: float = BONUS
    lists: int = 1

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - nothing is drawn
        try:
            fusion, vectors = fuse(audit.blocks, np.ones(len(audit), bool))
        except AuditError:
            return NoSlices()
        found = rules_of(put_aside(*vectors.shape, [vectors]), audit, self.smallest)
        listed = [c for c in CLASSES if self.lists and audit.error[audit.label == c].any()]
        found = found[: MOST - len(listed)]
        rules: Fitted = NoSlices()
        if found:
            rules = _Rules(np.array([c for c, _ in found]), self.bonus, fusion, tuple(rule for _, rule in found))
        return _WithLists(rules, tuple(listed)) if listed else rules


class Judged(Protocol):
    """What is known of rows beside their vectors, all (n,)."""

    @property
    def label(self) -> Integers: ...
    @property
    def error(self) -> Booleans: ...
    @property
    def patients(self) -> Integers: ...


def rules_of(vectors: Vectors, judged: Judged, smallest: int) -> list[tuple[int, Rule]]:
    """(true class, rule), in the order of an audit, searched as an audit does: fused vectors may lie on disk."""
    each = [chosen(vectors, judged.label == c) for c in CLASSES]
    first = fit_class_model(*each)
    classes = []
    for true_class, mine, model in zip(CLASSES, each, (first, first.other), strict=True):
        own = judged.label == true_class
        patients = np.unique(judged.patients[own], return_inverse=True)[1].astype(np.intp)
        classes.append(ClassRows(true_class, mine, judged.error[own], patients, model))
    searches = in_order(partial(search, smallest=smallest, most=MOST), classes, min(len(classes), cores()))
    ranked = [
        (order_among_classes(place, rule, number), (CLASSES[number], rule))
        for number, rules in enumerate(searches)
        for place, rule in enumerate(rules)
    ]
    return [found for _, found in sorted(ranked, key=lambda item: item[0])]


@dataclass(frozen=True, eq=False)
class _Rules(ClassSlices):
    fusion: Fusion
    rules: Sequence[Rule]

    def raw(self, audit: Audit) -> Floats:
        vectors = self.fusion.transform(audit.blocks)
        return np.stack([rule.scores(vectors) for rule in self.rules], axis=1)

    def inside(self, audit: Audit) -> Booleans:
        return np.asarray(self.raw(audit) >= np.array([rule.cut for rule in self.rules]))

    def score(self, audit: Audit, with_labels: bool) -> Floats:
        """Without labels the score and the logarithm of `class_probability` are added up."""
        if with_labels:
            return super().score(audit, with_labels)
        vectors = self.fusion.transform(audit.blocks)
        likely = np.stack([rule.model.probability(vectors) for rule in self.rules], axis=1)
        return np.asarray(self.raw(audit) + np.log(np.maximum(likely, TINY)))


@dataclass(frozen=True)
class _WithLists:
    """Slices, then for each class its wrong rows (or those predicted as the other class), most confident first."""

    rules: Fitted
    classes: Sequence[int]

    def score(self, audit: Audit, with_labels: bool) -> Floats:
        own = [audit.label == c if with_labels else np.ones(len(audit), bool) for c in self.classes]
        sure = [1 - audit.score if c == 1 else audit.score for c in self.classes]
        lists = [np.where(rows, confidence, -1.0) for rows, confidence in zip(own, sure, strict=True)]
        return np.column_stack([self.rules.score(audit, with_labels), *lists])

    def members(self, audit: Audit, with_labels: bool) -> Booleans:
        lists = [(audit.predicted != c) & ((audit.label == c) | (not with_labels)) for c in self.classes]
        return np.column_stack([self.rules.members(audit, with_labels), *lists])
