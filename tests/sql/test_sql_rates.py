"""Rates and scores of groups, against scikit-learn and scipy."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.dataset as pads
import pytest
from scipy import stats
from sklearn import metrics

from misread.ask import backing_of_columns
from misread.sql import Session

DATA = Path(__file__).parents[3] / "shared" / "data"
THRESHOLD = 0.3

ASKED = """
    count(*) AS rows,
    error_rate(label, predicted) AS error_rate,
    error_rate_low(label, predicted) AS error_rate_low,
    error_rate_high(label, predicted) AS error_rate_high,
    sensitivity(label, predicted) AS sensitivity,
    specificity(label, predicted) AS specificity,
    false_negative_rate(label, predicted) AS false_negative_rate,
    false_positive_rate(label, predicted) AS false_positive_rate,
    positive_predictive_value(label, predicted) AS positive_predictive_value,
    negative_predictive_value(label, predicted) AS negative_predictive_value,
    auroc(label, score) AS auroc,
    brier_score(label, score) AS brier_score,
    expected_calibration_error(label, score) AS expected_calibration_error
"""
RATES = set(re.findall(r"AS (\w+)", ASKED)) - {"rows"}
Numbers = dict[str, float | None]


def predictions(name: str) -> pl.DataFrame:
    if not (DATA / name).exists():
        pytest.skip("needs the real chest films")
    rows = pl.read_csv(DATA / name / "predictions.csv").with_columns(
        pl.col("label").cast(pl.Int8),
        threshold=pl.lit(THRESHOLD),
        task=pl.lit(None, pl.String),
        loss=pl.lit(None, pl.Float64),
    )
    return rows.with_columns(pl.col("sample_id").cast(pl.String))


def session_over(rows: pl.DataFrame, **more: pl.DataFrame) -> Session:
    tables = {"predictions": rows} | more
    return Session(
        {name: pads.dataset(table.to_arrow()) for name, table in tables.items()}, backed=backing_of_columns()
    )


@pytest.fixture(scope="module")
def nih() -> Iterator[tuple[Session, pl.DataFrame]]:
    """The real predictions of two networks on fourteen findings, a few labels and scores taken away."""
    rows = predictions("nih-cxr").sort("model", "target", "sample_id").with_row_index("row")
    rows = rows.with_columns(
        label=pl.when(pl.col("row") % 97 == 0).then(None).otherwise("label"),
        score=pl.when(pl.col("row") % 89 == 0).then(None).otherwise(pl.col("score").round(2)),
    ).drop("row")
    with session_over(rows) as session:
        yield session, rows


def share(hits: np.ndarray) -> float | None:
    return float(hits.mean()) if len(hits) else None


def calibration_error(label: np.ndarray, score: np.ndarray) -> float:
    """By counting every bin with numpy's own edges."""
    place = np.clip(np.digitize(score, np.arange(1, 10) / 10), 0, 9)
    gaps = [abs(label[place == b].mean() - score[place == b].mean()) * (place == b).sum() for b in np.unique(place)]
    return float(sum(gaps) / len(label))


def expected(group: pl.DataFrame) -> Numbers:
    """The same numbers from scikit-learn and scipy; None where there is nothing to divide by."""
    both = group.drop_nulls(["label", "score"])
    label, score = both["label"].to_numpy().astype(int), both["score"].to_numpy()
    predicted = (score >= THRESHOLD).astype(int)
    wrong = label != predicted
    interval = stats.binomtest(int(wrong.sum()), len(wrong)).proportion_ci(method="wilson") if len(wrong) else None
    one, zero = label == 1, label == 0
    two = one.any() and zero.any()
    return {
        "rows": group.height,
        "error_rate": share(wrong),
        "error_rate_low": interval.low if interval else None,
        "error_rate_high": interval.high if interval else None,
        "sensitivity": metrics.recall_score(label, predicted) if one.any() else None,
        "specificity": metrics.recall_score(label, predicted, pos_label=0) if zero.any() else None,
        "false_negative_rate": share(predicted[one] == 0),
        "false_positive_rate": share(predicted[zero] == 1),
        "positive_predictive_value": metrics.precision_score(label, predicted) if predicted.any() else None,
        "negative_predictive_value": (
            metrics.precision_score(label, predicted, pos_label=0) if (predicted == 0).any() else None
        ),
        "auroc": metrics.roc_auc_score(label, score) if two else None,
        "brier_score": metrics.brier_score_loss(label, score) if len(label) else None,
        "expected_calibration_error": calibration_error(label, score) if len(label) else None,
    }


def agree(found: dict[str, Any], wanted: Numbers) -> None:
    for name, value in wanted.items():
        assert found[name] == (pytest.approx(value, abs=1e-12) if value is not None else None), name


def test_every_model_and_finding(nih: tuple[Session, pl.DataFrame]) -> None:
    """All 28 groups of real predictions, rows without a label or score among them."""
    session, rows = nih
    found = session.query(f"SELECT model, target, {ASKED} FROM predictions GROUP BY ALL ORDER BY ALL").to_pylist()
    assert len(found) == 28
    for answer in found:
        agree(answer, expected(rows.filter(model=answer["model"], target=answer["target"])))


@pytest.mark.parametrize(
    ("where", "lacking"),
    [
        *((where, RATES) for where in ("false", "label IS NULL", "score IS NULL")),
        ("label = 1", {"specificity", "false_positive_rate", "auroc"}),
        ("label = 0", {"sensitivity", "false_negative_rate", "auroc"}),
        ("score < 0.3", {"positive_predictive_value"}),
        ("score >= 0.3", {"negative_predictive_value"}),
    ],
)
def test_groups_that_lack_something_have_null(nih: tuple[Session, pl.DataFrame], where: str, lacking: set[str]) -> None:
    """No rows, one class, one prediction, nothing but NULL: NULL where nothing divides, there alone, never an error."""
    session, rows = nih
    (found,) = session.query(f"SELECT {ASKED} FROM predictions WHERE {where}").to_pylist()
    assert {name for name, value in found.items() if value is None} == lacking
    agree(found, expected(pl.SQLContext(rows=rows).execute(f"SELECT * FROM rows WHERE {where}", eager=True)))


def test_missing_metadata_is_a_group_of_its_own() -> None:
    """On the films whose sex is not always known, the missing ones form a group with its own right numbers."""
    rows = predictions("covid-cxr")
    images = pl.read_csv(DATA / "covid-cxr" / "metadata.csv", infer_schema_length=None)
    joined = rows.join(images.select("sample_id", "sex"), on="sample_id")
    with session_over(rows, images=images.with_columns(pl.col("patient_id").cast(pl.String))) as session:
        found = session.query(f"SELECT sex, {ASKED} FROM samples GROUP BY sex").to_pylist()
    assert {answer["sex"] for answer in found} == {"F", "M", None}
    for answer in found:
        agree(answer, expected(joined.filter(pl.col("sex").eq_missing(pl.lit(answer["sex"])))))


@pytest.mark.parametrize("seed", range(4))
def test_ties_count_half(seed: int) -> None:
    """With few different scores, most of them ties, AUROC is scikit-learn's and Mann and Whitney's."""
    rng = np.random.default_rng(seed)
    label, score = rng.integers(0, 2, 200), rng.integers(0, 4, 200) / 4
    rows = ", ".join(f"({a}, {b}::DOUBLE)" for a, b in zip(label, score, strict=True))
    with Session({}) as session:
        found = session.query(f"SELECT auroc(a, b) AS area FROM (VALUES {rows}) AS t(a, b)")["area"][0].as_py()
    assert found == pytest.approx(metrics.roc_auc_score(label, score), abs=1e-12)
    u = stats.mannwhitneyu(score[label == 1], score[label == 0]).statistic
    assert found == pytest.approx(u / ((label == 1).sum() * (label == 0).sum()), abs=1e-12)


@pytest.mark.parametrize(("events", "rows"), [(0, 0), (0, 1), (1, 1), (0, 40), (40, 40), (3, 17), (500, 1_000_000)])
def test_wilson_bounds(events: int, rows: int) -> None:
    """Wilson's interval at its ends and in between; NULL where there are no rows."""
    with Session({}) as session:
        (found,) = session.query(
            f"SELECT wilson_low({events}, {rows}) AS a, wilson_high({events}, {rows}) AS b"
        ).to_pylist()
    if not rows:
        assert found == {"a": None, "b": None}
        return
    wanted = stats.binomtest(events, rows).proportion_ci(method="wilson")
    assert (found["a"], found["b"]) == (pytest.approx(wanted.low, abs=1e-9), pytest.approx(wanted.high, abs=1e-9))


def test_fishers_test() -> None:
    """The upper tail is scipy's for every table of small counts, and for large ones."""
    tables = [(a, 9, w, 25) for w in (0, 1, 12, 25) for a in range(min(9, w) + 1)] + [(400, 9000, 2000, 50_000)]
    tables = [(a, n, w, t) for a, n, w, t in tables if w - a <= t - n]
    asked = ", ".join(f"fisher_p_value({a}, {n}, {w}, {t})" for a, n, w, t in tables)
    with Session({}) as session:
        (found,) = session.query(f"SELECT [{asked}] AS p").to_pylist()
    for (a, n, w, t), p in zip(tables, found["p"], strict=True):
        wanted = stats.fisher_exact([[a, n - a], [w - a, t - n - w + a]], alternative="greater").pvalue
        assert p == pytest.approx(wanted, rel=1e-6), (a, n, w, t)
        assert not math.isnan(p)


@pytest.mark.parametrize(
    "counts",
    [
        "NULL, 3, 4, 10",
        "2, NULL, 4, 10",
        "2, 3, NULL, 10",
        "2, 3, 4, NULL",
        "0, NULL, 4, 10",
        "5, 3, 6, 10",
        "1, 3, 12, 10",
    ],
)
def test_fishers_test_of_counts_that_are_unknown_or_cannot_be_is_null(counts: str) -> None:
    """No p-value, and least of all one of 1, is made up from them."""
    with Session({}) as session:
        assert session.query(f"SELECT fisher_p_value({counts}) AS p").to_pylist() == [{"p": None}]
