"""The Domino error-aware mixture (Eyuboglu et al. 2022), written from its published description.

log p(i) = log sum_s pi_s N(z_i; mu_s, diag) (p_s . y_i)^g (q_s . yhat_i)^g. The powers enter the E-step only; the
M-step takes responsibility-weighted averages. All of it is worked out for all rows and components at once, in the
precision of z: single where the vectors are single, with sums over rows in double.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .interface import MOST, Audit, Booleans, Fitted, Floats, Integers
from .labels import NoSlices
from .preparation import Preparation, prepare

TINY, TINY_VARIANCE = 1e-12, 1e-6


@dataclass(frozen=True)
class Domino:
    """`weight` is the power g of labels and predictions, `noise` the size of the uniform noise of the start.

    The paper's noise is 1 and its vectors have 128 components; .1 and 64 did better on the settings to choose on.
    """

    weight: float = 10.0
    mixture: int = 25
    components: int = 64
    noise: float = 0.1
    iterations: int = 100
    tolerance: float = 1e-3

    def fit(self, audit: Audit, seed: int) -> Fitted:
        if len(audit) < 2 * self.mixture or not audit.error.any():
            return NoSlices()
        preparation = prepare(audit, self.components)
        model = self.fitted(preparation(audit), audit.label, audit.score, seed)
        return DominoSlices(preparation, model, model.ranked()[:MOST], self.weight)

    def fitted(self, z: Floats, label: Integers, score: Floats, seed: int) -> Mixture:
        """The mixture alone, of rows z (n, d); it ends where the mean log-likelihood rises by less than `tolerance`."""
        y, yhat = one_hot(label).astype(z.dtype), soft(score).astype(z.dtype)
        responsibilities = start(y, yhat, self.mixture, self.noise, seed).astype(z.dtype)
        squares = z * z
        before = -np.inf
        for _ in range(self.iterations):
            model = maximise(responsibilities, z, y, yhat, squares)
            total, responsibilities = shared(model.joint(z, y, yhat, self.weight, squares))
            now = float(total.mean(dtype=float))
            if abs(now - before) < self.tolerance:
                break
            before = now
        return maximise(responsibilities, z, y, yhat, squares)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted parameters: shares (s,), means and variances (s, d), P(y | s) and P(yhat | s) (s, 2)."""

    shares: Floats
    means: Floats
    variances: Floats
    labels: Floats
    predictions: Floats

    def joint(
        self, z: Floats, y: Floats | None, yhat: Floats | None, weight: float, squares: Floats | None = None
    ) -> Floats:
        """(n, s) log of a row's and a component's joint density; labels or predictions not given are left out.

        `y` holds a single 1 in each row; `squares`: z * z, where it is known.
        """
        result = _gaussians(z, z * z if squares is None else squares, self.means, self.variances)
        result += np.log(self.shares + TINY)
        if y is not None:
            result += y @ (weight * np.log(self.labels.T + TINY))
        if yhat is not None:
            likely = yhat @ self.predictions.T
            likely += TINY
            result += np.multiply(np.log(likely, out=likely), weight, out=likely)
        return np.asarray(result)

    def ranked(self) -> np.ndarray:
        """Components by falling |q_s - p_s|: where predictions and labels disagree most."""
        return np.argsort(-np.abs(self.predictions - self.labels).sum(axis=1), kind="stable")


@dataclass(frozen=True, eq=False)
class DominoSlices:
    preparation: Preparation
    model: Mixture
    chosen: np.ndarray
    weight: float

    def log_posterior(self, audit: Audit, with_labels: bool) -> Floats:
        """(n, mixture) log responsibilities; without labels from vectors and predictions alone."""
        y = one_hot(audit.label) if with_labels else None
        joint = self.model.joint(self.preparation(audit).astype(float), y, soft(audit.score), self.weight)
        return np.asarray(joint - _log_sum(joint)[:, None])

    def score(self, audit: Audit, with_labels: bool) -> Floats:
        """Log odds of the posterior, which order rows as the posterior does where that is rounded to 1."""
        posterior = self.log_posterior(audit, with_labels)
        columns = [posterior[:, s] - _log_sum(np.delete(posterior, s, axis=1)) for s in self.chosen]
        return np.stack(columns, axis=1)

    def members(self, audit: Audit, with_labels: bool) -> Booleans:
        """The rows whose most likely component it is."""
        winners = np.argmax(self.log_posterior(audit, with_labels), axis=1)
        return np.asarray(winners[:, None] == self.chosen)


def start(y: Floats, yhat: Floats, mixture: int, noise: float, seed: int) -> Floats:
    """(n, mixture) responsibilities: the confusion cells tiled, rows normalised, plus noise, normalised again."""
    cells = (y[:, :, None] * yhat[:, None, :]).reshape(len(y), -1)
    tiled = cells[:, np.arange(mixture) % cells.shape[1]]
    tiled = tiled / np.maximum(tiled.sum(axis=1, keepdims=True), TINY)
    tiled = tiled + noise * np.random.default_rng(seed).random(tiled.shape)
    return np.asarray(tiled / np.maximum(tiled.sum(axis=1, keepdims=True), TINY))


def maximise(responsibilities: Floats, z: Floats, y: Floats, yhat: Floats, squares: Floats | None = None) -> Mixture:
    """The M-step; 1e-6 is added to variances."""
    mass = responsibilities.sum(axis=0, dtype=float) + 10 * np.finfo(float).eps
    given, each = responsibilities.T, mass[:, None].astype(z.dtype)
    means = given @ z / each
    variances = np.maximum(given @ (z * z if squares is None else squares) / each - means**2, 0.0) + TINY_VARIANCE
    shares = (mass / mass.sum()).astype(z.dtype)
    return Mixture(shares, means, variances, given @ y / each, given @ yhat / each)


def shared(joint: Floats) -> tuple[Floats, Floats]:
    """(n,) log-likelihoods and (n, s) responsibilities of the joint densities' logarithms, which are written over."""
    highest = joint.max(axis=1, keepdims=True)
    joint -= highest
    likely = np.exp(joint, out=joint)
    together = likely.sum(axis=1, keepdims=True)
    likely /= together
    return (highest + np.log(together))[:, 0], likely


def one_hot(label: np.ndarray) -> Floats:
    return np.stack([label == 0, label == 1], axis=1).astype(float)


def soft(score: Floats) -> Floats:
    return np.stack([1 - score, score], axis=1)


def _gaussians(z: Floats, squares: Floats, means: Floats, variances: Floats) -> Floats:
    """(n, s) log densities of diagonal Gaussians."""
    precision = 1 / variances
    result = squares @ (-0.5 * precision).T
    result += z @ (means * precision).T
    result -= 0.5 * ((means**2 * precision + np.log(variances)).sum(axis=1) + z.shape[1] * np.log(2 * np.pi))
    return np.asarray(result)


def _log_sum(values: Floats) -> Floats:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(values, axis=1))
