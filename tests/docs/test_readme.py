"""The README is true: its commands run, and its outputs are what they print."""

import contextlib
import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from docs.conftest import DATA, README, ROOT, Printed, blocks, conversations
from typer.main import get_command
from typer.testing import CliRunner

import misread as mr
from browser import Page
from misread.cli.main import app

AUDIT_ID = re.compile(r"\b[0-9a-f]{12}\b")
REPORTS = ("demo.html", "covid.html", "nih.html")
WIDTHS = (1280, 390)


def comparable(text: str) -> str:
    """Ids of audits name the versions of what made them; columns are as wide as what they hold."""
    return re.sub(r" +", " ", AUDIT_ID.sub("AUDIT", text)).strip()


@pytest.mark.slow
def test_outputs_shown_are_real(printed: dict[str, Printed]) -> None:
    """Every command shown succeeds and prints what is shown (but for audit ids and the width of columns)."""
    for command, output in conversations():
        if command in printed:
            assert comparable(printed[command].output) == comparable(output), command


def test_ten_questions_of_auditors_are_shown() -> None:
    """The section has ten questions, each with a query of its own over the NIH films."""
    section = README.read_text().partition("## Questions auditors ask")[2].partition("\n## ")[0]
    numbered = re.findall(
        r"^(\d+)\. .+\?\n\n```console\n\$ misread sql audits/nih .+\n(?:.+\n)+```", section, re.MULTILINE
    )
    assert numbered == [str(number) for number in range(1, 11)]


@pytest.mark.slow
def test_the_demo_names_the_planted_shortcut(printed: dict[str, Printed]) -> None:
    """Among its slices is the pneumothorax without a drain, missed: most of it, confirmed, and its words say so."""
    lines = printed["misread demo"].output.splitlines()
    missed = next(line for line in lines if "false negative" in line)
    words = next(
        told.output for command, told in printed.items() if "'false negative' ORDER BY rank LIMIT 3" in command
    )
    assert "no chest drain" in words
    assert re.search(r"\byes\b", missed)
    matched = next(line for line in lines if "pneumothorax without a drain" in line)
    precision, recall = (int(share) for share in re.findall(r"(\d+) %", matched))
    assert precision >= 60
    assert recall >= 60


@pytest.mark.slow
def test_the_library_example_runs(printed: dict[str, Printed], folder: Path, tmp_path: Path) -> None:
    """The Python shown runs on the demo's store, prints the plan shown, and keeps its audit under the name shown."""
    (code,) = blocks("python")
    (shown,) = blocks("text")
    shutil.copytree(folder / "misread-demo", tmp_path / "misread-demo")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == shown.strip()
    assert mr.open(tmp_path / "misread-demo").audit_id("pa-films")


def test_ci_runs_the_test_line_of_the_readme() -> None:
    """The README has one line that tests and one that demonstrates, and `.ci/run` runs the first as it stands."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install ") for line in lines)
    assert lines[0].endswith("misread demo")
    assert lines[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_verb_is_shown_or_named() -> None:
    """No command of the command line is missing from the README."""
    text = README.read_text()
    assert all(f"misread {verb}" in text for verb in get_command(app).commands)  # type: ignore[attr-defined]


def test_files_are_written_as_the_guide_writes_them(tmp_path: Path) -> None:
    """A wide table and a matrix become predictions and vectors that a store takes, each number where it belongs."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "engine" / "ingest" / "README.md").read_text(), re.DOTALL)
    rng = np.random.default_rng(0)
    names, label = [f"s{number}" for number in range(50)], rng.integers(0, 2, 50)
    scores = {model: rng.random(50) for model in ("model_a", "model_b")}
    matrix = rng.standard_normal((50, 3)).astype(np.float32)
    pl.DataFrame({"sample_id": names, "label": label, **scores}).write_csv(tmp_path / "scores.csv")
    pl.DataFrame({"sample_id": names}).write_csv(tmp_path / "ids.csv")
    np.save(tmp_path / "vectors.npy", matrix)
    with contextlib.chdir(tmp_path):
        exec(compile(code, "guide", "exec"), {})
        files = {"metadata": "ids.csv", "predictions": "predictions.parquet", "embeddings": "embeddings.parquet"}
        options = [part for name, file in files.items() for part in (f"--{name}", file)]
        CliRunner().invoke(app, ["ingest", "store", *options], catch_exceptions=False)
    told = mr.open(tmp_path / "store").sql("SELECT * FROM predictions WHERE model = 'model_b' ORDER BY sample_id")
    order = np.argsort(names)
    assert told["score"].to_numpy() == pytest.approx(scores["model_b"][order])
    assert told["label"].to_list() == label[order].tolist()
    near = mr.open(tmp_path / "store").sql("SELECT sample_id FROM nearest_samples('s7', k := 1)")
    units = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    assert near["sample_id"].to_list() == [names[np.argsort(-units @ units[7])[1]]]


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", REPORTS)
def test_a_report_opens_alone(name: str, width: int, page: Page, printed: dict[str, Printed], folder: Path) -> None:
    """No message on the console, no request to anywhere; cards, pictures and map are there, and nothing sticks out."""
    if not (folder / name).exists():
        pytest.skip("the films that this report is of are not here")
    logged, asked = page.open(folder / name, width)
    assert (logged, asked) == ([], [])
    assert page.script("document.querySelectorAll('article').length") > 0
    assert page.script("document.querySelectorAll('.map .point').length") > 100
    assert page.script("[...document.images].every(one => one.complete && one.naturalWidth > 0)")
    assert page.script("document.documentElement.scrollWidth") <= width


@pytest.mark.slow
def test_a_report_of_1605_films_is_small_and_quick(printed: dict[str, Printed], folder: Path) -> None:
    """The page of the NIH films is under 15 MB and made within 30 s of processor time."""
    if not (folder / "nih.html").exists():
        pytest.skip("the NIH films are not here")
    assert (folder / "nih.html").stat().st_size < 15e6
    (made,) = (told for command, told in printed.items() if command.startswith("misread report audits/nih "))
    assert made.seconds < 30


needs_films = pytest.mark.skipif(not DATA.exists(), reason="the real films are not beside this checkout")


def films_of(file: str) -> list[dict[str, str]]:
    with (DATA / file).open(newline="") as opened:
        return list(csv.DictReader(opened))


def check_audits(store: mr.Store, images: int) -> None:
    """Every audit accounts for every image, and its stored numbers are counts of its rows."""
    accounted = store.sql(
        """SELECT t.discovery_rows + t.confirmation_rows + coalesce(sum(l.rows), 0) AS rows
           FROM audit_targets t LEFT JOIN left_out l USING (audit_id, model, target)
           GROUP BY t.audit_id, t.model, t.target, t.discovery_rows, t.confirmation_rows"""
    )
    assert accounted["rows"].to_list() == [images] * accounted.height
    assert accounted.height > 0
    wrong = store.sql(
        """SELECT count(*) FROM (
             SELECT s.slice_id, s.confirmation_rows, s.confirmation_errors, count(*) AS n, sum(a.error::INT) AS k
             FROM slices s JOIN memberships m USING (audit_id, slice_id)
             JOIN audited a USING (audit_id, model, target, sample_id)
             WHERE a.half = 'confirmation' AND a.label = s.true_class GROUP BY ALL)
           WHERE n <> confirmation_rows OR k <> confirmation_errors"""
    ).item()
    assert wrong == 0


@pytest.mark.slow
@needs_films
def test_covid_films_with_notes_and_a_real_classifier(printed: dict[str, Printed], folder: Path) -> None:
    """From raw files to slices: what the store holds, and what is missing, are the files' counts."""
    place = folder / "audits" / "covid"
    store = mr.open(place)
    (audit,) = (told.output.strip() for command, told in printed.items() if "discover audits/covid" in command)
    assert store.sql("SELECT audit_id FROM audits")["audit_id"].to_list() == [audit]
    held = json.loads(CliRunner().invoke(app, ["info", str(place), "--format=json"], catch_exceptions=False).stdout)
    rows = {table["table"]: table["rows"] for table in held["tables"]}
    for name, file in (("images", "metadata"), ("reports", "reports"), ("predictions", "predictions")):
        assert rows[name] == len(films_of(f"covid-cxr/{file}.csv"))
    assert (rows["images"], rows["reports"], rows["predictions"]) == (306, 214, 306)
    check_audits(store, 306)
    metadata = films_of("covid-cxr/metadata.csv")
    columns = ("age", "sex", "view")
    missing = store.sql(
        f"SELECT {', '.join(f'count(*) FILTER ({name} IS NULL) AS {name}' for name in columns)} FROM images"
    )
    for column in columns:
        assert missing[column].item() == sum(not row[column] for row in metadata)
    notes = store.sql("SELECT unnest(notes) AS note FROM audits")["note"].to_list()
    assert any("finding" in note and "left out" in note for note in notes)


@pytest.mark.slow
@needs_films
def test_nih_films_with_two_real_networks(printed: dict[str, Printed], folder: Path) -> None:
    """All films and predictions are taken in; films without a prediction are left out of each audit, and counted."""
    store = mr.open(folder / "audits" / "nih", state=3)  # ingested, embedded, audited; losses come later
    assert store.table("images").count() == len(films_of("nih-cxr/metadata.csv")) == 1605
    assert store.table("predictions").count() == len(films_of("nih-cxr/predictions.csv")) == 23072
    models = store.sql("SELECT DISTINCT model FROM predictions ORDER BY 1")["model"].to_list()
    assert len(models) == 2
    check_audits(store, 1605)
    left_out = store.sql("SELECT model, target, reason, rows FROM left_out ORDER BY ALL")
    assert left_out.rows() == [(model, "Effusion", "no prediction", 781) for model in models]
    thresholds = store.sql("SELECT threshold, threshold_source FROM audit_targets")
    assert set(thresholds["threshold_source"]) == {"Youden"}
    assert thresholds["threshold"].max() < 0.5  # type: ignore[operator]  # these networks do not sit at one half
