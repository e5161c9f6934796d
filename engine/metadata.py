"""Metadata as vectors: which columns may take part, and how their values become numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.principal import unit_scale
from misread.schemas.errors import AuditError, unknown_name

MOST_CATEGORIES = 50
LABEL_COLUMNS = frozenset({"finding", "findings", "finding_labels", "label", "labels", "diagnosis"})
"""Columns that are the label under another name, in public sets of chest films."""
LABEL_SHARE = 0.98
"""A column that settles this share of what guessing the commoner label gets wrong determines the label."""

SMALLEST = float(np.nextafter(0.0, 1.0))
"""Deviations are no smaller, so that they can be divided by."""


@dataclass(frozen=True)
class Feature:
    """One column as numbers: `categories` (one-hot, in this order) or, where None, (value - mean) / deviation."""

    column: str
    categories: tuple[str, ...] | None
    mean: float = 0.0
    deviation: float = 1.0


@dataclass(frozen=True)
class MetadataFeatures:
    """Fitted features; every column also gives an indicator of a missing value."""

    features: tuple[Feature, ...]

    def transform(self, rows: pl.DataFrame) -> NDArray[np.float64]:
        """(n, d) float64; a missing or never-seen value is all zeros, a missing one with its indicator at 1."""
        parts = [part for feature in self.features for part in _columns(rows[feature.column], feature)]
        return np.column_stack(parts) if parts else np.zeros((rows.height, 0))

    def check(self, kinds: Mapping[str, pl.DataType], place: str) -> None:
        """Raises UnknownNameError for a column that is gone, AuditError for one that holds another kind of values."""
        for feature in self.features:
            kind = kinds.get(feature.column)
            if kind is None:
                raise unknown_name("metadata column", feature.column, kinds, place)
            if _is_number(kind) != (feature.categories is None):
                was = "categories" if feature.categories else "numbers"
                raise AuditError(
                    f"metadata column {feature.column!r} held {was} when it was fitted; it is {kind} now",
                    "ingest the samples with other values again, with such values or empty cells; or audit anew, with "
                    "misread discover",
                )

    def to_dicts(self) -> list[dict[str, Any]]:
        """Plain values, to be kept as JSON; `from_dicts` takes them back."""
        return [asdict(feature) for feature in self.features]

    @classmethod
    def from_dicts(cls, told: Iterable[Mapping[str, Any]]) -> "MetadataFeatures":
        return cls(tuple(map(_feature, told)))


def _feature(told: Mapping[str, Any]) -> Feature:
    categories = told["categories"]
    return Feature(**{**told, "categories": None if categories is None else tuple(categories)})  # JSON has lists


def fit_features(rows: pl.DataFrame, columns: Sequence[str]) -> MetadataFeatures:
    """Fits on `rows` (the discovery rows); a column that does not vary there gives no feature."""
    features = []
    for column in columns:
        values = rows[column].drop_nulls()
        if values.n_unique() + (values.len() < rows.height) < 2:
            continue
        if _is_number(values.dtype):
            features.append(Feature(column, None, *_mean_and_deviation(_numbers(values).drop_nulls())))
        else:
            features.append(Feature(column, tuple(sorted(values.cast(pl.String).unique().to_list()))))
    return MetadataFeatures(tuple(features))


def choose_columns(
    rows: pl.DataFrame, labels: Mapping[str, pl.Series], asked: Sequence[str] | None
) -> tuple[list[str], dict[str, str]]:
    """The metadata columns that take part, and those left out with the reason.

    `rows`: all metadata columns of the audited samples; `labels`: per target its labels (nullable) in the same
    order. `asked` names the columns instead, whatever they hold. Raises UnknownNameError for one that is not there.
    """
    names = sorted(rows.columns)
    if asked is not None:
        for name in asked:
            if name not in names:
                raise unknown_name("metadata column", name, names, "images")
        return sorted(set(asked)), {}
    targets = {target.casefold() for target in labels}
    left_out: dict[str, str] = {}
    for name in names:
        column = rows[name]
        categories = column.n_unique() - bool(column.null_count())
        if name.casefold() in LABEL_COLUMNS or name.casefold() in targets:
            left_out[name] = "names the label"
        elif not _is_number(column.dtype) and categories > MOST_CATEGORIES:
            left_out[name] = f"holds {categories} categories (more than {MOST_CATEGORIES})"
        elif any(_determines(column, label) for label in labels.values()):
            left_out[name] = "determines the label"
    return [name for name in names if name not in left_out], left_out


def _determines(column: pl.Series, label: pl.Series) -> bool:
    """Whether guessing a row's label from the other rows of the same value is nearly always right."""
    rows = pl.DataFrame({"value": column, "label": label}).drop_nulls()
    if rows.height < 20 or rows["label"].n_unique() < 2 or rows["value"].n_unique() > rows.height / 2:
        return False
    counts = rows.group_by("value").agg(n=pl.len(), ones=(pl.col("label") == 1).sum())
    # a row is guessed right if its label leads among the others of its value
    ones_right = pl.when(2 * (pl.col("ones") - 1) > pl.col("n") - 1).then("ones").otherwise(0)
    zeros = pl.col("n") - pl.col("ones")
    zeros_right = pl.when(2 * (zeros - 1) > pl.col("n") - 1).then(zeros).otherwise(0)
    right = int(counts.select((ones_right + zeros_right).sum()).item())
    ones = int(counts["ones"].sum())
    minority = min(ones, rows.height - ones)
    return bool(rows.height - right <= (1 - LABEL_SHARE) * minority)


def _is_number(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind.is_temporal()


def _numbers(values: pl.Series) -> pl.Series:
    if values.dtype.is_temporal():
        return values.cast(pl.Date).to_physical().cast(pl.Float64)
    return values.cast(pl.Float64).replace([float("inf"), float("-inf"), float("nan")], None)


def _mean_and_deviation(numbers: pl.Series) -> tuple[float, float]:
    """Of any finite numbers, however large or small; deviation 1 where they are all equal, or none."""
    if numbers.n_unique() < 2:
        return float(numbers.first() or 0.0), 1.0  # type: ignore[arg-type]
    found = numbers.to_numpy()
    scale = unit_scale(found)
    scaled = found / scale
    return float(scaled.mean()) * scale, max(float(scaled.std()) * scale, SMALLEST)


def _columns(values: pl.Series, feature: Feature) -> list[NDArray[np.float64]]:
    if feature.categories is None:
        numbers = _numbers(values)
        missing = numbers.is_null().to_numpy()
        halves = numbers.fill_null(feature.mean).to_numpy() / 2 - feature.mean / 2  # whose difference is finite
        return [halves / feature.deviation * 2, missing.astype(float)]
    text = values.cast(pl.String)
    hot = [(text == category).fill_null(False).to_numpy().astype(float) for category in feature.categories]
    return [*hot, text.is_null().to_numpy().astype(float)]
