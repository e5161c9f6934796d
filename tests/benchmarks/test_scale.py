"""The benchmark of scale measures what it says."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.scale.archive import PLANTS, parts, patient_numbers, write
from benchmarks.scale.forecast import forecast, forecasts, rates
from benchmarks.scale.jobs import agreement, held_out, measured, planted
from benchmarks.scale.tables import compared, exponent, found, grown, plot, stages


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("scale") / "archive"
    write(location, 1_500)
    return location


def test_planted_slices_have_their_share_and_their_errors() -> None:
    """Each slice is as large as it says, in its class, and wrong more often; the same rows come back for any reader."""
    told = list(parts(30_000, 0, with_vectors=False))
    plant, label, score = (np.concatenate([getattr(part, n) for part in told]) for n in ("plant", "label", "score"))
    wrong = (score >= 0.5) != (label == 1)
    for number, one in enumerate(PLANTS):
        own = plant == number
        assert own.mean() == pytest.approx(one.share, rel=0.5)
        assert (label[own] == one.true_class).all()
    assert wrong[plant >= 0].mean() == pytest.approx(0.6, abs=0.03)
    assert wrong[plant < 0].mean() == pytest.approx(0.15, abs=0.02)
    with_vectors = next(parts(1_000, 0))
    assert (with_vectors.plant == next(parts(1_000, 0, with_vectors=False)).plant).all()
    assert np.bincount(patient_numbers(150)).tolist() == [1, 1, 2, 1, 4, 1, 2, 3] * 10


def test_planted_slices_are_found_where_they_are() -> None:
    """A slice that is exactly a planted one agrees wholly; rows of the discovery half do not count."""
    plant = np.full(600, -1)
    plant[::4] = 0
    held = np.flatnonzero(held_out(600) & (plant == 0))
    rows = pl.DataFrame({"slice_id": "a", "rank": np.arange(len(held)), "label": 1, "half": "confirmation"})
    rows = rows.with_columns(sample_id=pl.Series([f"s{row:08d}" for row in held]))
    seen = planted(rows, plant)
    assert seen[PLANTS[0].name] == {"p10": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert seen[PLANTS[2].name]["f1"] == 0
    assert planted(rows.with_columns(half=pl.lit("discovery")), plant)[PLANTS[0].name]["f1"] == 0
    assert agreement(np.array([True, False]), 4) == {"p10": 0.5, "precision": 0.5, "recall": 0.25, "f1": 1 / 3}


def test_an_audit_and_a_reading_are_measured(archive: Path) -> None:
    """Time, memory and bytes come back; an audit reads no vector more than three times."""
    once, audit = measured("reading", archive), measured("audit", archive)
    vectors = 1_500 * 2 * 768 * 4
    assert vectors < once["read"] < 1.5 * vectors
    fusing = sum(stage["read"] for name, stage in audit["stages"].items() if "fus" in name)
    assert 0.5 * vectors < fusing < 3 * vectors
    assert audit["expected"]["read"] == pytest.approx(fusing, rel=0.3)
    assert 0.2 * audit["peak"] < audit["expected"]["peak"] < 5 * audit["peak"]
    assert all(result["seconds"] > 0 and result["peak"] > 0.05 for result in (once, audit))
    assert set(audit["planted"]) == {one.name for one in PLANTS}


def test_exponents_and_tables_say_what_was_measured(tmp_path: Path) -> None:
    """Values that double with the rows have exponent 1; what was not run is told with its reason."""
    results = {
        (rows, "audit"): {"seconds": rows / 1e4, "cpu": rows / 5e3, "peak": 0.5, "read": rows * 6144, "stages": {}}
        for rows in (50_000, 100_000, 400_000)
    }
    results[50_000, "Domino"] = {"skipped": "not done in 600 s"}
    assert exponent([1, 2, 8], [3, 6, 24]) == pytest.approx(1)
    assert list(grown(results).columns[2].cells) == ["1.00"]
    assert list(grown(results).columns[4].cells) == ["0.00"] or list(grown(results).columns[4].cells) == ["-0.00"]
    assert "not done in 600 s" in list(compared(results).columns[2].cells)
    assert stages(results).row_count == found(results).row_count == 0
    plot(results, tmp_path / "plot.svg")
    assert "seconds" in (tmp_path / "plot.svg").read_text()


def test_forecasts_follow_from_what_was_measured() -> None:
    """A further row costs what it cost between two sizes; twice the machines read half each; reading may be slower."""
    small, large = {"cpu": 5.0, "peak": 0.6}, {"cpu": 41.0, "peak": 0.8}
    a_row = rates(small, large, 50_000, 400_000)
    assert a_row["a_row"] == pytest.approx(36 / 350_000)
    assert a_row["fixed"] + 400_000 * a_row["held"] == pytest.approx(0.8 * 2**30)
    one, two = (forecast(10_000_000, machines, 16, a_row) for machines in (1, 2))
    assert one.bytes_read == 2 * two.bytes_read == 1.5 * 10_000_000 * 6_144
    assert one.seconds == pytest.approx(one.bytes_read / 1e9)
    assert forecast(10_000_000, 1, 2, a_row).seconds == pytest.approx(36 / 350_000 * 10_000_000 / 2)
    assert forecasts({(50_000, "audit"): small, (400_000, "audit"): large}).row_count == 4
    assert forecasts({(50_000, "audit"): small}).row_count == 0
