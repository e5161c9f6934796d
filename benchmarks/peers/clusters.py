"""Clusters of the vectors, judged by errors afterwards: k-means and plain HDBSCAN."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from misread.discover.scan import scan_statistic

from .interface import MOST, Audit, Booleans, Fitted, Floats, Integers
from .labels import BONUS, ClassSlices, NoSlices
from .preparation import Preparation, prepare


@dataclass(frozen=True)
class KMeans:
    """k-means, every cluster divided by true class, ranked by the scan statistic of its errors."""

    clusters: int = 100
    components: int = 64
    bonus: float = BONUS
    margin: bool = True
    starts: int = 3

    def fit(self, audit: Audit, seed: int) -> Fitted:
        from sklearn.cluster import KMeans as Clusterer

        if len(audit) < 10 or not audit.error.any():
            return NoSlices()
        preparation = prepare(audit, self.components)
        z = preparation(audit)
        if not z.shape[1]:
            return NoSlices()
        distinct = len(np.unique(np.round(z, 9), axis=0))
        fitted = Clusterer(min(self.clusters, distinct, len(z) // 5), n_init=self.starts, random_state=seed).fit(z)
        return _from_clusters(audit, preparation, np.asarray(fitted.labels_), z, self.bonus, self.margin)


@dataclass(frozen=True)
class PlainTree:
    """HDBSCAN straight over the vectors: its stable clusters (`leaf` or `eom`), by the scan statistic."""

    smallest: int = 5
    selection: str = "leaf"
    components: int = 64
    bonus: float = BONUS
    margin: bool = True

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - nothing is drawn
        if len(audit) < 2 * self.smallest or not audit.error.any():
            return NoSlices()
        import hdbscan

        preparation = prepare(audit, self.components)
        z = preparation(audit)
        if not z.shape[1]:
            return NoSlices()
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("ignore")  # equal rows divide by zero inside
            fitted = hdbscan.HDBSCAN(
                min_cluster_size=self.smallest, cluster_selection_method=self.selection, core_dist_n_jobs=1
            ).fit(z)
        return _from_clusters(audit, preparation, np.asarray(fitted.labels_), z, self.bonus, self.margin)


def _from_clusters(
    audit: Audit, preparation: Preparation, found: Integers, z: Floats, bonus: float, margin: bool
) -> Fitted:
    """The clusters (numbered from 0; -1 is none) divided by class, best first; NoSlices where no errors gather."""
    count = int(found.max()) + 1 if len(found) else 0
    if not count:
        return NoSlices()
    centers = np.stack([z[found == k].mean(axis=0) for k in range(count)])
    candidates = [(_statistic(audit, found, k, c), k, c) for k in range(count) for c in (1, 0)]
    best = sorted((c for c in candidates if c[0] > 0), key=lambda c: (-c[0], c[1], c[2]))[:MOST]
    if not best:
        return NoSlices()
    chosen, classes = (np.array([c[i] for c in best]) for i in (1, 2))
    return _Nearest(classes, bonus, preparation, centers, chosen, margin)


def _statistic(audit: Audit, found: Integers, cluster: int, true_class: int) -> float:
    own = audit.label == true_class
    inside = own & (found == cluster)
    return float(scan_statistic(audit.error[inside].sum(), inside.sum(), audit.error[own].sum(), own.sum()))


@dataclass(frozen=True, eq=False)
class _Nearest(ClassSlices):
    """Rows belong to the nearest centre; scored by closeness, or by how much closer than the next centre."""

    preparation: Preparation
    centers: Floats
    chosen: Integers
    margin: bool

    def _distances(self, audit: Audit) -> Floats:
        z = self.preparation(audit)
        square = (z**2).sum(axis=1)[:, None] - 2 * z @ self.centers.T + (self.centers**2).sum(axis=1)
        return np.asarray(np.sqrt(np.maximum(square, 0.0)))

    def raw(self, audit: Audit) -> Floats:
        distances = self._distances(audit)
        if not self.margin or len(self.centers) < 2:
            return np.asarray(-distances[:, self.chosen])
        columns = [np.delete(distances, k, axis=1).min(axis=1) - distances[:, k] for k in self.chosen]
        return np.stack(columns, axis=1)

    def inside(self, audit: Audit) -> Booleans:
        return np.asarray(self._distances(audit).argmin(axis=1)[:, None] == self.chosen)
