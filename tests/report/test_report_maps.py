"""The maps of a report: one a model and target, of the same plane."""

import numpy as np
import polars as pl
import pytest

from misread.library import Store
from misread.report import as_html, mapping
from stores import write_store

AUDITED = {"Aorta": range(240), "Mass": range(120, 400)}
"""Which films have a label for which target; those of Mass are misread in a group."""


@pytest.fixture(scope="module", autouse=True)
def flat_maps() -> None:
    """Here maps are drawn."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Store:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((400, 6))
    group = rng.random(400) < 0.3
    vectors[group, 0] += 4
    predictions = []
    for target, films in AUDITED.items():
        for film in films:
            label = int(rng.random() < 0.5)
            wrong = rng.random() < (0.8 if target == "Mass" and label and group[film] else 0.1)
            score = 0.8 if bool(label) != wrong else 0.2
            row = {"sample_id": f"s{film:03}", "model": "m", "target": target, "label": label, "score": score}
            predictions.append(row | {"threshold": 0.5})
    images = [{"sample_id": f"s{film:03}", "patient_id": f"p{film}"} for film in range(400)]
    location = tmp_path_factory.mktemp("two") / "store"
    store = write_store(location, images, predictions, vectors={f"s{film:03}": vectors[film] for film in range(400)})
    store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    return Store.open(location)


def test_every_model_and_target_has_its_map(two: Store) -> None:
    """With its own films, errors and slices, those with slices first; a film has the same place on all."""
    points = pl.DataFrame(two.report(allow_small_cells=True).points)
    assert points["target"].unique(maintain_order=True).to_list() == ["Mass", "Aorta"]
    audited = two.sql("SELECT model, target, sample_id, label, predicted, error FROM audited")
    key = ["model", "target", "sample_id"]
    assert points.select(audited.columns).sort(key).equals(audited.sort(key))
    inside = two.sql("SELECT slice_id, model, target FROM slices").rows()
    shown = points.drop_nulls("slice_id").select("slice_id", "model", "target").unique().rows()
    assert shown
    assert set(shown) <= set(inside)
    places = points.group_by("sample_id").agg(pl.struct("x", "y").n_unique().alias("places"))
    assert places["places"].to_list() == [1] * 400


def test_maps_share_the_samples_that_are_drawn(two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few are drawn, no map is left without its share of them, and the same ones are drawn tomorrow."""
    monkeypatch.setattr(mapping, "POINTS", 60)
    points = pl.DataFrame(two.report().points)
    assert points["sample_id"].n_unique() == 60
    assert points.group_by("target").len()["len"].min() >= 30
    assert points.equals(pl.DataFrame(two.report().points))


def test_very_many_maps_are_not_all_shown(two: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound those with slices are shown, and the page says so."""
    assert "are shown, those with slices first" not in as_html(two.report())
    monkeypatch.setattr(mapping, "MAPS", 1)
    report = two.report()
    assert {point["target"] for point in report.points} == {"Mass"}
    page = as_html(report)
    assert page.count('<div class="map"') == 1
    assert "Of 2 models and targets 1 are shown, those with slices first" in page
