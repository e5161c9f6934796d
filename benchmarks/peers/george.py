"""GEORGE-style mixtures (Sohoni et al. 2020), from the published description: clusters inside every true class.

Each class is reduced to two principal components and divided by a Gaussian mixture whose size has the best silhouette;
clusters are ranked by their summed loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from misread.principal import principal_directions

from .interface import MOST, Audit, Booleans, Fitted, Floats
from .labels import BONUS, ClassSlices, NoSlices
from .preparation import Preparation, prepare
from .spotlight import losses

SIZES = (2, 3, 5, 8, 12, 18, 25)
FEWEST = 20


@dataclass(frozen=True)
class George:
    """`rank`: `sum` of the loss in a cluster, or its `mean`."""

    rank: str = "sum"
    components: int = 64
    reduced: int = 2
    largest: int = 25
    bonus: float = BONUS

    def fit(self, audit: Audit, seed: int) -> Fitted:
        if not audit.error.any():
            return NoSlices()
        preparation = prepare(audit, self.components)
        z, loss = preparation(audit), losses(audit, "entropy")
        found: list[tuple[float, int, int]] = []
        models = {c: self.divide(z[audit.label == c], seed) for c in (0, 1)}
        for true_class, model in models.items():
            if model is not None:
                shares = model.posterior(z[audit.label == true_class])
                summed = loss[audit.label == true_class] @ shares
                values = summed if self.rank == "sum" else summed / np.maximum(shares.sum(axis=0), 1.0)
                found += [(float(v), true_class, k) for k, v in enumerate(values)]
        found = sorted(found, key=lambda f: (-f[0], f[1], f[2]))[:MOST]
        if not found:
            return NoSlices()
        parts = tuple((model, k) for _, c, k in found if (model := models[c]) is not None)
        return _Clusters(np.array([c for _, c, _ in found]), self.bonus, preparation, parts)

    def divide(self, z: Floats, seed: int) -> ClassMixture | None:
        """The mixture of one class with the best silhouette; None for few rows, or rows all alike."""
        from sklearn.metrics import silhouette_score
        from sklearn.mixture import GaussianMixture

        if len(z) < FEWEST:
            return None
        mean = z.mean(axis=0)
        _, directions = principal_directions(z - mean, self.reduced)
        points = (z - mean) @ directions
        if not points.shape[1] or len(np.unique(np.round(points, 9), axis=0)) < FEWEST:
            return None
        best: tuple[float, ClassMixture | None] = (-np.inf, None)
        for size in SIZES:
            if size > min(self.largest, len(z) // FEWEST + 1):
                break
            model = GaussianMixture(size, random_state=seed, reg_covar=1e-6, max_iter=300, tol=1e-2).fit(points)
            clusters = model.predict(points)
            value = silhouette_score(points, clusters) if len(np.unique(clusters)) > 1 else -1.0
            if value > best[0]:
                best = (float(value), ClassMixture(mean, directions, model))
        return best[1]


@dataclass(frozen=True, eq=False)
class ClassMixture:
    mean: Floats
    directions: Floats
    model: Any

    def joint(self, z: Floats) -> Floats:
        """(n, k) log densities of rows in each cluster, weighted by its share."""
        from scipy.stats import multivariate_normal

        points = (z - self.mean) @ self.directions
        columns = [
            np.log(share) + multivariate_normal.logpdf(points, center, cov)
            for share, center, cov in zip(self.model.weights_, self.model.means_, self.model.covariances_, strict=True)
        ]
        return np.stack([np.atleast_1d(c) for c in columns], axis=1)

    def posterior(self, z: Floats) -> Floats:
        from scipy.special import softmax

        return np.asarray(softmax(self.joint(z), axis=1))


@dataclass(frozen=True, eq=False)
class _Clusters(ClassSlices):
    """Scored by the density in the cluster; in is who is likeliest there."""

    preparation: Preparation
    parts: tuple[tuple[ClassMixture, int], ...]

    def raw(self, audit: Audit) -> Floats:
        z = self.preparation(audit)
        return np.stack([mixture.joint(z)[:, k] for mixture, k in self.parts], axis=1)

    def inside(self, audit: Audit) -> Booleans:
        z = self.preparation(audit)
        return np.stack([mixture.joint(z).argmax(axis=1) == k for mixture, k in self.parts], axis=1)
