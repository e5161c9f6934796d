"""A short rule over metadata that takes about the same rows as a slice."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .incidence import FEWEST_PATIENTS, Booleans
from .values import finite, told_apart

MOST_TERMS: Final = 3
CUTS: Final = 9
"""A column of numbers may be cut at the deciles of the discovery rows."""
LEAST_F1: Final = 0.5
GAIN: Final = 0.02
"""A further term has to raise F1 by this much."""
MOST_CATEGORIES: Final = 50


@dataclass(frozen=True, eq=False)
class MetadataRule:
    """`text`: "view = AP supine and age > 70"; `takes` (n,): the rows it takes."""

    text: str
    takes: Booleans


def metadata_rule(
    rows: pl.DataFrame, inside: Booleans, fitted_on: Booleans, patients: NDArray[np.intp]
) -> MetadataRule | None:
    """The conjunction of at most three conditions with the highest F1 for `inside` on the rows `fitted_on`, both (n,).

    One path of a shallow tree, grown from all rows a condition at a time as long as F1 rises by .02: `column = value`,
    `column > cut`, `column <= cut` or `column missing`; a missing value meets no other condition. Values that fewer
    than 5 patients have are no condition (`patients` (n,): whose each row is). Ties: the first by column and text. None
    where no rule reaches an F1 of .5.
    """
    wanted = inside & fitted_on
    if not wanted.any():
        return None
    conditions = list(_conditions(rows, fitted_on, patients))
    takes, best = fitted_on.copy(), _f1(fitted_on, wanted)
    texts: list[str] = []
    while len(texts) < MOST_TERMS:
        scored = [(_f1(takes & met, wanted), -place) for place, (_, met) in enumerate(conditions)]
        f1, place = max(scored, default=(0.0, 0))
        if f1 < best + GAIN:
            break
        best = f1
        takes = takes & conditions[-place][1]
        texts.append(conditions[-place][0])
    if best < LEAST_F1 or not texts:
        return None
    met = dict(conditions)
    return MetadataRule(" and ".join(texts), np.logical_and.reduce([met[text] for text in texts]))


def _f1(takes: Booleans, wanted: Booleans) -> float:
    return 2 * float((takes & wanted).sum()) / max(1, int(takes.sum()) + int(wanted.sum()))


def _conditions(rows: pl.DataFrame, fitted_on: Booleans, patients: NDArray[np.intp]) -> Iterator[tuple[str, Booleans]]:
    for name in sorted(rows.columns):
        column = rows[name]
        if column.dtype.is_numeric():
            numbers = finite(column).to_numpy()
            missing = np.isnan(numbers)
            seen = numbers[fitted_on & ~missing]
            cuts = np.unique(np.quantile(seen, np.linspace(0, 1, CUTS + 2)[1:-1])) if len(seen) else np.empty(0)
            for cut in told_apart(cuts):
                yield f"{name} > {cut}", ~missing & (numbers > float(cut))
                yield f"{name} <= {cut}", ~missing & (numbers <= float(cut))
        else:
            texts = column.cast(pl.String)
            missing = texts.is_null().to_numpy()
            seen_of = pl.DataFrame({"value": texts, "patient": patients}).filter(pl.Series(fitted_on)).drop_nulls()
            common = seen_of.group_by("value").agg(pl.len(), pl.col("patient").n_unique())
            values = (
                common.filter(pl.col("patient") >= FEWEST_PATIENTS)
                .sort(["len", "value"], descending=[True, False])["value"]
                .head(MOST_CATEGORIES)
                .sort()
                .to_list()
            )
            for value in values:
                yield f"{name} = {value}", (texts == value).fill_null(value=False).to_numpy()
        if missing.any():
            yield f"{name} missing", missing
