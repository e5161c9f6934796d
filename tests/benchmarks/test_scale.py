"""The benchmark of scale measures what it says."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.scale.archive import PLANTS, parts, patient_numbers, write
from benchmarks.scale.devices import NO_GPU, by_device
from benchmarks.scale.forecast import forecast, forecasts, rates
from benchmarks.scale.jobs import Scratch, agreement, held_out, held_out_members, measured, planted, scratch_bytes
from benchmarks.scale.picture import plot, points
from benchmarks.scale.tables import compared, exponent, found, grown, stages
from misread.fitting import FITTED_ROWS
from misread.spill import Spilled


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
    """A slice that is exactly a planted one agrees wholly; rows of discovery or without a label do not count."""
    plant = np.full(600, -1)
    plant[::4] = 0
    held = np.flatnonzero(held_out(600) & (plant == 0))
    rows = pl.DataFrame({"slice_id": "x-01", "rank": np.arange(len(held)), "label": 1, "half": "confirmation"})
    rows = rows.with_columns(sample_id=pl.Series([f"s{row:08d}" for row in held]))
    seen = planted(held_out_members(rows.to_arrow()), plant)
    assert seen[PLANTS[0].name] == {"p10": 1.0, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert seen[PLANTS[2].name]["f1"] == 0
    for left_out in ({"half": pl.lit("discovery")}, {"label": pl.lit(None, pl.Int8)}):
        members = held_out_members(rows.with_columns(**left_out).to_arrow())
        assert planted(members, plant)[PLANTS[0].name]["f1"] == 0
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
    assert audit["device"] == "processor"


def test_products_are_measured_on_every_device_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where torch finds no GPU it is said that nothing was run on one."""
    monkeypatch.setattr("benchmarks.scale.devices.gpu", lambda: None)
    table = by_device()
    assert list(table.columns[0].cells) == ["sums to fit", "sums to fit", "fusing", "fusing"]
    assert list(table.columns[1].cells) == ["processor", NO_GPU] * 2
    assert all(float(rate) > 0 for rate in list(table.columns[3].cells)[::2])


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


def test_the_picture_shows_every_job_and_is_always_the_same(tmp_path: Path) -> None:
    """A job that was stopped has a mark of its own; jobs on the same vectors stand over the number of vectors."""
    done = {"seconds": 2.0, "cpu": 2.0, "peak": 0.5}
    results = {(rows, job): done for rows in (50_000, 100_000) for job in ("audit", "Domino", "Domino mixture")}
    results |= {(rows, "search"): done | {"vectors": rows // 2 + 7} for rows in (50_000, 100_000)}
    results[100_000, "hdbscan"] = {"skipped": "stopped", "stopped": done}
    results[100_000, "fast_hdbscan"] = {"skipped": "fast_hdbscan is not installed"}
    assert list(points(results, "audit")) == [50_000, 100_000]
    assert list(points(results, "Domino mixture")) == [25_007, 50_007]
    assert [one["stopped"] for one in points(results, "hdbscan").values()] == [True]
    assert not points(results, "fast_hdbscan")
    pictures = []
    for name in ("one.svg", "two.svg"):
        plot(results, tmp_path / name)
        pictures.append((tmp_path / name).read_text())
    assert pictures[0] == pictures[1]
    assert all(f"<!-- {text} -->" in pictures[0] for text in ("seconds", "Domino mixture (exponent 0.00)", "hdbscan"))


def test_scratch_is_what_lies_in_files_without_a_name() -> None:
    """The most at once is told, and forgotten once asked for."""
    before = scratch_bytes()
    with Scratch() as scratch:
        held = Spilled(128)
        held.append(np.zeros((1024, 128)))
        assert scratch.most() - before == pytest.approx(2**20, abs=2**13)
        del held
        scratch.most()
        assert scratch.most() == before


def test_forecasts_follow_from_what_was_measured() -> None:
    """A further row costs what it cost between two sizes; twice the machines read half each; reading may be slower."""
    small, large = (
        {"cpu": cpu, "peak": peak, "scratch": scratch, "stages": {"searching for slices": {"read": read}}}
        for cpu, peak, scratch, read in ((5.0, 0.6, 30e6, 1e9), (41.0, 0.8, 560e6, 8e9))
    )
    a_row = rates({50_000: small, 400_000: large})
    assert a_row.seconds == pytest.approx(36 / 350_000)
    assert a_row.scratch == pytest.approx(530e6 / 350_000)
    assert a_row.fixed + 400_000 * a_row.held == pytest.approx(0.8 * 2**30)
    one, two = (forecast(10_000_000, machines, 16, a_row) for machines in (1, 2))
    assert one.bytes_read == pytest.approx((10_000_000 + FITTED_ROWS) * 6_144)
    assert two.bytes_read == one.bytes_read / 2
    assert forecast(100_000, 1, 16, a_row).bytes_read == 150_000 * 6_144
    assert one.scratch_read == pytest.approx(20_000 * 10_000_000)
    assert one.seconds == pytest.approx((one.bytes_read + one.scratch_read) / 1e9)
    assert forecast(10_000_000, 1, 1, a_row).seconds == pytest.approx(36 / 350_000 * 10_000_000)
    assert forecasts({(50_000, "audit"): small, (400_000, "audit"): large}).row_count == 5
    assert forecasts({(50_000, "audit"): small}).row_count == 0
