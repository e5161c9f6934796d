"""What tells two groups of rows apart, from sums over them alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from misread.principal import signed, unit
from misread.schemas.values import SCORE_DECIMALS
from misread.spill import Vectors, folded, scores_of, spread_of, total

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SHRINKAGE = 400.0
"""Rows' worth of the identity added to the pooled covariance: strong, so that broad trends alone are followed."""
SHAPING = 0.4
"""Power of the inverse variances in `shaping`: 0 leaves them as they are, .5 makes them equal."""
SMALLEST_VARIANCE = 1e-3
"""Variances under this share of the largest count as that."""


@dataclass(frozen=True)
class Moments:
    """Of some rows (n, k): their number, their sum (k,) and their sum of outer products (k, k)."""

    rows: int
    total: Floats
    squares: Floats

    @classmethod
    def of(cls, vectors: Floats) -> Moments:
        return cls(len(vectors), vectors.sum(axis=0), vectors.T @ vectors)

    @classmethod
    def by_group(cls, vectors: Vectors, groups: NDArray[np.signedinteger], count: int) -> list[Moments]:
        """The moments of groups 0 to `count` - 1 in one reading of the rows; `groups` (n,), -1 for a row of none."""
        found: list[Moments] = folded(vectors, partial(_by_group, count=count), total, groups)
        return found

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.rows + other.rows, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(self.rows - other.rows, self.total - other.total, self.squares - other.squares)

    @property
    def mean(self) -> Floats:
        return self.total / max(self.rows, 1)


def _by_group(part: Floats, groups: NDArray[np.signedinteger], count: int) -> list[Moments]:
    return [Moments.of(part[groups == group]) for group in range(count)]


@dataclass(frozen=True)
class Shape:
    """An affine map of rows (n, k) onto their principal axes, their variances evened out part of the way.

    A row x goes to (x - `center`) @ `turn`, and `back` (k, k) undoes `turn`; there axis i has `variances[i]`. An axis
    of variance v, the mean variance being 1, is divided by v^.4. Whole whitening (v^.5) drowns a slice in directions
    that hardly vary, none hides it behind those that vary most.
    """

    center: Floats
    turn: Floats
    back: Floats
    variances: Floats

    @classmethod
    def of(cls, rows: Moments) -> Shape:
        center = rows.mean
        covariance = rows.squares / max(rows.rows, 1) - np.outer(center, center)
        values, axes = np.linalg.eigh(covariance)
        axes = signed(axes)
        scaled = np.maximum(values, SMALLEST_VARIANCE * values[-1])
        scales = (scaled / scaled.mean()) ** -SHAPING
        return cls(center, axes * scales, (axes / scales).T, np.maximum(values, 0.0) * scales**2)

    def rows(self, vectors: Floats) -> Floats:
        """(n, k) shaped."""
        return np.asarray((vectors - self.center) @ self.turn)

    def discriminant(self, one: Moments, other: Moments) -> Floats:
        """The unit direction among shaped rows; the moments are those of the rows as they were."""
        return unit(self.back @ discriminant(one, other, self.back.T @ self.back))


def discriminant(one: Moments, other: Moments, identity: Floats | None = None) -> Floats:
    """The unit direction (k,) from the mean of `other` to that of `one`, as regularised discriminant analysis has it.

    Both groups weigh the same. With S the covariance about the middle of the two means and n rows in all, the
    direction is (S + 400 / n I)^-1 (difference of means): least squares with a ridge, of which a strongly
    regularised logistic regression is hardly different. `identity` stands for I where rows are told in other
    coordinates than those in which I is meant. Zeros where either group has no row.
    """
    if not one.rows or not other.rows:
        return np.zeros(len(one.total))
    middle = (one.mean + other.mean) / 2
    spread = (one.squares / one.rows + other.squares / other.rows) / 2 - np.outer(middle, middle)
    ridge = SHRINKAGE / (one.rows + other.rows) * (np.eye(len(middle)) if identity is None else identity)
    return unit(np.asarray(np.linalg.solve(spread + ridge, one.mean - other.mean), float))


@dataclass(frozen=True)
class ClassModel:
    """P(a row is of the class | its vector) = 1 / (1 + exp(-(vector @ direction + offset))).

    What can be said of rows whose label is not known. Without anything to tell classes apart, `direction` is zero.
    """

    direction: Floats
    offset: float

    def probability(self, vectors: Vectors) -> Floats:
        """(n,) P(class | vector) of rows (n, k), rounded to 9 decimals."""
        return probability(scores_of(vectors, self.direction) + self.offset)

    @property
    def other(self) -> ClassModel:
        """The same for the rows that are not of the class."""
        return ClassModel(-self.direction, -self.offset)


def every_row(dimension: int) -> ClassModel:
    """The model of a class that every row is of: probability 1 wherever a vector of `dimension` numbers lies."""
    return ClassModel(np.zeros(dimension), float("inf"))


def probability(odds: Floats) -> Floats:
    """1 / (1 + exp(-odds)), without overflow, rounded to 9 decimals so that the order of sums never decides."""
    from scipy.special import expit

    return np.asarray(np.round(expit(odds), SCORE_DECIMALS))


def fit_class_model(positives: Vectors, negatives: Vectors) -> ClassModel:
    """Fitted on rows (n, k) of either class: a discriminant, then a logistic regression along it alone."""
    flat = ClassModel(np.zeros(positives.shape[1]), 0.0)
    if not len(positives) or not len(negatives) or not spread_of(positives, negatives).any():
        return flat
    one, other = (
        Moments.by_group(vectors, np.zeros(len(vectors), np.int8), 1)[0] for vectors in (positives, negatives)
    )
    shape = Shape.of(one + other)
    along = shape.turn @ shape.discriminant(one, other)
    places = np.concatenate([scores_of(vectors, along) for vectors in (positives, negatives)]) - shape.center @ along
    spread = float(places.std())
    if not spread > 0:
        return flat
    from sklearn.linear_model import LogisticRegression

    of_class = np.arange(len(places)) < len(positives)
    model = LogisticRegression().fit(places[:, None] / spread, of_class)
    direction = along * (float(model.coef_[0, 0]) / spread)
    return ClassModel(direction, float(model.intercept_[0]) - float(shape.center @ direction))
