"""Where a score becomes a prediction."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.schemas.values import FALSE_NEGATIVE, FALSE_POSITIVE

_KIND = pl.Enum([FALSE_NEGATIVE, FALSE_POSITIVE])


@dataclass(frozen=True)
class Threshold:
    """`value` (predicted = score >= value) and where it comes from; None where there is none to be had.

    `source`: `column` (the predictions' own), `option` (given for the audit), `Youden` (chosen on the discovery
    rows), `argmax` (the classes of a task: no threshold) or `none` (there is none, or losses stand in for errors).
    """

    value: float | None
    source: str


def youden_threshold(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float | None:
    """The score at which sensitivity + specificity - 1 is highest (Youden 1950); ties: the lowest such score.

    `scores`, `labels` (n,). None unless both classes are there.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        return None
    order = np.argsort(scores, kind="stable")
    ordered, truth = scores[order], labels[order]
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    below_positive = np.concatenate([[0], np.cumsum(truth)[:-1]])[first]
    below_negative = np.concatenate([[0], np.cumsum(~truth)[:-1]])[first]
    # compared as integers, so that rounding never decides between ties
    index = below_negative * positives - below_positive * negatives
    return float(ordered[first][int(np.argmax(index))])


def choose_threshold(rows: pl.DataFrame, discovery: pl.Series, given: float | None, option: float | None) -> Threshold:
    """The threshold of one model and target: that which its predictions bring (`given`), else `option`, else Youden's
    point on the discovery rows of `rows` (task, label, score)."""
    if rows["task"].is_not_null().any():
        return Threshold(None, "argmax")
    if given is not None:
        return Threshold(given, "column")
    if option is not None:
        return Threshold(option, "option")
    labelled = rows.filter(discovery & pl.Series(rows["label"].is_not_null()))
    value = youden_threshold(labelled["score"].to_numpy(), labelled["label"].to_numpy() == 1)
    return Threshold(value, "Youden" if value is not None else "none")


def with_errors(rows: pl.DataFrame, threshold: Threshold) -> pl.DataFrame:
    """The rows (label, score, winner) with `predicted` (0/1) and `error`, null where a label or threshold is missing.

    `winner` (bool), given for the classes of a task, is the prediction there.
    """
    return rows.with_columns(predicted=_prediction(threshold)).with_columns(
        error=pl.col("predicted") != pl.col("label")
    )


def _prediction(threshold: Threshold) -> pl.Expr:
    if threshold.source == "argmax":
        return pl.col("winner").cast(pl.Int8)
    if threshold.value is None:
        return pl.lit(None, pl.Int8)
    return (pl.col("score") >= threshold.value).cast(pl.Int8)


def error_kind() -> pl.Expr:
    """The kind of a row's error; null where it has none."""
    kind = pl.when(pl.col("label") == 1).then(pl.lit(FALSE_NEGATIVE, _KIND)).otherwise(pl.lit(FALSE_POSITIVE, _KIND))
    return pl.when(pl.col("error")).then(kind)
