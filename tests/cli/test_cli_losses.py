"""Losses from a file to a table, at the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from misread.cli.main import app

FILMS = 600


def misread(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Metadata and predictions without any label or score: lateral films of small fields have four times the loss."""
    rng = np.random.default_rng(0)
    lateral = rng.random(FILMS) < 0.2
    ids = [f"s{i:04}" for i in range(FILMS)]
    folder = tmp_path_factory.mktemp("files")
    metadata = {
        "sample_id": ids,
        "patient_id": [f"p{i}" for i in range(FILMS)],
        "view": np.where(lateral, "lateral", "frontal"),
        "field": rng.normal(np.where(lateral, 20, 40), 3),
    }
    pl.DataFrame(metadata).write_csv(folder / "metadata.csv")
    losses = rng.exponential(np.where(lateral, 4.0, 1.0))
    predictions = {"sample_id": ids, "model": "net", "target": "nodule", "loss": losses}
    pl.DataFrame(predictions).write_csv(folder / "predictions.csv")
    return folder


@pytest.mark.slow
def test_losses_from_file_to_table(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingested, audited and shown without a label: the table has mean losses in place of error rates."""
    monkeypatch.chdir(tmp_path)

    def done(*arguments: object) -> Result:
        ended = misread(*arguments)
        assert ended.exit_code == 0, ended.stderr
        return ended

    few = ("--permutations", "19", "--stability", "0")
    tables = ("--metadata", files / "metadata.csv", "--predictions", files / "predictions.csv")
    done("ingest", "store", *tables)
    plain = misread("discover", "store", *few)
    assert plain.exit_code == 1
    assert "the predictions hold losses\n--losses, or losses=True in Python, judges rows by them" in plain.stderr
    audit = done("discover", "store", "--losses", *few).stdout.strip()
    header, first = done("slices", "store", "--audit", audit).stdout.splitlines()[:2]
    assert header.split()[4:8] == ["rows", "mean_loss", "baseline_loss", "lift"]
    assert "high loss" in first
    (row, *_) = json.loads(done("slices", "store", "--audit", audit, "--format", "json").stdout)
    assert row["error_rate"] is None
    assert f"{row['mean_loss']:.4g} ({row['mean_loss_low']:.4g} to {row['mean_loss_high']:.4g})" in first
    assert row["confirmed"] is True
    moved = done("assign", "store", "--audit", audit, "--where", "true").stderr
    assert "mean_loss_change" in moved
    assert "error_rate" not in moved


@pytest.mark.slow
def test_what_cannot_be_judged_is_one_sentence(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without losses, or with a threshold beside them: status 1 and what to do, no traceback."""
    monkeypatch.chdir(tmp_path)
    bare = files / "bare.csv"
    pl.read_csv(files / "predictions.csv").drop("loss").with_columns(label=1, score=0.5).write_csv(bare)
    misread("ingest", "bare", "--metadata", files / "metadata.csv", "--predictions", bare)
    ended = misread("discover", "bare", "--losses")
    assert ended.exit_code == 1
    assert ended.stderr.splitlines() == [
        "Error: no prediction of net for nodule has a loss",
        "ingest predictions with a column loss, or leave losses out to judge rows by label and threshold",
    ]
    assert "has no use" in misread("discover", "bare", "--losses", "--threshold", "0.5").stderr
    assert "no label is needed" in " ".join(misread("discover", "--help").stdout.split())


def test_a_row_without_score_and_loss_is_a_fault(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a column of losses a score may be missing where there is a loss, and nowhere else."""
    monkeypatch.chdir(tmp_path)
    rows = pl.read_csv(files / "predictions.csv").with_row_index()
    lacking = pl.when(pl.col("index") == 3).then(None).otherwise("loss")
    scores = pl.when(pl.col("index") == 5).then(0.5)
    rows.with_columns(loss=lacking, score=scores).drop("index").write_csv(files / "gaps.csv")
    ended = misread("ingest", "gaps", "--metadata", files / "metadata.csv", "--predictions", files / "gaps.csv")
    assert ended.exit_code == 1
    told = [line.split() for line in ended.stderr.splitlines() if "missing" in line]
    assert [line[:3] for line in told] == [["gaps.csv", "5", "score"]]
