"""Methods that are handed the same vectors, and how a job that takes too long is stopped."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.domino import Domino, maximise, one_hot, shared, soft, start
from benchmarks.peers.preparation import prepare
from benchmarks.scale.alike import ALIKE, covered, fusing, handed, measured_alike
from benchmarks.scale.apart import Limit, watched
from benchmarks.scale.archive import PLANTS, write
from benchmarks.scale.jobs import BEGAN, held, known_of, known_rows, measured
from benchmarks.scale.tables import alike
from misread.schemas.values import CONFIRMATION, DISCOVERY

ROWS = 1_200


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    location = tmp_path_factory.mktemp("alike") / f"archive-{ROWS}"
    write(location, ROWS)
    fusing(location)
    return location


def test_every_method_is_handed_the_discovery_rows(archive: Path) -> None:
    """The vectors are those of the discovery half, in the order of the rows that are known."""
    given, known = handed(archive), known_of(archive)
    assert len(given.vectors) == len(given.rows.label) == (known.half == DISCOVERY).sum()
    fitting, scored = held(archive, known, [DISCOVERY, CONFIRMATION])
    assert (fitting.label == given.rows.label).all()
    assert len(scored) + len(fitting) == ROWS
    assert (scored.error == known.of(CONFIRMATION).error).all()
    (alone,) = held(archive, known, [CONFIRMATION])
    assert (alone.blocks["image"].rows == scored.blocks["image"].rows).all()
    close = np.corrcoef(given.vectors[:200]) - np.corrcoef(fitting.blocks["image"].rows[:200])
    assert np.abs(close).mean() < 0.3


@pytest.mark.parametrize("job", ["search", "Domino mixture", "hdbscan"])
def test_methods_are_measured_on_the_same_vectors(archive: Path, job: str) -> None:
    """Time, memory and how well each planted slice is met; every group holds some of the rows handed over."""
    given = handed(archive)
    result = measured_alike(job, given)
    assert result["vectors"] == len(given.vectors)
    assert result["seconds"] > 0
    assert result["peak"] > 0
    assert set(result["f1"]) == {one.name for one in PLANTS}
    groups = ALIKE[job](given)
    assert len(groups) == result["groups"]
    assert all(len(rows) and rows.min() >= 0 and rows.max() < len(given.vectors) for rows in groups)


def test_the_group_most_like_a_planted_slice_counts() -> None:
    """F1 of the best group; 0 without any."""
    plant = known_rows(4_000).plant
    exact = np.flatnonzero(plant == 0)
    assert covered([exact, exact[:3]], plant)[PLANTS[0].name] == 1.0
    assert covered([exact], plant)[PLANTS[1].name] == 0.0
    assert set(covered([], plant).values()) == {0.0}


def test_a_job_is_stopped_once_it_is_slower_by_both_clocks() -> None:
    """Waiting for a processor alone stops nobody before the seconds have passed."""
    limit = Limit(100.0, 12.0, (1.0, 2.0))
    assert limit.reached(13.0, 23.0) == limit.reached(11.0, 25.0) == ""
    assert limit.reached(13.0, 25.0) == "stopped: more than 12 times as long"
    assert limit.reached(101.0, 0.0) == "not done in 100 s"
    assert Limit(100.0).reached(99.0, 1e9) == ""


def test_a_stopped_job_tells_what_it_had_taken(tmp_path: Path) -> None:
    """The clock starts when the job says so; its processor time is told, and nothing of it is left running."""
    code = f"print({BEGAN!r}, flush=True)\nwhile True: pass"
    with (tmp_path / "told").open("w+") as told:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=told)
        result = watched(process, told.fileno(), Limit(100.0, 2.0, (0.2, 0.05)))
        assert process.wait() != 0
    assert result["stopped"]["seconds"] > 0.4
    assert 0.1 < result["stopped"]["cpu"] <= result["stopped"]["seconds"] + 0.5
    assert result["stopped"]["peak"] > 0


def test_the_table_says_of_a_stopped_job_more_than() -> None:
    """Ratios to the search of the same vectors; what was stopped is a bound."""
    searched = {"seconds": 2.0, "cpu": 2.0, "peak": 0.4, "vectors": 50_026, "groups": 10, "f1": {"a": 0.5}}
    stopped = {"skipped": "stopped", "stopped": {"seconds": 25.0, "cpu": 36.0, "peak": 0.3, "of": (2.0, 3.0)}}
    table = alike({(100_000, "search"): searched, (100_000, "hdbscan"): stopped, (100_000, "audit"): searched})
    assert list(table.columns[0].cells) == ["50,026", "50,026"]
    assert list(table.columns[3].cells) == ["1.00", "> 12.50"]
    assert list(table.columns[5].cells) == ["1.00", "> 12.00"]


def test_domino_goes_from_the_store_to_scores(archive: Path) -> None:
    """With all vectors held and a half at a time: the latter reads twice."""
    whole, halves = measured("Domino", archive), measured("Domino in halves", archive)
    vectors = ROWS * 2 * 768 * 4
    assert vectors < whole["read"] < 1.5 * vectors < halves["read"]


def test_single_precision_finds_the_mixture_of_double(archive: Path) -> None:
    """Shares, means and tables differ by rounding alone, and the vectors are prepared in their own precision."""
    (fitting,) = held(archive, known_of(archive), [DISCOVERY])
    z = prepare(fitting, 16)(fitting)
    assert z.dtype == np.float32
    single, double = (Domino().fitted(z.astype(kind), fitting.label, fitting.score, 0) for kind in (np.float32, float))
    for name in ("shares", "means", "variances", "predictions"):
        assert getattr(single, name) == pytest.approx(getattr(double, name), abs=0.02)


def test_shared_densities_sum_to_one_and_keep_their_logarithm() -> None:
    """However far apart and however low they are."""
    joint = np.array([[-1e4, -1e4 + 1, -1e5], [3.0, 3.0, 3.0]])
    total, responsibilities = shared(joint.copy())
    assert responsibilities.sum(axis=1) == pytest.approx(1.0)
    assert total == pytest.approx([-1e4 + np.log(1 + np.e), 3 + np.log(3)])


def test_known_squares_change_nothing() -> None:
    """They are only worked out once."""
    rng = np.random.default_rng(0)
    z, label, score = rng.standard_normal((300, 4)), rng.integers(0, 2, 300), rng.random(300)
    y, yhat = one_hot(label), soft(score)
    given = start(y, yhat, 5, 0.1, 0)
    one, two = maximise(given, z, y, yhat), maximise(given, z, y, yhat, z * z)
    assert (one.variances == two.variances).all()
    assert one.joint(z, y, yhat, 10.0) == pytest.approx(two.joint(z, y, yhat, 10.0, z * z))
