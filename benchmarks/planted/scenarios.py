"""The scenarios: which rows are drawn, what their labels are, and which of them make the slices.

Each takes a source, the attributes it may use, and a generator; it gives None where its choice cannot be had, and is
then asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .source import Source

Booleans = NDArray[np.bool_]
Integers = NDArray[np.intp]
Generator = np.random.Generator

MOST_ROWS = 4000
FEWEST_ROWS = 500
FEWEST_IN_SLICE = 24
"""In all rows of a draw; a slice also needs 10 scored rows, or P@10 could not be 1."""
SLICE_SHARE = (0.04, 0.15)
RARE_SHARES = (0.01, 0.02, 0.03, 0.05, 0.07, 0.10)
CORRELATIONS = (0.2, 0.4, 0.6, 0.8)
LABEL_MEANS = ((0.5, 0.5), (0.5, 0.3), (0.3, 0.5), (0.3, 0.3), (0.2, 0.2))
FLIPS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, eq=False)
class Draw:
    """Rows of a source (sorted), their labels as given, and who is in which slice, (n, s)."""

    rows: Integers
    label: Integers
    truth: Booleans
    details: Mapping[str, Any]


Scenario = Callable[[Source, tuple[str, ...], Generator], Draw | None]


def attributes(count: int) -> Scenario:
    """Slices of one attribute in one true class each, brought to 4-15 % of that class."""

    def draw(source: Source, groups: tuple[str, ...], rng: Generator) -> Draw | None:
        target = str(rng.choice(source.targets))
        names = [name for name in groups if name != target]
        chosen = [str(name) for name in rng.choice(names, min(count, len(names)), replace=False)]
        classes = rng.integers(0, 2, len(chosen)).tolist()
        rows = _some(np.arange(len(source)), MOST_ROWS, rng)
        for name, true_class in zip(chosen, classes, strict=True):
            rows = _thinned(source, rows, (target, true_class, name), rng.uniform(*SLICE_SHARE), rng)
        label = source.flags(target)[rows].astype(np.intp)
        parts = [source.flags(name)[rows] & (label == c) for name, c in zip(chosen, classes, strict=True)]
        details = {"target": target, "groups": chosen, "classes": classes}
        return _checked(Draw(rows, label, np.stack(parts, axis=1), details))

    return draw


def rare(source: Source, groups: tuple[str, ...], rng: Generator) -> Draw | None:
    """Positives with an attribute make up a share alpha of the positives."""
    target, name = _pair(source, groups, rng)
    alpha = float(rng.choice(RARE_SHARES))
    positive, has = source.flags(target), source.flags(name)
    others, mine = np.flatnonzero(positive & ~has), np.flatnonzero(positive & has)
    positives = int(min(len(others) / (1 - alpha), len(mine) / alpha))
    slice_rows = _some(mine, round(alpha * positives), rng)
    plain = _some(others, positives - len(slice_rows), rng)
    negatives = _some(np.flatnonzero(~positive), max(MOST_ROWS - positives, positives // 2), rng)
    rows = np.sort(np.concatenate([slice_rows, plain, negatives]))
    details = {"target": target, "groups": [name], "classes": [1], "alpha": alpha}
    return _checked(Draw(rows, positive[rows].astype(np.intp), np.isin(rows, slice_rows)[:, None], details))


def correlation(source: Source, groups: tuple[str, ...], rng: Generator) -> Draw | None:
    """Target a and correlate b at a Pearson correlation rho; slices are (a=0, b=1) and (a=1, b=0)."""
    target, name = _pair(source, groups, rng)
    rho = float(rng.choice(CORRELATIONS))
    a, b = source.flags(target), source.flags(name)
    pools = {(i, j): np.flatnonzero((a == i) & (b == j)) for i in (0, 1) for j in (0, 1)}
    for mean_a, mean_b in LABEL_MEANS:
        counts = _cell_counts(pools, mean_a, mean_b, rho)
        if counts and sum(counts.values()) >= FEWEST_ROWS:
            break
    else:
        return None
    rows = np.sort(np.concatenate([_some(pools[cell], counts[cell], rng) for cell in pools]))
    label, other = a[rows].astype(np.intp), b[rows]
    truth = np.stack([(label == 0) & other, (label == 1) & ~other], axis=1)
    details = {
        "target": target,
        "groups": [name, f"not {name}"],
        "classes": [0, 1],
        "rho": rho,
        "means": [mean_a, mean_b],
    }
    return _checked(Draw(rows, label, truth, details))


def noisy(source: Source, groups: tuple[str, ...], rng: Generator) -> Draw | None:
    """The labels of a slice (an attribute in one clean class) are flipped with probability eps."""
    plain = attributes(1)(source, groups, rng)
    if plain is None:
        return None
    eps = float(rng.choice(FLIPS))
    flipped = plain.truth[:, 0] & (rng.random(len(plain.rows)) < eps)
    label = np.where(flipped, 1 - plain.label, plain.label)
    return Draw(plain.rows, label, plain.truth, {**plain.details, "eps": eps})


SCENARIOS: Mapping[str, Scenario] = {
    "attributes-1": attributes(1),
    "attributes-3": attributes(3),
    "rare": rare,
    "correlation": correlation,
    "noisy": noisy,
}


def _cell_counts(
    pools: Mapping[tuple[int, int], Integers], mean_a: float, mean_b: float, rho: float
) -> dict[tuple[int, int], int] | None:
    """Rows of each cell at the largest n the pools allow: n11 = mu_a mu_b n + rho sqrt(...) (n - 1)."""
    spread = float(np.sqrt(mean_a * (1 - mean_a) * mean_b * (1 - mean_b)))
    both = mean_a * mean_b + rho * spread
    shares = {(1, 1): both, (1, 0): mean_a - both, (0, 1): mean_b - both, (0, 0): 1 - mean_a - mean_b + both}
    if min(shares.values()) <= 0:
        return None
    n = min([MOST_ROWS, *(int(len(pools[cell]) / share) for cell, share in shares.items())])
    n11 = round(mean_a * mean_b * n + rho * spread * (n - 1))
    counts = {(1, 1): n11, (1, 0): round(mean_a * n) - n11, (0, 1): round(mean_b * n) - n11}
    return {**counts, (0, 0): n - sum(counts.values())}


def _pair(source: Source, groups: tuple[str, ...], rng: Generator) -> tuple[str, str]:
    target = str(rng.choice(source.targets))
    return target, str(rng.choice([name for name in groups if name != target]))


def _some(pool: Integers, count: int, rng: Generator) -> Integers:
    return np.sort(rng.choice(pool, min(count, len(pool)), replace=False))


def _thinned(source: Source, rows: Integers, group: tuple[str, int, str], share: float, rng: Generator) -> Integers:
    """Drops rows of a group (target, true class, attribute) until it has that share of its class."""
    target, true_class, name = group
    own = source.flags(target)[rows] == true_class
    inside = own & source.flags(name)[rows]
    wanted = int(share / (1 - share) * (own.sum() - inside.sum()))
    dropped = rng.choice(np.flatnonzero(inside), max(0, int(inside.sum()) - wanted), replace=False)
    return np.delete(rows, dropped)


def _checked(draw: Draw) -> Draw | None:
    few = len(draw.rows) < FEWEST_ROWS or draw.truth.sum(axis=0).min() < FEWEST_IN_SLICE
    return None if few or min(draw.label.mean(), 1 - draw.label.mean()) < 0.02 else draw
