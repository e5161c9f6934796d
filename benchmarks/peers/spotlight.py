"""Spotlight (d'Eon et al. 2022), written from its published description: a lit region of high weighted loss.

Row i has the weight exp(-tau/2 |z_i - mu|^2); centre mu and precision tau climb the weighted mean loss while the total
weight may not fall under a share of the rows. The loss that a spotlight explains is taken away before the next.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .interface import MOST, Audit, Booleans, Fitted, Floats
from .labels import BONUS, ClassSlices, NoSlices
from .preparation import Preparation, prepare

FIRST_DECAY, SECOND_DECAY = 0.9, 0.999


@dataclass(frozen=True)
class Spotlight:
    """`mass`: the least share of the rows lit; `loss`: `entropy` (of the score) or `error`."""

    mass: float = 0.02
    loss: str = "entropy"
    components: int = 64
    steps: int = 400
    rate: float = 0.02
    barrier: float = 10.0
    bonus: float = BONUS

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - every climb starts from the middle
        if len(audit) < 10 or not audit.error.any():
            return NoSlices()
        preparation = prepare(audit, self.components)
        z = preparation(audit)
        loss = np.asarray(losses(audit, self.loss))
        lights, classes, cuts = [], [], []
        for _ in range(MOST):
            light = self.climb(z, loss)
            weights = light.weights(z)
            lit = [float((weights * loss)[audit.label == c].sum()) for c in (0, 1)]
            classes.append(int(np.argmax(lit)))
            lights.append(light)
            cuts.append(np.sort(light.log_weights(z))[-max(1, round(float(weights.sum())))])
            loss = loss * (1 - weights)
        return _Lights(np.array(classes), self.bonus, preparation, tuple(lights), np.array(cuts))

    def climb(self, z: Floats, loss: Floats) -> Light:
        """Adam from the middle of all rows, everything lit; the mass asked for falls from all rows to its share."""
        n = len(z)
        center, log_tau = z.mean(axis=0), np.log(0.1)
        memory, square = np.zeros(z.shape[1] + 1), np.zeros(z.shape[1] + 1)
        for step in range(1, self.steps + 1):
            least = n * max(self.mass, 1 - step / (0.7 * self.steps))
            slope = _slope(z, loss, Light(center, log_tau), least, self.barrier)
            memory = FIRST_DECAY * memory + (1 - FIRST_DECAY) * slope
            square = SECOND_DECAY * square + (1 - SECOND_DECAY) * slope**2
            ahead = memory / (1 - FIRST_DECAY**step)
            move = self.rate * ahead / (np.sqrt(square / (1 - SECOND_DECAY**step)) + 1e-8)
            center, log_tau = center + move[:-1] * 0.5, log_tau + float(move[-1]) * 3
        return Light(center, log_tau)


@dataclass(frozen=True, eq=False)
class Light:
    center: Floats
    log_tau: float

    def log_weights(self, z: Floats) -> Floats:
        return np.asarray(-0.5 * np.exp(self.log_tau) * ((z - self.center) ** 2).sum(axis=1))

    def weights(self, z: Floats) -> Floats:
        return np.asarray(np.exp(self.log_weights(z)))


def losses(audit: Audit, kind: str) -> Floats:
    """(n,) cross entropy of the score, or 0/1 errors."""
    if kind == "error":
        return audit.error.astype(float)
    right = np.where(audit.label == 1, audit.score, 1 - audit.score)
    return np.asarray(-np.log(np.clip(right, 1e-3, 1.0)))


def objective(z: Floats, loss: Floats, light: Light, least: float, barrier: float) -> float:
    """Weighted mean loss, less a penalty for too little light."""
    weights = light.weights(z)
    total = float(weights.sum())
    return float(weights @ loss / max(total, 1e-12)) - barrier * max(0.0, 1 - total / least) ** 2


def _slope(z: Floats, loss: Floats, light: Light, least: float, barrier: float) -> Floats:
    """The objective's gradient in the centre, then in log tau."""
    tau, apart = np.exp(light.log_tau), z - light.center
    square = (apart**2).sum(axis=1)
    weights = np.exp(-0.5 * tau * square)
    total = max(float(weights.sum()), 1e-12)
    by_weight = (loss - weights @ loss / total) / total
    by_weight = by_weight + 2 * barrier * max(0.0, 1 - total / least) / least
    pull = by_weight * weights
    return np.append(tau * (pull @ apart), -0.5 * tau * float(pull @ square))


@dataclass(frozen=True, eq=False)
class _Lights(ClassSlices):
    """As many fitted rows are in as their weights add up to, the brightest first."""

    preparation: Preparation
    lights: tuple[Light, ...]
    cuts: Floats

    def raw(self, audit: Audit) -> Floats:
        z = self.preparation(audit)
        return np.stack([light.log_weights(z) for light in self.lights], axis=1)

    def inside(self, audit: Audit) -> Booleans:
        return np.asarray(self.raw(audit) >= self.cuts)


__all__ = ["Light", "Spotlight", "losses", "objective"]
