"""How well slices found match slices planted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]

SUCCESS = 0.8
RESAMPLES = 4000


def measure(scores: Floats, members: Booleans, truth: Booleans, chance: Floats) -> list[dict[str, Any]]:
    """Per planted slice the best of the slices found, each measure by itself.

    `scores`, `members` (n, s) of the slices found; `truth` (n, t); `chance` (t,) the share of each planted slice
    among the rows that a method could tell nothing more about. Ties in score are ranked by row.
    """
    orders = [np.argsort(-column, kind="stable") for column in scores.T]
    return [
        {**_ranking(orders, inside), **_overlap(members, inside), "chance": round(float(base), 4)}
        for inside, base in zip(truth.T, chance, strict=True)
    ]


def _ranking(orders: list[NDArray[np.intp]], inside: Booleans) -> dict[str, Any]:
    hits = [inside[order] for order in orders]
    p10 = max((float(h[:10].mean()) for h in hits), default=0.0)
    return {
        "p10": round(p10, 4),
        "p25": round(max((float(h[:25].mean()) for h in hits), default=0.0), 4),
        "ap": round(max((average_precision(h) for h in hits), default=0.0), 4),
        "success": p10 > SUCCESS,
    }


def average_precision(hits: Booleans) -> float:
    """Mean precision at the ranks of the rows that are in; 0 if none is."""
    ranks = np.flatnonzero(hits)
    return float(((np.arange(len(ranks)) + 1) / (ranks + 1)).mean()) if len(ranks) else 0.0


def _overlap(members: Booleans, inside: Booleans) -> dict[str, float]:
    """Precision, recall and F1 of the set of members with the highest F1."""
    best = {"precision": 0.0, "recall": 0.0, "f1": 0.0}
    for taken in members.T:
        both = int((taken & inside).sum())
        if both:
            f1 = 2 * both / int(taken.sum() + inside.sum())
            if f1 > best["f1"]:
                best = {"precision": both / int(taken.sum()), "recall": both / int(inside.sum()), "f1": f1}
    return {name: round(value, 4) for name, value in best.items()}


def interval(values: NDArray[Any], draws: NDArray[Any], seed: int) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval; whole draws are resampled, as modality sets share one."""
    _, codes = np.unique(draws, return_inverse=True)
    sums, counts = np.bincount(codes, weights=values), np.bincount(codes)
    picked = np.random.default_rng(seed).integers(0, len(counts), (RESAMPLES, len(counts)))
    means = sums[picked].sum(axis=1) / counts[picked].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
