"""What tells two groups of rows apart, from sums over them alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misread.spill import Vectors, in_parts, mapped, mean_of, scores_of, spread_of

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

SHRINKAGE = 400.0
"""Rows' worth of the identity added to the pooled covariance: strong, so that broad trends alone are followed."""
SHAPING = 0.4
"""Power of the inverse variances in `shaping`: 0 leaves them as they are, .5 makes them equal."""
DIGITS = 9
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
    def over(cls, vectors: Vectors, groups: Sequence[Booleans]) -> list[Moments]:
        """The moments of every group of the rows (n, k), each a mask (n,), in one reading."""
        found = [cls.of(np.empty((0, vectors.shape[1]))) for _ in groups]
        for here, part in in_parts(vectors):
            found = [known + cls.of(part[group[here]]) for known, group in zip(found, groups, strict=True)]
        return found

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.rows + other.rows, self.total + other.total, self.squares + other.squares)

    def __sub__(self, other: Moments) -> Moments:
        return Moments(self.rows - other.rows, self.total - other.total, self.squares - other.squares)

    @property
    def mean(self) -> Floats:
        return self.total / max(self.rows, 1)


def discriminant(one: Moments, other: Moments) -> Floats:
    """The unit direction (k,) from the mean of `other` to that of `one`, as regularised discriminant analysis has it.

    Both groups weigh the same. With S the covariance about the middle of the two means and n rows in all, the
    direction is (S + 400 / n I)^-1 (difference of means): least squares with a ridge, of which a strongly
    regularised logistic regression is hardly different. Zeros where either group has no row.
    """
    if not one.rows or not other.rows:
        return np.zeros(len(one.total))
    middle = (one.mean + other.mean) / 2
    spread = (one.squares / one.rows + other.squares / other.rows) / 2 - np.outer(middle, middle)
    ridge = SHRINKAGE / (one.rows + other.rows) * np.eye(len(middle))
    return unit(np.asarray(np.linalg.solve(spread + ridge, one.mean - other.mean), float))


def shaping(vectors: Vectors, center: Floats | float = 0.0) -> Floats:
    """(k, k) turns rows (n, k), less `center`, onto their principal axes and evens their variances out part of the way.

    An axis of variance v, the mean variance being 1, is divided by v^.4. Whole whitening (v^.5) drowns a slice in
    directions that hardly vary, none hides it behind those that vary most.
    """
    products = np.zeros((vectors.shape[1], vectors.shape[1]))
    for _, part in in_parts(vectors):
        centered = part - center
        products += centered.T @ centered
    values, axes = np.linalg.eigh(products / max(len(vectors), 1))
    values = np.maximum(values, SMALLEST_VARIANCE * values[-1])
    return np.asarray(axes * (values / values.mean()) ** -SHAPING)


def unit(rows: Floats) -> Floats:
    """Rows (..., k) at length 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1.0))


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

    return np.asarray(np.round(expit(odds), DIGITS))


def fit_class_model(vectors: Vectors, of_class: Booleans) -> ClassModel:
    """Fitted on rows (n, k) of known class: a discriminant, then a logistic regression along it alone."""
    flat = ClassModel(np.zeros(vectors.shape[1]), 0.0)
    if not of_class.any() or of_class.all() or not spread_of(vectors).any():
        return flat
    from sklearn.linear_model import LogisticRegression

    center = mean_of(vectors)
    turn = shaping(vectors, center)
    shaped = mapped(vectors, center, turn)
    along = discriminant(*Moments.over(shaped, [of_class, ~of_class]))
    places = scores_of(shaped, along)
    spread = float(places.std())
    if not spread > 0:
        return flat
    model = LogisticRegression().fit(places[:, None] / spread, of_class)
    direction = turn @ along * (float(model.coef_[0, 0]) / spread)
    return ClassModel(direction, float(model.intercept_[0]) - float(center @ direction))
