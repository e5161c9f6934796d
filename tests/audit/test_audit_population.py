"""Who is audited, and what counts as an error."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

from misread.audit.halves import half_of, with_half
from misread.audit.population import REASONS, population, scanned_samples, shares_training_patients, winners
from misread.audit.thresholds import Threshold, with_errors, youden_threshold
from misread.schemas.values import CONFIRMATION, DISCOVERY


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=2, max_size=80))
def test_youden_is_the_best_of_all_thresholds(rows: list[tuple[int, bool]]) -> None:
    """No other threshold has a higher sensitivity + specificity - 1; it is a score that occurs; None for one class."""
    scores = np.array([s / 20 for s, _ in rows])
    labels = np.array([label for _, label in rows])
    found = youden_threshold(scores, labels)
    if labels.all() or not labels.any():
        assert found is None
        return
    false_rate, true_rate, _ = roc_curve(labels, scores, drop_intermediate=False)
    predicted = scores >= found
    index = predicted[labels].mean() - predicted[~labels].mean()
    assert found in scores
    assert index == pytest.approx(max(true_rate - false_rate))
    counts = {  # the index as a whole number, so that equal ones are equal
        cut: int((scores >= cut)[labels].sum() * (~labels).sum() - (scores >= cut)[~labels].sum() * labels.sum())
        for cut in scores.tolist()
    }
    assert found == min(cut for cut in counts if counts[cut] == max(counts.values()))


def test_of_equally_good_thresholds_youdens_is_the_lowest() -> None:
    """Sensitivity 1 with specificity 1/2 is as good as the other way round: more is called positive."""
    scores, labels = np.array([0.1, 0.4, 0.6, 0.9]), np.array([False, True, False, True])
    assert youden_threshold(scores, labels) == youden_threshold(scores[::-1], labels[::-1]) == 0.4
    assert youden_threshold(np.array([0.2, 0.2]), np.array([False, True])) == 0.2
    thirds = np.arange(6) / 10  # 1/3 - 0, 2/3 - 1/3 and 1 - 2/3 are one number, not three
    assert youden_threshold(thirds, np.arange(6) % 2 == 1) == 0.1


def youdens_point(rows: pl.DataFrame) -> float | None:
    return youden_threshold(rows["score"].to_numpy(), rows["label"].to_numpy() == 1)


def test_youdens_point_is_that_of_the_discovery_rows_alone() -> None:
    """What the confirmation half holds, or whether it has labels, does not move it: it would flatter the rates."""
    images, predictions = frames(5)
    scanned = scanned_samples(images, pl.Series([True] * images.height), include_train=True)
    joined = predictions.join(images, on="sample_id").drop_nulls("label")
    wanted = youdens_point(joined.filter(pl.col("half") == DISCOVERY))
    assert wanted not in (youdens_point(joined), youdens_point(joined.filter(pl.col("half") == CONFIRMATION)))
    held_out = predictions["sample_id"].is_in(images.filter(pl.col("half") == CONFIRMATION)["sample_id"].implode())
    turned = predictions.with_columns(label=pl.when(held_out).then(1 - pl.col("label")).otherwise("label"))
    for rows in (predictions, turned, predictions.filter(~held_out)):
        assert population(scanned, rows, "m", "t", None).threshold == Threshold(wanted, "Youden")


@given(st.text(min_size=1, max_size=8), st.integers(0, 5))
def test_a_patient_has_one_half(patient: str, seed: int) -> None:
    """The half follows from seed and patient alone, whoever else is there."""
    alone, beside = (
        with_half(pl.DataFrame({"patient": patients}), seed)
        for patients in ([patient], [patient + "other", patient, patient])
    )
    assert beside["half"].to_list()[1:] == [half_of(patient, seed)] * 2 == alone["half"].to_list() * 2


@given(st.lists(st.text(max_size=3), max_size=20))
def test_rows_keep_their_order_and_get_their_patients_half(patients: list[str]) -> None:
    """Looking at every patient once gives what looking at every row gives, whatever `half` held before."""
    text = {"patient": pl.String, "half": pl.String}
    rows = pl.DataFrame({"row": range(len(patients)), "patient": patients, "half": patients}, {"row": pl.Int64} | text)
    found = with_half(rows, 3)
    assert found["row"].to_list() == list(range(len(patients)))
    assert found["half"].to_list() == [half_of(patient, 3) for patient in patients]
    names = sorted(set(patients), key=str.encode)
    assert found["patient"].to_list() == [names.index(patient) for patient in patients]


def test_halves_are_about_equal_and_differ_by_seed() -> None:
    """Over many patients each half holds about half of them, and another seed divides them anew."""
    patients = [str(i) for i in range(4000)]
    one, two = ([half_of(patient, seed) for patient in patients] for seed in (0, 1))
    assert 0.46 < one.count(DISCOVERY) / 4000 < 0.54
    assert 0.45 < sum(a == b for a, b in zip(one, two, strict=True)) / 4000 < 0.55


def frames(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(seed)
    n = 60
    samples = [f"s{i:02d}" for i in range(n)]
    images = pl.DataFrame(
        {
            "sample_id": samples,
            "patient": [f"p{i // 2}" for i in range(n)],
            "half": rng.choice([DISCOVERY, CONFIRMATION], n),
            "split": [["train", "test", "Train ", None][int(v)] for v in rng.integers(0, 4, n)],
        },
        schema_overrides={"split": pl.String},
    )
    predictions = pl.DataFrame(
        {
            "sample_id": samples[:45],
            "place": range(45),
            "task": [None] * 45,
            "label": [[0, 1, None][int(v)] for v in rng.integers(0, 3, 45)],
            "score": rng.random(45),
            "loss": [None] * 45,
            "winner": [None] * 45,
        },
        schema_overrides={
            "task": pl.String,
            "label": pl.Int8,
            "loss": pl.Float64,
            "winner": pl.Boolean,
        },
    )
    return images, predictions


@given(st.integers(0, 40), st.booleans(), st.booleans())
def test_every_row_is_audited_or_left_out_for_one_reason(seed: int, select: bool, include_train: bool) -> None:
    """Audited rows and the counts of all reasons add up to the samples of the store."""
    images, predictions = frames(seed)
    kept = images[:50] if select else images
    has_vector = pl.Series([row >= 3 for row in range(kept.height)])
    scanned = scanned_samples(kept, has_vector, include_train=include_train)
    result = population(scanned, predictions, "m", "t", 0.5, not_selected=images.height - kept.height)
    assert result.verdicts.height + sum(result.left_out.values()) == images.height
    assert set(result.left_out) <= set(REASONS)
    assert result.rows()["label"].null_count() == 0
    if not include_train:
        kept = images.join(result.rows(), on="sample_id")["split"].drop_nulls().str.strip_chars().str.to_lowercase()
        assert "train" not in kept.to_list()


@given(st.integers(0, 40), st.integers(0, 60), st.booleans())
def test_patients_in_training_and_audit_are_noticed(seed: int, seen: int, include_train: bool) -> None:
    """Whether a patient has an image that is audited and one left out as training; some have no vector."""
    images, _ = frames(seed)
    images = images.head(seen)
    has_vector = pl.Series([row % 3 > 0 for row in range(seen)], dtype=pl.Boolean)
    scanned = scanned_samples(images, has_vector, include_train=include_train)
    trained = [(split or "").strip().lower() == "train" and not include_train for split in images["split"]]
    patients = images["patient"].to_list()
    seen_before = {patient for patient, train in zip(patients, trained, strict=True) if train}
    rows = zip(patients, trained, has_vector, strict=True)
    assert shares_training_patients(scanned) == any(
        p in seen_before and there and not train for p, train, there in rows
    )


@given(st.integers(0, 40), st.sampled_from([None, 0.3]))
def test_an_error_is_a_prediction_that_is_not_the_label(seed: int, option: float | None) -> None:
    """predicted = score >= threshold; error = predicted != label; the kind is named by the label."""
    images, predictions = frames(seed)
    scanned = scanned_samples(images, pl.Series([True] * images.height), include_train=True)
    result = population(scanned, predictions, "m", "t", option)
    assert result.threshold.source == ("option" if option else "Youden")
    for row in result.rows().iter_rows(named=True):
        assert row["predicted"] == int(row["score"] >= row["threshold"])
        assert row["error"] == (row["predicted"] != row["label"])
        kind = "false negative" if row["label"] else "false positive"
        assert row["error_kind"] == (kind if row["error"] else None)


def test_a_given_column_is_the_threshold() -> None:
    """The predictions' own threshold comes before the option, and before Youden's."""
    images, predictions = frames(1)
    scanned = scanned_samples(images, pl.Series([True] * images.height), include_train=True)
    assert population(scanned, predictions, "m", "t", 0.2, given=0.9).threshold == Threshold(0.9, "column")


def test_without_a_threshold_nothing_is_an_error() -> None:
    """Where no threshold can be had, predicted and error are missing, not false."""
    _, predictions = frames(2)
    rows = with_errors(predictions, Threshold(None, "none"))
    assert rows["predicted"].null_count() == rows.height
    assert rows["error"].null_count() == rows.height


def test_a_task_predicts_its_highest_score() -> None:
    """One winner per sample, model and task: the highest score, ties to the first target by name."""
    rows = pl.DataFrame(
        {
            "sample_id": ["a"] * 3 + ["b"] * 3 + ["c"],
            "model": ["m"] * 7,
            "task": ["stage"] * 6 + [None],
            "target": ["one", "two", "three"] * 2 + ["x"],
            "score": [0.2, 0.7, 0.1, 0.4, 0.2, 0.4, 0.9],
        }
    )
    won = winners(rows).filter("winner").select("sample_id", "target").sort("sample_id").rows()
    assert won == [("a", "two"), ("b", "one")]
    assert winners(rows).filter(pl.col("task").is_null())["winner"].to_list() == [None]
