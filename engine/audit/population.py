"""The rows of one model and target that an audit judges, and every other row with the reason it is left out."""

from dataclasses import dataclass

import polars as pl

from misread.schemas.values import CLASSES, DISCOVERY, TRAIN_SPLIT

from .aligned import gathered, inverse
from .thresholds import Threshold, choose_threshold, error_kind, with_errors

NOT_SELECTED = "not selected by --where"
TRAINING = "split is train"
SEEN_IN_TRAINING = (
    "patients to audit have other images whose split is train: a model trained on those may err less on these than on "
    "patients that it never saw"
)
NO_VECTOR = "no vector in any chosen modality"
NO_PREDICTION = "no prediction"
NO_LABEL = "no label"
NO_LOSS = "no loss"
REASONS = (NOT_SELECTED, TRAINING, NO_VECTOR, NO_PREDICTION, NO_LABEL, NO_LOSS)
REASON = pl.Enum(REASONS)
"""A reason as a column: a byte a row."""


def is_training() -> pl.Expr:
    """Whether a row's split is train."""
    split = pl.col("split").cast(pl.String).str.to_lowercase().str.strip_chars()
    return (split == TRAIN_SPLIT).fill_null(False)


def scanned_samples(images: pl.DataFrame, has_vector: pl.Series, *, include_train: bool) -> pl.DataFrame:
    """The images with `left_out`: the first reason that applies to the sample whatever the model, or null.

    `has_vector`: for each image, whether it has a vector in any modality.
    """
    applies = {
        TRAINING: is_training() if not include_train else pl.lit(False),
        NO_VECTOR: pl.lit(~has_vector),
    }
    return images.with_columns(left_out=pl.coalesce(pl.when(test).then(_told(why)) for why, test in applies.items()))


def shares_training_patients(samples: pl.DataFrame) -> bool:
    """Whether a patient of samples to audit has others that are left out because their split is train.

    `samples`: patient and left_out, as `scanned_samples` gives them.
    """
    trained_on = samples.filter(pl.col("left_out") == TRAINING).select("patient")
    return not samples.filter(pl.col("left_out").is_null()).join(trained_on, on="patient", how="semi").is_empty()


@dataclass(frozen=True)
class Population:
    """What is audited for one model and target.

    `samples`: sample_id, patient and half of all that were scanned, by sample_id. `verdicts`: of those that are
    audited, `place` (among the samples), label, score, predicted, error and loss; all else is told as it is read.
    `left_out`: rows of the store by reason; with these they are all samples of the store. `left_out_patients`: of how
    many patients they are, by reason; none for rows that were not selected, which nobody reads.
    `by_loss`: rows are judged by their loss, whatever their label: they have no threshold and no error; else they have
    no loss. `has_losses`: whether the predictions of any sample that was scanned hold one.
    """

    model: str
    target: str
    threshold: Threshold
    samples: pl.DataFrame
    verdicts: pl.DataFrame
    left_out: dict[str, int]
    left_out_patients: dict[str, int]
    by_loss: bool = False
    has_losses: bool = False

    @property
    def classes(self) -> tuple[int | None, ...]:
        """The groups that are searched apart: the true classes, or, by loss, all rows as one (None)."""
        return (None,) if self.by_loss else CLASSES

    def rows(self, start: int = 0, stop: int | None = None) -> pl.DataFrame:
        """Some of the rows: sample_id, patient, half, label, score, threshold, predicted, error, error_kind, loss."""
        some, threshold = self.verdicts[start:stop], pl.lit(self.threshold.value, pl.Float64).alias("threshold")
        return self.samples[some["place"]].hstack(some.drop("place")).select(
            "sample_id", "patient", "half", "label", "score", threshold, "predicted", "error",
            error_kind().alias("error_kind"), pl.col("loss").cast(pl.Float64),
        )  # fmt: skip

    def judged_rows(self, true_class: int | None = None, half: str | None = None) -> pl.DataFrame:
        """Place, label, `value`, patient and half of the rows that have a value: an error, or by loss a loss.

        Of one true class, or of all (None); of one half or both.
        """
        rows = self.verdicts.select("place", "label", value="loss" if self.by_loss else "error").drop_nulls("value")
        rows = rows if true_class is None else rows.filter(pl.col("label") == true_class)
        if half is not None:
            rows = rows.filter(self.samples["half"].gather(rows["place"]) == half)
        return rows.hstack(self.samples.select("patient", "half")[rows["place"]])


def population(
    scanned: pl.DataFrame,
    predictions: pl.DataFrame,
    model: str,
    target: str,
    option: float | None,
    *,
    given: float | None = None,
    by_loss: bool = False,
    not_selected: int = 0,
) -> Population:
    """The population of one model and target.

    `scanned`: sample_id, patient, half, left_out, one row a sample, by sample_id; `predictions`: the rows of this model
    and target (task, label, score, loss, winner, and `place`, that of the sample in `scanned`); `given`: the threshold
    that any prediction of the model and target in the store brings, `option`: that where none does; `not_selected`:
    rows of the store that a filter took away before.
    """
    places = inverse(predictions["place"].to_numpy(), scanned.height)
    joined = gathered(predictions.drop("place"), places).hstack(scanned.select("patient", "left_out"))
    has_losses = joined.select((pl.col("left_out").is_null() & pl.col("loss").is_not_null()).any()).item()
    joined = joined.with_columns(left_out=pl.coalesce("left_out", _no_loss() if by_loss else _no_error()))
    gone = joined.drop_nulls("left_out").group_by("left_out").agg(pl.len(), pl.col("patient").n_unique())
    counts = dict(gone.select("left_out", "len").iter_rows())
    patients = dict(gone.select("left_out", "patient").iter_rows())
    counts |= {NOT_SELECTED: not_selected} if not_selected else {}
    kept = joined.drop("patient").with_row_index("place").filter(pl.col("left_out").is_null())
    samples = scanned.select("sample_id", "patient", "half")  # metadata may have any other name
    if by_loss:
        threshold = Threshold(None, "none")
    else:
        threshold = choose_threshold(kept, samples["half"].gather(kept["place"]) == DISCOVERY, given, option)
    loss = pl.col("loss").cast(pl.Float64) if by_loss else pl.lit(None).alias("loss")  # which takes no memory
    verdicts = with_errors(kept, threshold).select("place", "label", "score", "predicted", "error", loss)
    left_out = {reason: counts[reason] for reason in REASONS if reason in counts}
    return Population(model, target, threshold, samples, verdicts, left_out, patients, by_loss, has_losses)


def _told(reason: str) -> pl.Expr:
    return pl.lit(reason, REASON)


def _no_error() -> pl.Expr:
    missing = pl.when(pl.col("score").is_null()).then(_told(NO_PREDICTION))
    return missing.when(pl.col("label").is_null()).then(_told(NO_LABEL))


def _no_loss() -> pl.Expr:
    return pl.when(pl.col("loss").is_null()).then(_told(NO_LOSS))


def winners(predictions: pl.DataFrame, sample: str = "sample_id") -> pl.DataFrame:
    """Predictions with `winner`: whether a target's score is its task's highest (ties: the first target by name).

    `sample`: the column that tells samples apart. Null where there is no task or no score.
    """
    if predictions["task"].is_null().all():  # sorting is not free
        return predictions.with_columns(winner=pl.lit(None, pl.Boolean))
    question = [sample, "model", "task"]
    ordered = predictions.sort(
        [*question, "score", "target"], descending=[False, False, False, True, False], nulls_last=True
    )
    is_first = pl.int_range(pl.len()).over(question) == 0
    scored = pl.col("task").is_not_null() & pl.col("score").is_not_null()
    return ordered.with_columns(winner=pl.when(scored).then(is_first))
