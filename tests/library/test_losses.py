"""Audits of losses end to end, without any label."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import misread as mr
from misread.execute import audit_id_of
from misread.library import Store
from misread.schemas.errors import AuditError
from stores import VIEW, write_store

Rows = list[dict[str, Any]]
ERROR_COLUMNS = (
    "true_class", "discovery_errors", "discovery_error_rate", "discovery_baseline_rate", "confirmation_errors",
    "error_rate", "error_rate_low", "error_rate_high", "baseline_rate",
)  # fmt: skip
LOSS_COLUMNS = (
    "mean_loss", "mean_loss_low", "mean_loss_high", "baseline_loss", "discovery_mean_loss", "discovery_baseline_loss",
)  # fmt: skip


def loss_store(
    location: Path,
    *,
    samples: int = 800,
    seed: int = 0,
    per_patient: int = 1,
    planted: bool = True,
    of: Callable[[float], float] = lambda loss: loss,
    order: int | None = None,
    further: Rows | None = None,
) -> Store:
    """A store of predictions with a loss and no label; a fifth of the films, lateral ones, have four times the loss.

    `of` is applied to every loss; `order` writes the rows in another order; `further` predictions come on top.
    """
    rng = np.random.default_rng(seed)
    patient = np.arange(samples) // per_patient
    group = rng.random(samples) < 0.2
    vectors = rng.standard_normal((samples, 10)) + 4.0 * np.outer(group, np.eye(10)[0])
    losses = rng.exponential(1, samples) * rng.uniform(0.5, 1.5, samples)[patient] * np.where(group & planted, 4, 1)
    ids = [f"s{i:04d}" for i in range(samples)]
    numbers = range(samples) if order is None else np.random.default_rng(order).permutation(samples).tolist()
    images = [
        {"sample_id": ids[i], "patient_id": f"p{patient[i]}", "view": "lateral" if group[i] else "frontal"}
        for i in numbers
    ]
    predictions = [
        {"sample_id": ids[i], "model": "m", "target": "t", "score": 0.5, "loss": of(float(losses[i]))} for i in numbers
    ]
    by_id = {ids[i]: vectors[i] for i in numbers}
    return write_store(location, images, [*predictions, *(further or [])], vectors=by_id, metadata=[VIEW])


def audit(store: Store, **options: Any) -> Store:
    asked = {"permutations": 19, "stability": 0, "losses": True} | options
    store.scan().fuse(modalities=["image"]).discover(**asked).describe().sink()
    return mr.open(store.location)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return audit(loss_store(tmp_path_factory.mktemp("losses") / "store"), stability=5)


@pytest.fixture
def both_ways(tmp_path: Path) -> Store:
    """Two targets with losses, of which one, `u`, has labels, scores and a threshold as well."""
    labelled = [
        {"sample_id": f"s{i:04d}", "model": "m", "target": "u", "label": i % 2, "score": i % 7 / 7, "threshold": 0.5}
        | {"loss": float(i)}
        for i in range(400)
    ]
    return loss_store(tmp_path / "store", samples=400, further=labelled)


def test_a_group_of_high_loss_is_found_without_any_label(audited: Store) -> None:
    """The planted films are one confirmed slice of no class; losses stand where errors would, which are NULL."""
    row = audited.sql("SELECT * FROM slices").row(0, named=True)
    assert (row["error_kind"], row["confirmed"]) == ("high loss", True)
    assert all(row[name] is None for name in ERROR_COLUMNS)
    assert all(row[name] is not None for name in (*LOSS_COLUMNS, "stability", "share"))
    assert row["mean_loss_low"] < row["mean_loss"] < row["mean_loss_high"]
    assert row["lift"] == pytest.approx(row["mean_loss"] / row["baseline_loss"])
    assert row["lift"] > 2
    assert row["other_class_rows"] == 0
    views = audited.sql("SELECT avg((view = 'lateral')::INT) AS share FROM memberships JOIN images USING (sample_id)")
    assert views.item() > 0.7
    assert audited.sql("SELECT phrase FROM phrases WHERE rank = 1").item() == "view = lateral"
    profile = audited.sql("SELECT value FROM slice_profile((SELECT min(slice_id) FROM slices))")
    assert profile["value"][0] == "lateral"


def test_stored_numbers_are_those_of_the_rows(audited: Store) -> None:
    """Every mean is one over memberships and the audit's own truth; the SQL functions give it, and no error rate."""
    counted = audited.sql(
        """SELECT s.*, slice_size(s.slice_id) AS size, mean_loss(s.slice_id) AS asked, error_rate(s.slice_id) AS rate,
                  avg(a.loss) FILTER (m.sample_id IS NOT NULL AND a.half = 'confirmation') AS inside,
                  avg(a.loss) FILTER (m.sample_id IS NULL AND a.half = 'confirmation') AS outside,
                  avg(a.loss) FILTER (m.sample_id IS NOT NULL AND a.half = 'discovery') AS found,
                  avg(a.loss) FILTER (m.sample_id IS NULL AND a.half = 'discovery') AS missed,
                  count(m.sample_id) FILTER (a.half = 'confirmation') AS rows
           FROM slices s JOIN audited a USING (audit_id, model, target)
           LEFT JOIN memberships m USING (slice_id, sample_id) GROUP BY ALL"""
    )
    assert counted.height > 0
    for row in counted.iter_rows(named=True):
        assert row["size"] == row["confirmation_rows"] == row["rows"]
        assert row["rate"] is None
        stored = (row["mean_loss"], row["baseline_loss"], row["discovery_mean_loss"], row["discovery_baseline_loss"])
        assert stored == pytest.approx((row["inside"], row["outside"], row["found"], row["missed"]))
        assert row["asked"] == row["mean_loss"]


def test_an_audit_of_losses_tells_no_error(audited: Store) -> None:
    """Rows audited have a loss and no error; the target has no threshold, and a smallest effect in losses."""
    truth = audited.sql("SELECT count(*), count(loss), count(error), count(predicted) FROM audited").row(0)
    assert truth == (800, 800, 0, 0)
    target = audited.sql("SELECT * FROM audit_targets").row(0, named=True)
    nothing = ("threshold", "discovery_errors", "confirmation_errors", "smallest_effect_false_negative")
    assert all(target[name] is None for name in nothing)
    assert target["smallest_effect_mean_loss"] > audited.sql("SELECT avg(loss) FROM audited").item()
    taken = audited.sql("SELECT count(*) FROM samples WHERE slice_id IS NOT NULL").item()
    assert taken == audited.sql("SELECT count(DISTINCT sample_id) FROM memberships").item()
    assert audited.sql("SELECT count(*) FROM confident_errors").item() == 0


def test_an_audit_of_errors_tells_no_loss(both_ways: Store) -> None:
    """Where labels and losses are both there, rows that are judged by their label have none of the losses."""
    both_ways.scan(target="u").fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    told = mr.open(both_ways.location).sql("SELECT count(error) AS errors, count(loss) AS losses FROM audited")
    assert told.row(0) == (400, 0)


def test_losses_are_part_of_the_question(both_ways: Store) -> None:
    """Judged by losses it is another audit; the plan says so."""
    plans = [both_ways.scan().discover(losses=losses).describe() for losses in (False, True)]
    assert audit_id_of(both_ways, plans[0].plan) != audit_id_of(both_ways, plans[1].plan)
    assert "losses=True" in plans[1].explain()


def test_losses_that_mean_nothing_are_seldom_confirmed(tmp_path: Path) -> None:
    """With losses independent of the vectors and calibration left out, hardly an audit confirms anything."""
    confirmed = 0
    for seed in range(12):
        store = loss_store(tmp_path / f"{seed}", samples=300, seed=seed, planted=False)
        found = store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0, losses=True).describe()
        slices = found.collect()
        confirmed += slices.height > 0 and bool(slices["confirmed"].any())
    assert confirmed <= 3  # P(more | rate .05) < .003


@pytest.mark.parametrize("change", [{"of": lambda loss: 250 * loss + 1}, {"order": 3}])
def test_neither_unit_nor_origin_nor_order_matters(tmp_path: Path, change: dict[str, Any]) -> None:
    """Losses times a constant plus one, and rows in another order, give the same slices with the same p-values."""
    frames = []
    for name, options in (("plain", {}), ("changed", change)):
        store = audit(loss_store(tmp_path / name, samples=500, **options))
        rows = store.sql("SELECT sample_id, rank FROM memberships ORDER BY ALL")
        frames.append((store.sql("SELECT scan_statistic, p_value, search_p_value FROM slices ORDER BY slice_id"), rows))
    assert frames[0][1].height > 0
    assert frames[0][1].equals(frames[1][1])
    for name in frames[0][0].columns:
        assert frames[0][0][name].to_list() == pytest.approx(frames[1][0][name].to_list())


def test_films_of_one_patient_stay_together(tmp_path: Path) -> None:
    """Where patients have several films the slice is found, tested on whole patients, with an interval over them."""
    store = audit(loss_store(tmp_path / "store", per_patient=3))
    row = store.sql("SELECT * FROM slices").row(0, named=True)
    assert row["confirmed"]
    assert row["confirmation_patients"] < row["confirmation_rows"]
    split = store.sql(
        "SELECT count(*) FROM (SELECT patient_id FROM audited JOIN images USING (sample_id) "
        "GROUP BY patient_id HAVING count(DISTINCT half) > 1)"
    )
    assert split.item() == 0


def test_rows_without_a_loss_are_left_out(tmp_path: Path) -> None:
    """Labelled or not, predicted or not: a row takes part exactly if it has a loss, and the others are counted."""
    images = [{"sample_id": f"s{i}", "patient_id": f"p{i}"} for i in range(200)]
    predictions = [
        {
            "sample_id": f"s{i}",
            "model": "m",
            "target": "t",
            "label": [None, 0, 1][i % 3],
            "score": 0.5,
            "loss": None if i % 5 == 0 else float(i % 11),
        }
        for i in range(150)
    ]
    vectors = {f"s{i}": [float(i % 13), float(i % 7), 1.0] for i in range(200)}
    store = audit(write_store(tmp_path / "store", images, predictions, vectors=vectors))
    assert store.sql("SELECT reason, rows FROM left_out").rows() == [("no loss", 80)]
    assert store.sql("SELECT count(*), count(label) FROM audited").row(0) == (120, 80)


@pytest.mark.parametrize(
    ("samples", "value", "note"),
    [
        (1, None, "no row with a loss|fewer than 20"),
        (400, 0.1, "all discovery rows have the same loss"),
        (24, None, "fewer than 20"),
    ],
)
def test_an_audit_without_slices_says_why(tmp_path: Path, samples: int, value: float | None, note: str) -> None:
    """One row, equal losses, too few rows: an empty audit that is kept, with its reason."""
    images = [{"sample_id": f"s{i}", "patient_id": f"p{i}"} for i in range(60 + samples)]
    predictions = [
        {"sample_id": f"s{i}", "model": "m", "target": "t", "score": 0.5, "loss": i % 7 / 7 if value is None else value}
        for i in range(samples)
    ]
    vectors = {f"s{i}": [float(i * 7 % 13), float(i * 5 % 11), float(i * 3 % 17)] for i in range(60 + samples)}
    store = audit(write_store(tmp_path / "store", images, predictions, vectors=vectors))
    assert store.sql("SELECT slices FROM audits").item() == 0
    told = store.sql("SELECT note FROM audit_targets").item()
    assert any(text in told for text in note.split("|"))


def test_an_empty_audit_tells_what_it_could_have_seen(tmp_path: Path) -> None:
    """The smallest mean loss that would have been confirmed falls with the size of the slice, and the note tells it."""
    store = loss_store(tmp_path / "store", samples=400, planted=False)
    for size in (10, 60):
        opened = audit(store, min_size=size)
    rows = opened.sql("SELECT * FROM audit_targets ORDER BY smallest_effect_rows")
    small, large = rows["smallest_effect_mean_loss"]
    assert small > large > opened.sql("SELECT avg(loss) FROM predictions").item()
    empty = rows.drop_nulls("note").row(0, named=True)
    assert f"80 % power at a mean loss of {empty['smallest_effect_mean_loss']:.3g} (" in empty["note"]


def test_what_cannot_be_asked_is_said_at_once(tmp_path: Path) -> None:
    """No losses at all, or a threshold beside them: an error when it is written, which tells what to do."""
    predictions = [{"sample_id": "s0", "model": "m", "target": "t", "label": 1, "score": 0.5}]
    store = write_store(tmp_path / "store", [{"sample_id": "s0"}], predictions, vectors={"s0": [1.0, 2.0]})
    with pytest.raises(AuditError, match="no prediction of m for t has a loss") as error:
        store.scan().discover(losses=True)
    assert "column loss" in error.value.hint
    with pytest.raises(AuditError, match=r"threshold 0\.4 has no use"):
        store.scan().discover(losses=True, threshold=0.4)


def test_losses_without_labels_are_pointed_out(both_ways: Store) -> None:
    """Audited for errors, losses alone are refused when it is written; beside labels of another they are noted."""
    with pytest.raises(AuditError, match="m for t: no row has a label and a score, but the predictions hold losses"):
        both_ways.scan(target="t").discover()
    store = audit(both_ways, losses=False)
    told = store.sql("SELECT note FROM audit_targets WHERE target = 't'").item()
    assert told.startswith("no row has a label and a score, but the predictions hold losses: --losses, or losses=True")


def test_every_target_that_has_losses_is_judged(tmp_path: Path) -> None:
    """Several models and targets: q-values over all their slices, no comparisons; one without losses says so."""
    rng = np.random.default_rng(1)
    ids = [f"s{i:04d}" for i in range(800)]
    further = [
        {"sample_id": name, "model": model, "target": target, "score": 0.5, "loss": loss}
        for model, target in (("n", "t"), ("m", "u"))
        for name, loss in zip(ids, rng.exponential(1, 800) if model == "n" else [None] * 800, strict=True)
    ]
    store = audit(loss_store(tmp_path / "store", further=further), permutations=0)
    rows = store.sql("SELECT p_value, q_value, model, target FROM slices")
    from scipy.stats import false_discovery_control

    assert set(zip(rows["model"], rows["target"], strict=True)) == {("m", "t"), ("n", "t")}
    assert rows["q_value"].to_list() == pytest.approx(false_discovery_control(rows["p_value"].to_list()).tolist())
    assert store.sql("SELECT count(*) FROM comparisons").item() == 0
    assert store.sql("SELECT note FROM audit_targets WHERE target = 'u'").item().startswith("no row with a loss")


def test_slices_of_losses_take_later_rows(audited: Store) -> None:
    """Assigned to itself an audit has its memberships and means again, and nothing has moved."""
    audit_id = audited.sql("SELECT audit_id FROM audits").item()
    rows = audited.assign(audit_id, where="true").filter(pl.col("slice_id") != "none")
    stored = audited.sql(
        "SELECT sample_id, model, target, slice_id, score, class_probability, rank FROM memberships "
        "JOIN slices USING (slice_id) ORDER BY slice_id, rank"
    )
    assert rows.equals(stored)
    assert set(rows["class_probability"]) == {1.0}
    held = audited.sql("SELECT sample_id FROM audited WHERE half = 'confirmation'")["sample_id"]
    moved = audited.moved(audit_id, where=f"sample_id IN ({', '.join(repr(sample) for sample in held)})")
    slices = audited.sql("SELECT * FROM slices ORDER BY slice_id")
    assert moved["mean_loss_change"].to_list() == [0.0] * moved.height
    for now, then in (
        ("mean_loss", "mean_loss"),
        ("mean_loss_low", "mean_loss_low"),
        ("mean_loss_audited", "mean_loss"),
        ("baseline_loss", "baseline_loss"),
        ("loss_rows", "confirmation_rows"),
    ):
        assert moved[now].to_list() == pytest.approx(slices[then].to_list())
    assert moved.select("error_rate", "errors", "labelled_rows", "baseline_rate").null_count().row(0) == (
        (moved.height,) * 4
    )
