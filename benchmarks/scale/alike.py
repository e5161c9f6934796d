"""Methods that are all handed the same fused vectors, in memory: those of an archive's discovery half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.domino import Domino, one_hot, soft
from benchmarks.peers.interface import MOST
from benchmarks.peers.ours import rules_of
from benchmarks.scale.archive import PLANTS
from benchmarks.scale.jobs import SMALLEST, Known, Result, agreement, fused, known_of, timed
from misread.plan import Discover
from misread.principal import principal_directions
from misread.schemas.values import DISCOVERY
from misread.spill import put_aside
from misread.threads import one_thread

SETTLED = Domino(iterations=1000, tolerance=1e-4)
"""Of tens of thousands of rows the noise of the mixture's start averages out: its components begin all but equal within
a cell of the confusion matrix, and part so slowly at first that it stops, as published, before they have."""
Rows = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Handed:
    """What every method is handed: `vectors` (n, k) float64, and what is known of those rows but where slices are."""

    vectors: Floats
    rows: Known

    def first(self, count: int) -> Handed:
        few = (self.rows.label, self.rows.score, self.rows.patients, self.rows.plant, self.rows.half)
        return Handed(self.vectors[:count], Known(*(values[:count] for values in few)))


def vectors_beside(location: Path) -> Path:
    """Where the fused vectors of an archive's discovery half lie."""
    return location.with_name(f"{location.name}-fused.npy")


def fusing(location: Path) -> Result:
    """The fusion is fitted once, and its vectors are kept beside the archive."""
    return timed(lambda: np.save(vectors_beside(location), fused(location)))


def handed(location: Path) -> Handed:
    return Handed(np.load(vectors_beside(location)), known_of(location).of(DISCOVERY))


def searched(given: Handed) -> list[Rows]:
    """The search in both true classes, as an audit makes it: what is too large to be held is put aside on disk."""
    with one_thread():
        rules = rules_of(put_aside(*given.vectors.shape, [given.vectors]), given.rows, Discover.min_size)
    return [np.flatnonzero(rule.takes(given.vectors) & (given.rows.label == number)) for number, rule in rules]


def mixture(given: Handed, method: Domino = Domino()) -> list[Rows]:  # noqa: B008 - it is frozen
    """The Domino mixture on 64 principal components of the vectors, which are worked out, too; with all threads."""
    centered = given.vectors - given.vectors.mean(axis=0)
    _, directions = principal_directions(centered, method.components)
    z = (centered @ directions).astype(np.float32)
    model = method.fitted(z, given.rows.label, given.rows.score, 0)
    y, yhat = one_hot(given.rows.label).astype(z.dtype), soft(given.rows.score).astype(z.dtype)
    joint = model.joint(z, y, yhat, method.weight)
    winners = np.argmax(joint, axis=1)
    return [np.flatnonzero(winners == component) for component in model.ranked()[:MOST]]


def plain_hdbscan(given: Handed) -> list[Rows]:
    import hdbscan

    return _clusters(hdbscan.HDBSCAN(min_cluster_size=SMALLEST, core_dist_n_jobs=1).fit_predict(given.vectors))


def fast(given: Handed) -> list[Rows]:
    import fast_hdbscan

    return _clusters(fast_hdbscan.HDBSCAN(min_cluster_size=SMALLEST).fit_predict(given.vectors))


def sliceguard(given: Handed) -> list[Rows]:
    """As sliceguard does: UMAP, then HDBSCAN on what it gives."""
    import hdbscan
    import umap

    points = umap.UMAP(n_components=8, metric="cosine", n_jobs=2).fit_transform(given.vectors)
    return _clusters(hdbscan.HDBSCAN(min_cluster_size=SMALLEST, core_dist_n_jobs=1).fit_predict(points))


ALIKE: dict[str, Callable[[Handed], list[Rows]]] = {
    "search": searched,
    "Domino mixture": mixture,
    "settled Domino mixture": partial(mixture, method=SETTLED),
    "hdbscan": plain_hdbscan,
    "fast_hdbscan": fast,
    "UMAP + HDBSCAN": sliceguard,
}
COMPILED = {"fast_hdbscan": 2000, "UMAP + HDBSCAN": 1000}
"""These compile themselves when they are first called: before the clock starts they are given so many rows."""


def measured_alike(job: str, given: Handed) -> Result:
    """What a method costs once it has its vectors, and for every planted slice the F1 of the group most like it."""
    if job in COMPILED:
        ALIKE[job](given.first(COMPILED[job]))
    groups: list[Rows] = []
    spent = timed(lambda: groups.extend(ALIKE[job](given)))
    return spent | {"vectors": len(given.vectors), "groups": len(groups), "f1": covered(groups, given.rows.plant)}


def covered(groups: Sequence[Rows], plant: NDArray[np.intp]) -> dict[str, float]:
    """For every planted slice the highest F1 of any group with it, over the very rows that were handed over."""
    told = {}
    for number, one in enumerate(PLANTS):
        inside = plant == number
        told[one.name] = max((agreement(inside[group], int(inside.sum()))["f1"] for group in groups), default=0.0)
    return told


def _clusters(labels: NDArray[np.intp]) -> list[Rows]:
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(labels.max() + 1)))[1:]
