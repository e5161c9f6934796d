"""Pretrained models go the whole way: saved, loaded, embedded, searched, described; with Ray as without."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from encode.encode_inputs import encoded, image_row, vectors
from encode.tiny_models import MODELS
from polars.testing import assert_frame_equal

import misread as mr
from misread.encode import embed
from misread.encode.pretrained import text_tower
from misread.schemas.tables import IMAGES, PREDICTIONS, REPORTS
from misread.store import TableStore
from stores import table

pytest.importorskip("torch", reason="pretrained models need torch")
pytest.importorskip("transformers", reason="pretrained models need transformers")

SAMPLES = 420
REPORTS_OF = ("Low lung volumes. XXXX opacity at the left base.", "Large right pleural effusion. Chest tube in place.")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    root = tmp_path_factory.mktemp("models")
    return lambda name: root / name if (root / name).exists() else MODELS[name](root / name)


def planted(location: Path) -> tuple[TableStore, set[str]]:
    """Pictures of which a third have a bright block, whose positives are mostly missed; their reports say so."""
    rng = np.random.default_rng(5)
    images, predictions, reports, group = [], [], [], set()
    for n in range(SAMPLES):
        sample, inside, label = f"s{n:03}", rng.random() < 1 / 3, int(rng.random() < 0.5)
        pixels = rng.integers(0, 90, (32, 32)).astype(np.uint8)
        if inside:
            group.add(sample)
            pixels[4:20, 4:28] += 150
        images.append(image_row(sample, encoded(pixels)) | {"patient_id": f"p{n}"})
        wrong = rng.random() < (0.8 if inside and label else 0.1)
        score = 0.9 if bool(label) != wrong else 0.1
        predictions.append(
            {"sample_id": sample, "model": "m", "target": "t", "label": label, "score": score, "threshold": 0.5}
        )
        reports.append({"sample_id": sample, "report": REPORTS_OF[inside]})
    store = TableStore.open_or_new(location)
    with store.commit("ingest") as commit:
        commit.append("images", table(IMAGES, images))
        commit.append("predictions", table(PREDICTIONS, predictions))
        commit.append("reports", table(REPORTS, reports))
    return store, group


@pytest.mark.slow
@pytest.mark.parametrize(
    ("image", "report"), [("clip", "clip"), ("siglip", "siglip"), ("siglip2", "siglip2"), ("dinov2", "bert")]
)
def test_a_planted_slice_is_found_and_described(
    image: str, report: str, models: Callable[[str], Path], tmp_path: Path
) -> None:
    """Errors planted in what the pictures show are found through the model's vectors, and put into words."""
    store, group = planted(tmp_path / "store")
    embed(store, image_encoder=str(models(image)), report_encoder=str(models(report)))
    audit = mr.open(store.location).scan().fuse().discover(permutations=19, stability=0).describe().sink()
    opened = mr.open(store.location)
    found = opened.sql(
        "SELECT sample_id FROM memberships JOIN slices USING (slice_id) WHERE true_class = 1 AND confirmed"
    )["sample_id"]
    members = set(found)
    assert len(members & group) > 0.6 * len(members) > 30
    told = opened.sql(
        "SELECT phrase FROM phrases JOIN slices USING (slice_id) "
        "WHERE true_class = 1 AND phrases.q_value < 0.05 AND rate_inside > rate_outside + 0.5"
    )
    phrases = told["phrase"]
    assert len(phrases) > 0
    (notes,) = opened.sql("SELECT notes FROM audits")["notes"].to_list()
    assert any(f"the space of the image encoder {image}" in note for note in notes) == (image != "dinov2")
    assigned = opened.assign(audit, "true")
    assert set(assigned["sample_id"]) == {f"s{n:03}" for n in range(SAMPLES)}
    if image != "dinov2":
        tower = text_tower(opened.encoders[image])
        assert tower is not None
        assert tower.text_vectors(list(phrases)).shape == (len(phrases), opened.encoders[image].dimension)


OVER_RAY = """
import sys
from misread import library
from misread.encode import embed
from misread.execute import fusing
from misread.workers import workers

fusing.SPAN = 50
location, model = sys.argv[1:]
with workers("local") as two:
    assert two.cpus >= 2
    store = library.open(location)
    for image, report in (("hog", "tfidf"), (model, None)):
        embed(store, image_encoder=image, report_encoder=report, workers=two)
    store = library.open(location)
    audit = store.scan().fuse().discover(permutations=19).describe().sink(workers=two)
    store = library.open(location)
    store.assigned(audit, "true", workers=two).rows.write_parquet(location + ".parquet")
    try:
        embed(store, image_encoder=sys.argv[2] + "/nowhere", workers=two)
    except Exception as error:
        print(type(error).__name__)
"""


@pytest.mark.slow
def test_ray_gives_the_same_tables(models: Callable[[str], Path], tmp_path: Path) -> None:
    """Two processes of Ray: the same vectors (of a network to 1e-5), the same slices and the same rows assigned."""
    pytest.importorskip("ray", reason="the work is divided by Ray")
    here, _ = planted(tmp_path / "here")
    there, _ = planted(tmp_path / "there")
    embed(here)
    embed(here, image_encoder=str(models("dinov2")), report_encoder=None)
    command = [sys.executable, "-c", OVER_RAY, there.location, str(models("dinov2"))]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["MisreadError"]
    there = TableStore.open(there.location)
    assert there.encoders.keys() == here.encoders.keys()
    for name in ("embeddings_hog", "embeddings_tfidf"):
        assert there.manifest.tables[name] == here.manifest.tables[name]
    one, two = vectors(here, "dinov2"), vectors(there, "dinov2")
    assert one.keys() == two.keys()
    np.testing.assert_allclose([two[sample] for sample in one], list(one.values()), atol=1e-5)
    opened = mr.open(there.location)
    members = opened.scan().fuse().discover(permutations=19).collect(cache=False)
    assert members.height > 10
    kept = opened.scan_table("memberships").collect().select(members.columns).sort("slice_id", "rank")
    assert_frame_equal(kept, members.sort("slice_id", "rank"), abs_tol=1e-8)
    alone = opened.assign(opened.sql("SELECT audit_id FROM audits")["audit_id"][0], "true")
    beside = pl.read_parquet(there.location + ".parquet")
    assert beside.drop("class_probability").equals(alone.drop("class_probability"))
    gaps = (beside["class_probability"] - alone["class_probability"]).abs().max()
    assert gaps is None or gaps < 1e-12
