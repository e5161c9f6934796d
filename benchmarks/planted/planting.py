"""From a setting to two audits with a known answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.peers import Audit
from misread.audit.thresholds import youden_threshold
from misread.fuse import Block
from misread.metadata import choose_columns, fit_features

from .scenarios import SCENARIOS, Booleans, Draw, Generator, Integers
from .setting import Setting, generator, own_half
from .source import Source

TRIES = 400
TRAIN, FIT, SCORE = 0, 1, 2
SHARES = {"synthetic": (0.0, 0.5, 0.5), "trained": (0.34, 0.33, 0.33)}
FEWEST_SCORED = 10
GAP = 0.10
"""A slice that a trained classifier does not misread this much more often than the rest is none."""
STRENGTH = 0.03
THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Planted:
    """One draw with its predictions: `part` says which rows are trained on, fitted and scored."""

    source: Source
    draw: Draw
    part: Integers
    score: NDArray[np.float64]
    details: Mapping[str, Any]

    def audits(self, modalities: tuple[str, ...]) -> tuple[Audit, Audit, Booleans]:
        """The fitting audit, the scored audit and the slices among the scored rows."""
        kept = self.part != TRAIN
        if "metadata" not in modalities:  # as in an audit, a row without any vector is left out
            kept &= np.any([self.source.blocks[name].present[self.draw.rows] for name in modalities], axis=0)
        rows, part = self.draw.rows[kept], self.part[kept]
        label, score = self.draw.label[kept], self.score[kept]
        predicted = (score >= THRESHOLD).astype(np.intp)
        blocks = {
            name: Block(block.rows[rows], block.present[rows])
            for name, block in self.source.blocks.items()
            if name in modalities
        }
        metadata = pl.DataFrame()
        if "metadata" in modalities:
            metadata, blocks["metadata"] = _metadata(self.source.metadata[rows.tolist()], label, part == FIT)
        audit = Audit(blocks, metadata, label, score, predicted, predicted != label, self.source.patients[rows])
        return audit.take(part == FIT), audit.take(part == SCORE), self.draw.truth[kept][part == SCORE]


def plant(setting: Setting, source: Source) -> Planted:
    """The draw of a setting; choices are drawn until one can be had. Raises LookupError where none can."""
    rng = generator(setting, 1)
    names = (*source.groups, *source.correlates) if setting.scenario == "correlation" else source.groups
    groups = own_half(names, setting.split)
    for _ in range(TRIES):
        draw = SCENARIOS[setting.scenario](source, groups, rng)
        planted = draw and predict(setting, source, draw, rng)
        if planted:
            return planted
    raise LookupError(f"no draw of {setting.key} can be had from {source.name}")


def predict(setting: Setting, source: Source, draw: Draw, rng: Generator) -> Planted | None:
    """Predictions for a draw; None if a slice has too few scored rows or is not misread."""
    part = divide(source.patients[draw.rows], SHARES[setting.predictions], rng)
    if draw.truth[part == SCORE].sum(axis=0).min() < FEWEST_SCORED:
        return None
    if any(len(np.unique(draw.label[part == p])) < 2 for p in np.unique(part)):
        return None
    if setting.predictions == "trained":
        score = trained(source.features[draw.rows], draw.label, part)
    else:
        score = synthetic(setting.scenario, draw, rng)
    wrong = (score >= THRESHOLD) != draw.label
    gaps = _gaps(draw, wrong, part != TRAIN)
    if setting.predictions == "trained" and min(gaps) < GAP:
        return None
    details = {
        **draw.details,
        "rows": len(part),
        "scored": int((part == SCORE).sum()),
        "slices": draw.truth[part == SCORE].sum(axis=0).tolist(),
        "gaps": [round(g, 3) for g in gaps],
        "error_rate": round(float(wrong[part != TRAIN].mean()), 3),
    }
    return Planted(source, draw, part, score, details)


def divide(patients: Integers, shares: tuple[float, ...], rng: Generator) -> Integers:
    """Which part each row belongs to; all rows of a patient to the same."""
    names, codes = np.unique(patients, return_inverse=True)
    part = np.searchsorted(np.cumsum(shares), rng.permutation((np.arange(len(names)) + 0.5) / len(names)))
    return np.asarray(part[codes], np.intp)


def synthetic(scenario: str, draw: Draw, rng: Generator) -> NDArray[np.float64]:
    """Scores by the labels given. Attributes: right with .40 inside and .85 outside, confidence the same.

    Else positives Beta(se, 1 - se), negatives Beta(1 - sp, sp), both .8 outside and .4 inside.
    """
    inside: Booleans = np.asarray(draw.truth.any(axis=1))
    if scenario.startswith("attributes"):
        right = rng.random(len(inside)) < np.where(inside, 0.40, 0.85)
        sure = 0.5 + 0.5 * rng.random(len(inside))
    else:
        power = np.where(inside, 0.4, 0.8)
        sure = rng.beta(power, 1 - power)
        right = np.ones(len(inside), np.bool_)
    return np.asarray(np.where(right == (draw.label == 1), sure, 1 - sure))


def trained(features: NDArray[np.float32], label: Integers, part: Integers) -> NDArray[np.float64]:
    """Scores of a logistic regression fitted on the training part.

    Their log odds are shifted so that the threshold an audit would choose on the fitting part (Youden's) lies at
    .5: methods that read the scores as probabilities are not thrown off by a rare target.
    """
    from sklearn.linear_model import LogisticRegression

    learned = part == TRAIN
    model = LogisticRegression(C=STRENGTH, solver="newton-cholesky").fit(features[learned], label[learned])
    odds = np.clip(model.decision_function(features), -30.0, 30.0)
    cut = youden_threshold(odds[part == FIT], label[part == FIT] == 1)
    assert cut is not None
    return np.asarray(1 / (1 + np.exp(cut - odds)))


def _gaps(draw: Draw, wrong: Booleans, audited: Booleans) -> list[float]:
    """Per slice how much more often its rows are wrong than all others of its clean class, or of all classes."""
    gaps = []
    for inside, true_class in zip(draw.truth.T, draw.details["classes"], strict=True):
        noisy = "eps" in draw.details
        rest = audited & ~inside & ((draw.label == true_class) | noisy)
        gaps.append(float(wrong[audited & inside].mean() - wrong[rest].mean()))
    return gaps


def _metadata(columns: pl.DataFrame, label: Integers, fitted_on: Booleans) -> tuple[pl.DataFrame, Block]:
    """The columns an audit would take, raw and as vectors."""
    names, _ = choose_columns(columns, {"target": pl.Series("target", label)}, None)
    chosen = columns.select(names)
    vectors = fit_features(chosen.filter(pl.Series(fitted_on)), names).transform(chosen)
    return chosen, Block(vectors, np.ones(columns.height, bool))
