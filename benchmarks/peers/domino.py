"""The Domino error-aware mixture (Eyuboglu et al. 2022), written from its published description.

log p(i) = log sum_s pi_s N(z_i; mu_s, diag) (p_s . y_i)^g (q_s . yhat_i)^g. The powers enter the E-step only; the
M-step takes responsibility-weighted averages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .interface import MOST, Audit, Booleans, Fitted, Floats
from .labels import NoSlices
from .preparation import Preparation, prepare

TINY = 1e-12


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
        z, y, yhat = preparation(audit), one_hot(audit.label), soft(audit.score)
        responsibilities = start(y, yhat, self.mixture, self.noise, seed)
        before = -np.inf
        for _ in range(self.iterations):
            model = maximise(responsibilities, z, y, yhat)
            joint = model.joint(z, y, yhat, self.weight)
            total = _log_sum(joint)
            responsibilities = np.exp(joint - total[:, None])
            now = float(total.mean())
            if abs(now - before) < self.tolerance:
                break
            before = now
        model = maximise(responsibilities, z, y, yhat)
        return DominoSlices(preparation, model, model.ranked()[:MOST], self.weight)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Fitted parameters: shares (s,), means and variances (s, d), P(y | s) and P(yhat | s) (s, 2)."""

    shares: Floats
    means: Floats
    variances: Floats
    labels: Floats
    predictions: Floats

    def joint(self, z: Floats, y: Floats | None, yhat: Floats | None, weight: float) -> Floats:
        """(n, s) log of a row's and a component's joint density; labels or predictions not given are left out."""
        result = np.log(self.shares + TINY) + _gaussians(z, self.means, self.variances)
        for given, table in ((y, self.labels), (yhat, self.predictions)):
            if given is not None:
                result += weight * np.log(given @ table.T + TINY)
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
        joint = self.model.joint(self.preparation(audit), y, soft(audit.score), self.weight)
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


def maximise(responsibilities: Floats, z: Floats, y: Floats, yhat: Floats) -> Mixture:
    """The M-step; 1e-6 is added to variances."""
    mass = responsibilities.sum(axis=0) + 10 * np.finfo(float).eps
    weights = responsibilities.T / mass[:, None]
    means = weights @ z
    variances = np.maximum(weights @ (z * z) - means**2, 0.0) + 1e-6
    return Mixture(mass / mass.sum(), means, variances, weights @ y, weights @ yhat)


def one_hot(label: np.ndarray) -> Floats:
    return np.stack([label == 0, label == 1], axis=1).astype(float)


def soft(score: Floats) -> Floats:
    return np.stack([1 - score, score], axis=1)


def _gaussians(z: Floats, means: Floats, variances: Floats) -> Floats:
    """(n, s) log densities of diagonal Gaussians."""
    precision = 1 / variances
    square = (z * z) @ precision.T - 2 * z @ (means * precision).T + (means**2 * precision).sum(axis=1)
    return np.asarray(-0.5 * (square + np.log(variances).sum(axis=1) + z.shape[1] * np.log(2 * np.pi)))


def _log_sum(values: Floats) -> Floats:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(values, axis=1))
