"""What predictions must agree on: labels, thresholds of a model and target, classes of a task, being in one."""

import polars as pl

from .faultbook import REASON, ROW, FaultBook, row_list
from .files import Source

_KEY = ["sample_id", "model", "target"]
_FEWEST = 10
"""Samples whose scores sum to 1: of fewer it may be chance."""
_COLUMNS = {"task": pl.String, "label": pl.Int8, "threshold": pl.Float64}


def check_consistency(source: Source, frame: pl.DataFrame, stored: pl.DataFrame | None, book: FaultBook) -> None:
    """Faults for the rows of `frame` that contradict each other or what stays in the store.

    When faulty rows are skipped, the rows they were to replace stay: so what is left is checked again, until
    nothing is found.
    """
    _check_once(source, _with_stored(frame, stored), book)
    count = -1
    while book.skipping and book.count != count:
        count = book.count
        _check_once(source, _with_stored(book.good(source.name, frame), stored), book)


def _with_stored(frame: pl.DataFrame, stored: pl.DataFrame | None) -> pl.DataFrame:
    """The predictions as they would be; ROW is null for those that stay in the store."""
    names = [ROW, *_KEY, *_COLUMNS]
    if stored is None:
        absent = [pl.lit(None, kind).alias(name) for name, kind in _COLUMNS.items() if name not in frame.columns]
        return frame.with_columns(absent).select(names)
    kept = [name for name in _COLUMNS if name not in frame.columns]
    filled = frame.join(stored.select(*_KEY, *kept), on=_KEY, how="left", maintain_order="left")
    stays = stored.join(frame, on=_KEY, how="anti").with_columns(pl.lit(None, pl.Int64).alias(ROW))
    return pl.concat([filled.select(names), stays.select(names)])


def _check_once(source: Source, rows: pl.DataFrame, book: FaultBook) -> None:
    book.rows(source.name, "label", _label_conflicts(rows))
    book.rows(source.name, "threshold", _threshold_conflicts(rows))
    book.rows(source.name, "label", _double_classes(rows))
    book.rows(source.name, "task", _halfway_tasks(rows))


def _label_conflicts(rows: pl.DataFrame) -> pl.DataFrame:
    """Every new row of the samples and targets that have different labels."""
    group = ["sample_id", "target"]
    given = rows.drop_nulls([*group, "label"]).filter(pl.col("label").n_unique().over(group) > 1)
    return _told(given, group, "label", "labels of sample, target {} differ")


def _told(given: pl.DataFrame, group: list[str], value: str, what: str) -> pl.DataFrame:
    """ROW and REASON of the new rows of `given`: all values of its group and where they stand."""
    found = []
    for key, part in given.group_by(group):
        places = []
        for (held,), same in sorted(part.group_by([value]), key=lambda entry: str(entry[0])):
            numbers = same[ROW].drop_nulls().to_list()
            places.append(f"{held} ({row_list(numbers) if numbers else 'in the store'})")
        reason = f"{what.format(', '.join(repr(k) for k in key))}: {', '.join(places)}"
        found += [(row, reason) for row in part[ROW].drop_nulls()]
    return pl.DataFrame(found, {ROW: pl.Int64, REASON: pl.String}, orient="row")


def _threshold_conflicts(rows: pl.DataFrame) -> pl.DataFrame:
    """The new rows that differ from the threshold in the store, or else from the commonest one; all of them
    where none is commonest."""
    group = ["model", "target"]
    given = rows.drop_nulls([*group, "threshold"]).filter(pl.col("threshold").is_finite())
    given = given.filter(pl.col("threshold").n_unique().over(group) > 1)
    counts = given.group_by(*group, "threshold").agg(pl.len().alias("n"), pl.col(ROW).is_null().any().alias("old"))
    counts = counts.with_columns((pl.col("old").cast(pl.Int64) * given.height + pl.col("n")).alias("weight"))
    best = counts.filter(pl.col("weight") == pl.col("weight").max().over(group))
    best = best.filter(pl.len().over(group) == 1).select(*group, pl.col("threshold").alias("usual"))
    judged = given.join(best, on=group, how="left")
    tied = _told(judged.filter(pl.col("usual").is_null()), group, "threshold", "thresholds of {} differ")
    reason = pl.format(
        "threshold {} differs from {}, that of the other rows of its model and target", "threshold", "usual"
    )
    odd = judged.filter(pl.col(ROW).is_not_null() & (pl.col("threshold") != pl.col("usual")))
    return pl.concat([tied, odd.select(ROW, reason.alias(REASON))])


def _double_classes(rows: pl.DataFrame) -> pl.DataFrame:
    """The new rows of a sample, model and task that have more than one label of 1."""
    group = ["sample_id", "model", "task"]
    ones = rows.drop_nulls([*group, "target"]).filter(pl.col("label") == 1)
    double = ones.filter(pl.col("target").n_unique().over(group) > 1)
    return _told(double, group, "target", "more than one class of sample, model, task {} has label 1")


def _halfway_tasks(rows: pl.DataFrame) -> pl.DataFrame:
    """The new rows that are in a task, or in none, unlike those of their model and target in the store; where none
    are there, those in none. Half a target would be judged by the highest score, and half by nothing."""
    group = ["model", "target"]
    told = rows.drop_nulls(group).with_columns(is_in=pl.col("task").is_not_null())
    mixed = told.filter(pl.col("is_in").n_unique().over(group) > 1)
    stored = mixed.filter(pl.col(ROW).is_null()).group_by(group).agg(usual=pl.col("is_in").max())
    odd = mixed.join(stored, on=group, how="left").with_columns(pl.col("usual").fill_null(True))
    odd = odd.filter(pl.col(ROW).is_not_null() & (pl.col("is_in") != pl.col("usual")))
    has, has_none = "the row has the task {}; other rows of its model and target have none", "the row has no task"
    reason = (
        pl.when("is_in")
        .then(pl.format(has, "task"))
        .otherwise(pl.lit(f"{has_none}; other rows of its model and target have one"))
    )
    return odd.select(ROW, reason.alias(REASON))


def unsaid_tasks(file: str, frame: pl.DataFrame, stored: pl.DataFrame | None) -> list[str]:
    """What to say of models whose scores look like those of one question's classes, though neither a task nor a
    threshold, given now or in the store, says how they are read: in every sample they sum to 1 (rounded), and one
    label at most is 1."""
    is_said = pl.col("task").is_not_null() | pl.col("threshold").is_not_null()
    said = _with_stored(frame, stored).filter(is_said)
    rows = frame.drop_nulls("score").join(said, on=["model", "target"], how="anti")
    samples = rows.group_by("model", "sample_id").agg(pl.len().alias("classes"), pl.col("score", "label").sum())
    sums = (pl.col("score") - 1).abs() < 0.01
    one = pl.col("classes").gt(1) & sums & pl.col("label").le(1)
    models = samples.group_by("model").agg(one.all().alias("alike"), pl.len())
    alike = models.filter("alike", pl.col("len") >= _FEWEST)["model"].drop_nulls().sort()
    return [
        f"{file}: the scores of {model!r} sum to 1 over its targets in every sample, as those of the classes of one "
        "question do: with a column task, of any one name, the highest is the prediction; without it each target is "
        "judged by itself, at a threshold of its own"
        for model in alike
    ]
