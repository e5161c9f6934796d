"""Several models in one audit: who misreads which slice."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import misread as mr
from misread.discover import confirm
from misread.library import Store
from stores import write_store


def two_models(location: Path, *, models: tuple[str, ...] = ("a", "b"), per_patient: int = 1) -> Store:
    """A group both models miss (first coordinate high) and one that only model a misses (it is low)."""
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((1400, 10))
    shared, only_a = np.arange(1400) % 8 == 0, np.arange(1400) % 8 == 1
    vectors[shared, 0] += 5
    vectors[only_a, 0] -= 5  # no direction takes both groups
    images = [{"sample_id": f"s{i:04d}", "patient_id": f"p{i // per_patient}"} for i in range(1400)]
    predictions = []
    for i in range(1400):
        label = int(i % 3 > 0)
        for model in models:
            hit = label and (shared[i] or (only_a[i] and model == "a"))
            wrong = rng.random() < (0.8 if hit else 0.08)
            score = 0.9 if bool(label) != wrong else 0.1
            row = {"sample_id": f"s{i:04d}", "model": model, "target": "t", "label": label, "score": score}
            predictions.append({**row, "threshold": 0.5})
    return write_store(location, images, predictions, vectors={f"s{i:04d}": vectors[i] for i in range(1400)})


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    store = two_models(tmp_path_factory.mktemp("models") / "store")
    store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    return mr.open(store.location).sql("SELECT * FROM model_differences ORDER BY slice_id, model")


def test_a_slice_both_misread_and_one_that_one_does(compared: pl.DataFrame) -> None:
    """For model a's two planted slices: both models misread the shared one, only a the other."""
    found = compared.filter((pl.col("found_for") == "a") & (pl.col("true_class") == 1))
    readers = found.filter(pl.col("model") == "a").filter("misread")["misread_by"].to_list()
    assert ["a", "b"] in readers
    assert ["a"] in readers
    spared = found.filter((pl.col("model") == "b") & ~pl.col("misread_by").list.contains("b"))
    assert (spared["error_rate"] < 0.4).all()


def test_every_model_is_counted_on_every_slice(compared: pl.DataFrame, tmp_path: Path) -> None:
    """Rows, errors and rates are those of the model's confirmation rows; the own model's are the slice's own."""
    store = two_models(tmp_path / "store")
    store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    counted = mr.open(store.location).sql(
        """SELECT s.slice_id, a.model, count(*) AS rows, sum(a.error::INT)::BIGINT AS errors
           FROM slices s JOIN memberships m USING (slice_id)
           JOIN audited a ON a.audit_id = s.audit_id AND a.sample_id = m.sample_id AND a.target = s.target
           WHERE m.half = 'confirmation' AND a.label = s.true_class GROUP BY ALL ORDER BY ALL"""
    )
    assert compared["rows"].to_list() == counted["rows"].to_list()
    assert compared["errors"].to_list() == counted["errors"].to_list()
    assert compared["error_rate"].to_list() == pytest.approx((counted["errors"] / counted["rows"]).to_list())
    assert (compared["error_rate_low"] <= compared["error_rate"]).all()
    assert (compared["error_rate"] <= compared["error_rate_high"]).all()
    slices = mr.open(store.location).sql("SELECT slice_id, error_rate_high, q_value, confirmed FROM slices")
    own = compared.filter(pl.col("model") == pl.col("found_for")).join(slices, on="slice_id")
    assert own.height == slices.height
    assert (own["error_rate_high"] == own["error_rate_high_right"]).all()
    assert (own["misread"] == own["confirmed"]).all()


def test_one_model_has_nobody_to_be_compared_with(tmp_path: Path) -> None:
    """With one model the comparison is empty, and so it is in a store without audits."""
    store = two_models(tmp_path / "store", models=("a",))
    assert store.sql("SELECT * FROM model_differences").height == 0
    store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    opened = mr.open(store.location)
    assert opened.sql("SELECT count(*) FROM slices").item() > 0
    assert opened.sql("SELECT * FROM model_differences").height == 0


@pytest.mark.slow
def test_other_models_are_tested_on_patients(tmp_path: Path) -> None:
    """Where patients have several films of a slice, another model's numbers are those of `confirm`, by hand."""
    store = two_models(tmp_path / "store", per_patient=16)
    store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    opened = mr.open(store.location)
    compared = opened.sql("SELECT * FROM model_differences WHERE model <> found_for")
    assert compared.height > 1
    widened = 0
    of_confirmed = 1 - 0.05 * compared["misread"].mean()
    for told in compared.iter_rows(named=True):
        rows = opened.sql(
            """SELECT a.error, i.patient_id, m.sample_id IS NOT NULL AS inside
               FROM slices s JOIN audited a ON a.audit_id = s.audit_id AND a.target = s.target
               JOIN images i ON i.sample_id = a.sample_id
               LEFT JOIN memberships m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
               WHERE s.slice_id = $slice AND a.model = $model AND a.half = 'confirmation' AND a.label = s.true_class
               ORDER BY a.sample_id""",
            {"slice": told["slice_id"], "model": told["model"]},
        )
        inside, errors = rows["inside"].to_numpy(), rows["error"].to_numpy().astype(bool)
        patients = np.unique(rows["patient_id"].to_numpy(), return_inverse=True)[1]
        wanted, as_films = confirm(inside, errors, patients, 0), confirm(inside, errors, np.arange(len(rows)), 0)
        widened += (wanted.low, wanted.high) != (as_films.low, as_films.high)
        wanted = wanted.at(of_confirmed) if told["misread"] else wanted
        assert (told["rows"], told["errors"], told["patients"]) == (wanted.rows, wanted.errors, wanted.patients)
        assert told["patients"] < told["rows"]
        numbers = [told[name] for name in ("error_rate_low", "error_rate_high", "baseline_rate", "lift", "p_value")]
        assert numbers == pytest.approx([wanted.low, wanted.high, wanted.baseline, wanted.lift, wanted.p_value])
    assert widened


def test_assigned_rows_tell_whose_slices_they_are(tmp_path: Path) -> None:
    """Joined with samples on sample, model and target every one has the slices that the audit gave it, and none there
    where another model's slices alone take the sample. Rows are in the order of slices, those in none in that of keys.
    """
    store = two_models(tmp_path / "store")
    store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink("both")
    opened = mr.open(store.location)
    rows = opened.assign("both", "true")
    key = ["sample_id", "model", "target"]
    mine = rows.group_by(key).agg(pl.col("slice_id").sort()).sort(key)
    samples = opened.sql("SELECT sample_id, model, target, slice_ids FROM samples ORDER BY ALL")
    assert mine.equals(samples.with_columns(slice_id=pl.col("slice_ids").fill_null(["none"])).drop("slice_ids"))
    split = mine.group_by("sample_id").agg(
        some=(pl.col("slice_id") != ["none"]).any(), none=pl.col("slice_id") == ["none"]
    )
    assert split.filter("some", pl.col("none").list.any()).height > 0
    none = rows.filter(pl.col("slice_id") == "none")
    assert none.equals(none.sort(key))
    assert rows["slice_id"].is_sorted()
    scored = opened.scan_table("images").score("both").collect()
    taken = rows.filter(pl.col("slice_id") != "none").drop("rank")
    assert taken.join(scored, on=scored.columns, how="anti").height == 0
    assert (
        scored.select("model", "target", "slice_id")
        .unique()
        .sort("slice_id")
        .equals(opened.sql("SELECT model, target, slice_id FROM slices ORDER BY slice_id"))
    )
