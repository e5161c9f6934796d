"""SliceLine (Sagadeeva and Boehm 2021) through its PyPI package, on binned metadata, inside every true class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from .interface import MOST, Audit, Booleans, Fitted, Floats
from .labels import BONUS, ClassSlices, NoSlices

BINS = 5
Predicates = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class SliceLine:
    """`alpha` weighs a slice's error against its size; `level` is the most predicates a slice has."""

    alpha: float = 0.95
    level: int = 2
    smallest: int = 10
    bonus: float = BONUS

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - nothing is drawn
        finder = package()
        if not audit.metadata.width or not audit.error.any():
            return NoSlices()
        edges = cuts(audit.metadata)
        rows = binned(audit.metadata, edges)
        found: list[tuple[float, int, Predicates]] = []
        for true_class in (0, 1):
            own = np.flatnonzero(audit.label == true_class)
            errors = audit.error[own].astype(float)
            if len(own) < 2 * self.smallest or errors.sum() < 2 or errors.all():
                continue
            found += self.search(finder, rows[own.tolist()], errors, true_class)
        found = sorted(found, key=lambda f: (-f[0], f[1], f[2]))[:MOST]
        if not found:
            return NoSlices()
        return _Lines(np.array([c for _, c, _ in found]), self.bonus, edges, tuple(p for _, _, p in found))

    def search(
        self, finder: type, rows: pl.DataFrame, errors: Floats, true_class: int
    ) -> list[tuple[float, int, Predicates]]:
        model = finder(alpha=self.alpha, k=MOST, max_l=self.level, min_sup=self.smallest, verbose=False)
        names = {column: sorted(rows[column].unique()) for column in rows.columns}
        codes = np.stack([np.searchsorted(names[c], rows[c].to_numpy().astype(str)) for c in rows.columns], axis=1)
        model.fit(codes, errors)
        slices = []
        for values, told in zip(model.top_slices_, model.top_slices_statistics_, strict=False):
            pairs = zip(rows.columns, values, strict=True)
            chosen = tuple((name, names[name][int(v)]) for name, v in pairs if v is not None)
            slices.append((float(told["slice_score"]), true_class, chosen))
        return slices


def package() -> type:
    """The finder. Raises ImportError with what to install."""
    try:
        from sliceline.slicefinder import Slicefinder  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError as error:
        raise ImportError("the sliceline peer needs its package: pip install sliceline") from error
    found: type = Slicefinder
    return found


def cuts(metadata: pl.DataFrame) -> Mapping[str, list[float]]:
    """Inner quantiles of every numeric column."""
    shares = [(k + 1) / BINS for k in range(BINS - 1)]
    numeric = [name for name in metadata.columns if metadata[name].dtype.is_numeric()]
    return {name: sorted({float(metadata[name].quantile(s) or 0.0) for s in shares}) for name in numeric}


def binned(metadata: pl.DataFrame, edges: Mapping[str, list[float]]) -> pl.DataFrame:
    """Every column as text: the number of the bin, the category, or `missing`."""
    columns = []
    for name in metadata.columns:
        values = metadata[name]
        if name in edges:
            places = np.searchsorted(edges[name], values.cast(pl.Float64).fill_null(0.0).to_numpy(), side="left")
            text = pl.Series(name, [f"bin {place}" for place in places.tolist()], dtype=pl.String)
            columns.append(pl.select(pl.when(values.is_not_null()).then(text).otherwise(pl.lit("missing"))).to_series())
        else:
            columns.append(values.cast(pl.String).fill_null("missing"))
    return pl.DataFrame([column.alias(name) for column, name in zip(columns, metadata.columns, strict=True)])


@dataclass(frozen=True, eq=False)
class _Lines(ClassSlices):
    """A row is in or out; nothing orders those inside."""

    edges: Mapping[str, list[float]]
    lines: tuple[Predicates, ...]

    def inside(self, audit: Audit) -> Booleans:
        rows = binned(audit.metadata, self.edges)
        columns = []
        for predicates in self.lines:
            holds = [(rows[name] == value).to_numpy().astype(bool) for name, value in predicates]
            columns.append(np.all(holds, axis=0) if holds else np.zeros(len(audit), bool))
        return np.stack(columns, axis=1)

    def raw(self, audit: Audit) -> Floats:
        return self.inside(audit).astype(float)
