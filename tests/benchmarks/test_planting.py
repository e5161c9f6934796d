"""Scenarios hold the shares they promise, and measures are what they say."""

import numpy as np
import polars as pl
import pytest

from benchmarks.planted.measures import average_precision, measure
from benchmarks.planted.null import errors_of
from benchmarks.planted.planting import FIT, SCORE, plant
from benchmarks.planted.scenarios import SCENARIOS
from benchmarks.planted.setting import SPLITS, Setting, own_half, settings
from benchmarks.planted.source import Source, classifier_features
from misread.fuse import Block


def source(rows: int = 6000) -> Source:
    """Six attributes, each with a direction of its own; two rows a patient."""
    rng = np.random.default_rng(0)
    names = ["a", "b", "c", "d", "e", "f"]
    flags = rng.random((rows, 6)) < 0.35
    vectors = (flags @ rng.standard_normal((6, 20)) * 0.5 + rng.standard_normal((rows, 20))).astype(np.float32)
    return Source(
        name="demo",
        blocks={"image": Block(vectors, np.ones(rows, bool)), "report": Block(vectors, np.arange(rows) % 50 > 0)},
        metadata=pl.DataFrame({"age": rng.integers(20, 90, rows)}),
        attributes=pl.DataFrame(flags, schema=names),
        patients=np.arange(rows) // 2,
        features=classifier_features(vectors),
        targets=("a", "b"),
        groups=tuple(names),
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_correlation_is_had_exactly(seed: int) -> None:
    """The Pearson correlation of target and correlate is rho; the slices are the two cells where they part."""
    draw = SCENARIOS["correlation"](source(), ("c", "d"), np.random.default_rng(seed))
    assert draw is not None
    other = source().flags(draw.details["groups"][0])[draw.rows]
    assert np.corrcoef(draw.label, other)[0, 1] == pytest.approx(draw.details["rho"], abs=0.01)
    assert (draw.truth[:, 0] == ((draw.label == 0) & other)).all()
    assert (draw.truth[:, 1] == ((draw.label == 1) & ~other)).all()


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_slice_is_alpha_of_the_positives(seed: int) -> None:
    """Of the positives, alpha are in the slice; no negative is."""
    draw = SCENARIOS["rare"](source(), ("c", "d"), np.random.default_rng(seed))
    if draw is not None:
        assert draw.truth[draw.label == 1].mean() == pytest.approx(draw.details["alpha"], rel=0.1)
        assert not draw.truth[draw.label == 0].any()


@pytest.mark.parametrize("seed", range(4))
def test_noise_flips_labels_of_the_slice_alone(seed: int) -> None:
    """The slice is defined on the clean label; a share eps of its labels as given is another."""
    draw = SCENARIOS["noisy"](source(), ("c", "d"), np.random.default_rng(seed))
    assert draw is not None
    clean = source().flags(draw.details["target"])[draw.rows]
    flipped = clean != draw.label
    assert not flipped[~draw.truth[:, 0]].any()
    assert flipped[draw.truth[:, 0]].mean() == pytest.approx(draw.details["eps"], abs=0.15)


@pytest.mark.parametrize(
    ("scenario", "predictions"), [("attributes-3", "synthetic"), ("correlation", "trained"), ("noisy", "trained")]
)
def test_halves_share_no_patient_and_slices_are_misread(scenario: str, predictions: str) -> None:
    """Every patient is in one part; the same setting gives the same draw whatever modalities are seen."""
    here = source()
    one, two = (plant(Setting("demo", scenario, predictions, m, "tune", 1), here) for m in (("image",), ("report",)))
    assert (one.draw.rows == two.draw.rows).all()
    assert (one.score == two.score).all()
    patients = [set(here.patients[one.draw.rows[one.part == part]]) for part in (0, FIT, SCORE)]
    assert sum(map(len, patients)) == len(set.union(*patients))
    assert min(one.details["gaps"]) > 0
    fitting, scored, truth = one.audits(("report",))
    assert len(truth) == len(scored)
    assert set(fitting.blocks) == {"report"}
    assert fitting.blocks["report"].present.all()


def test_splits_share_no_attribute() -> None:
    """What methods are chosen on and what is reported are disjoint, in attributes and in seeds."""
    names = source().groups
    tune, report = (set(own_half(names, split)) for split in SPLITS)
    assert not tune & report
    assert tune | report == set(names)
    seeds = [{s.seed for s in settings(["all"], split, 3)} for split in SPLITS]
    assert not seeds[0] & seeds[1]


def test_precision_at_ten_by_hand() -> None:
    """Nine of the ten best rows of the second slice; the best slice counts."""
    truth = np.zeros((40, 1), bool)
    truth[:9] = True
    scores = np.stack([np.arange(40.0), -np.arange(40.0)], axis=1)
    found = measure(scores, scores > -9, truth, np.array([0.225]))[0]
    assert found["p10"] == 0.9
    assert found["success"]
    assert found["p25"] == 0.36
    assert found["ap"] == 1.0
    assert (found["precision"], found["recall"]) == (1.0, 1.0)


def test_ties_are_ranked_by_row() -> None:
    """Equal scores keep the rows' order, so no slice is flattered by a tie."""
    truth = np.zeros((30, 1), bool)
    truth[20:] = True
    assert measure(np.zeros((30, 1)), np.ones((30, 1), bool), truth, np.array([1 / 3]))[0]["p10"] == 0.0


def test_finding_nothing_scores_nothing() -> None:
    found = measure(np.zeros((30, 0)), np.zeros((30, 0), bool), np.ones((30, 1), bool), np.array([1.0]))[0]
    assert found["p10"] == found["ap"] == found["f1"] == 0.0


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([True, False, True])) == pytest.approx((1 + 2 / 3) / 2)


def test_errors_correlate_within_patients_as_asked() -> None:
    """Pairs of one patient's rows have an intra-class correlation of about .3, the rate stays .2."""
    patients = np.repeat(np.arange(20000), 2)
    errors = errors_of(patients, 0.3, np.random.default_rng(0)).reshape(-1, 2)
    assert errors.mean() == pytest.approx(0.2, abs=0.01)
    assert np.corrcoef(errors.T)[0, 1] == pytest.approx(0.3, abs=0.03)
