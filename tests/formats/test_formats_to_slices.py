"""Every format goes the whole way, from the archive to slices."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from formats.films import films
from formats.miniatures import MINIATURES
from typer.testing import CliRunner

import misread as mr
from misread.cli.main import app
from misread.formats import FORMATS


def test_every_format_has_a_miniature() -> None:
    """No format is without a test of the whole way."""
    assert set(MINIATURES) == set(FORMATS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_archive_to_slices(name: str, tmp_path: Path) -> None:
    """A data set as it lies on disk is ingested, embedded and audited with no file of ours but the predictions, and
    the films that are misread are those of the slice that is found."""
    root = tmp_path / "root"
    root.mkdir()
    ids = MINIATURES[name](root, len(films()))
    random = np.random.default_rng(0)
    wrong = [bool(film.is_marked and random.random() < 0.9) for film in films()]
    rows = [
        {"sample_id": sample, "model": "m", "target": "Mass", "label": 1, "score": 0.2 if w else 0.8, "threshold": 0.5}
        for sample, w in zip(ids, wrong, strict=True)
    ]
    pl.DataFrame(rows).write_csv(tmp_path / "predictions.csv")
    store = str(tmp_path / "store")
    predictions = ["--predictions", str(tmp_path / "predictions.csv")]
    for command in (
        ["ingest", store, "--format", name, str(root), *predictions],
        ["embed", store, "--report-encoder", "none"],
        ["discover", store, "--min-size", "10", "--permutations", "19", "--stability", "0", "--include-train"],
    ):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
    opened = mr.open(store)
    slices = opened.sql("SELECT slice_id FROM slices ORDER BY q_value LIMIT 1")
    assert slices.height == 1, name
    inside = opened.sql(
        "SELECT avg(error::INT) AS share FROM memberships WHERE slice_id = $s", {"s": slices["slice_id"][0]}
    )
    assert inside["share"][0] > 0.6
