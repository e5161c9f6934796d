"""Real chest films, from raw files to slices that can be asked about."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

import misread as mr

DATA = Path(__file__).parents[2].parent / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="the real films are not beside this checkout (../shared/data)"),
]


def misread(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "misread.cli", *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def check_audits(store: Path, images: int) -> None:
    """Every audit accounts for every image, and its stored numbers are counts of its rows."""
    opened = mr.open(store)
    accounted = opened.sql(
        """SELECT t.discovery_rows + t.confirmation_rows + coalesce(sum(l.rows), 0) AS rows
           FROM audit_targets t LEFT JOIN left_out l USING (audit_id, model, target)
           GROUP BY t.audit_id, t.model, t.target, t.discovery_rows, t.confirmation_rows"""
    )
    assert accounted["rows"].to_list() == [images] * accounted.height
    wrong = opened.sql(
        """SELECT count(*) FROM (
             SELECT s.slice_id, s.confirmation_rows, s.confirmation_errors, count(*) AS n, sum(a.error::INT) AS k
             FROM slices s JOIN memberships m USING (audit_id, slice_id)
             JOIN audited a USING (audit_id, model, target, sample_id)
             WHERE a.half = 'confirmation' AND a.label = s.true_class GROUP BY ALL)
           WHERE n <> confirmation_rows OR k <> confirmation_errors"""
    ).item()
    assert wrong == 0


def test_covid_films_with_notes_and_a_real_classifier(tmp_path: Path) -> None:
    """Ingest, embed, discover, slices and sql run, and info agrees with the files' counts."""
    files, store = DATA / "covid-cxr", tmp_path / "covid"
    sources = [f"--{name}={files / f'{name}.csv'}" for name in ("metadata", "reports", "predictions")]
    misread("ingest", store, *sources)
    misread("embed", store)
    audit = misread("discover", store, "--model", "hog-logistic", "--target", "COVID-19").strip()
    assert json.loads(misread("sql", store, "SELECT audit_id FROM audits", "--format=json")) == [{"audit_id": audit}]
    misread("slices", store)
    held = json.loads(misread("info", store, "--format=json"))
    rows = {table["table"]: table["rows"] for table in held["tables"]}
    for name in ("images", "reports", "predictions"):
        file = "metadata" if name == "images" else name
        assert rows[name] == len(rows_of(files / f"{file}.csv"))
    assert (rows["images"], rows["reports"], rows["predictions"]) == (306, 214, 306)
    check_audits(store, 306)
    metadata = rows_of(files / "metadata.csv")
    missing = mr.open(store).sql(
        "SELECT count(*) FILTER (age IS NULL) AS age, count(*) FILTER (sex IS NULL) AS sex, "
        "count(*) FILTER (view IS NULL) AS view FROM images"
    )
    for column in ("age", "sex", "view"):
        assert missing[column].item() == sum(not row[column] for row in metadata)
    notes = mr.open(store).sql("SELECT unnest(notes) AS note FROM audits")["note"].to_list()
    assert any("finding" in note and "left out" in note for note in notes)


def test_nih_films_with_two_real_networks(tmp_path: Path) -> None:
    """All films and predictions are taken in; films without a prediction are left out of each audit, and counted."""
    files, store = DATA / "nih-cxr", tmp_path / "nih"
    misread("ingest", store, *(f"--{name}={files / f'{name}.csv'}" for name in ("metadata", "predictions")))
    misread("embed", store)
    opened = mr.open(store)
    assert opened.table("images").count() == len(rows_of(files / "metadata.csv")) == 1605
    assert opened.table("predictions").count() == len(rows_of(files / "predictions.csv")) == 23072
    models = opened.sql("SELECT DISTINCT model FROM predictions ORDER BY 1")["model"].to_list()
    assert len(models) == 2
    for model in models:
        misread("discover", store, "--model", model, "--target", "Pneumonia", "--target", "Infiltration")
    check_audits(store, 1605)
    left_out = mr.open(store).sql("SELECT model, target, reason, rows FROM left_out ORDER BY ALL")
    assert left_out.rows() == [(m, t, "no prediction", 781) for m in models for t in ("Infiltration", "Pneumonia")]
    thresholds = mr.open(store).sql("SELECT threshold, threshold_source FROM audit_targets")
    assert set(thresholds["threshold_source"]) == {"Youden"}
    assert thresholds["threshold"].max() < 0.5  # type: ignore[operator]  # these networks do not sit at one half
