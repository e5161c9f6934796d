from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from misread.demo import Archive, Exposure, Plant, appearances, draw_population, expose_films, write_archive
from misread.demo.archive import FALSE_ALARM, MISSED
from misread.demo.classifier import film_features, fit_classifier

TABLES = ("metadata.csv", "reports.csv", "predictions.csv")


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("demo")
    return write_archive(folder, films=140, training_films=340, seed=5, workers=2)


def table(archive: Archive, name: str) -> pl.DataFrame:
    return pl.read_csv(archive.folder / name)


def calls(archive: Archive) -> pl.DataFrame:
    """Audited films, called positive above the score that a tenth of healthy undrained films reach."""
    told = table(archive, "predictions.csv").join(archive.films.drop("split"), on="sample_id")
    cut = told.filter(~pl.col("pneumothorax"), ~pl.col("drain"))["score"].quantile(0.9)
    return told.with_columns(called=pl.col("score") >= cut)


def test_the_files_speak_of_the_same_films(archive: Archive) -> None:
    """Metadata, predictions, answer and pictures hold the same films; reports a subset, nearly all."""
    ids = set(table(archive, "metadata.csv")["sample_id"])
    assert len(ids) == 140
    assert set(table(archive, "predictions.csv")["sample_id"]) == ids == set(archive.answer["sample_id"])
    told = set(table(archive, "reports.csv")["sample_id"])
    assert told < ids
    assert len(told) > 0.9 * len(ids)
    images = table(archive, "metadata.csv")["image"]
    assert {str(p.relative_to(archive.folder)) for p in archive.folder.glob("images/*")} == set(images)


@pytest.mark.slow
def test_pictures_are_eight_bit_grey(archive: Archive) -> None:
    """Every picture opens as a grey 256 x 256 PNG."""
    for name in table(archive, "metadata.csv")["image"].head(20):
        with Image.open(archive.folder / name) as picture:
            assert (picture.mode, picture.size, picture.format) == ("L", (256, 256), "PNG")


def test_metadata_does_not_give_the_answer_away(archive: Archive) -> None:
    """No metadata column holds the label or the drain, or nearly tells a film's group."""
    metadata = table(archive, "metadata.csv")
    assert not {"pneumothorax", "drain", "drain_side", "label", "film_seed", "body"} & set(metadata.columns)
    label = archive.films["pneumothorax"].to_numpy()
    for name in metadata.columns[5:]:
        codes = metadata[name].cast(pl.String).fill_null("?").rank("dense").to_numpy()
        assert abs(np.corrcoef(codes, label)[0, 1]) < 0.5 if len(set(codes)) > 1 else True


def test_some_ages_are_missing(archive: Archive) -> None:
    """A few percent of ages are gaps, and no other column has any."""
    gaps = table(archive, "metadata.csv").null_count()
    assert 0 < gaps["age"][0] < 16
    assert sum(gaps.drop("age").row(0)) == 0


def test_the_answer_names_the_planted_groups(archive: Archive) -> None:
    """The answer's columns are the groups, and membership follows from the films."""
    assert archive.groups["slice"].to_list() == [MISSED, FALSE_ALARM]
    assert archive.groups["true_class"].to_list() == [1, 0]
    joined = archive.answer.join(archive.films, on="sample_id")
    assert (joined[MISSED] == (joined["pneumothorax"] & ~joined["drain"])).all()
    assert (joined[FALSE_ALARM] == (joined["drain"] & ~joined["pneumothorax"])).all()
    assert archive.groups["films"].to_list() == [joined[MISSED].sum(), joined[FALSE_ALARM].sum()]


def test_the_classifier_learnt_the_drain(archive: Archive) -> None:
    """Without a drain it misses far more pneumothoraces; with one it raises far more false alarms."""
    told = calls(archive)
    rate = {
        key: told.filter(pl.col("label") == key[0], pl.col("drain") == key[1])["called"].mean()
        for key in ((1, True), (1, False), (0, True), (0, False))
    }
    assert rate[1, True] > 0.6
    assert rate[1, True] > rate[1, False] + 0.3
    assert rate[0, True] > 0.4
    assert roc_auc_score(told["label"], told["score"]) > 0.7


@pytest.mark.slow
def test_an_archive_does_not_depend_on_workers_and_tells_its_progress(tmp_path: Path) -> None:
    """One process or two, the files are byte for byte the same; progress ends at its total."""
    heard: list[tuple[int, int, str]] = []
    for workers in (1, 2):
        write_archive(
            tmp_path / str(workers), films=12, training_films=40, seed=3, workers=workers,
            progress=lambda done, total, what: heard.append((done, total, what)),
        )  # fmt: skip
    files = sorted(p.relative_to(tmp_path / "1") for p in (tmp_path / "1").rglob("*") if p.is_file())
    assert len(files) == 15
    for name in files:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes(), name
    assert (52, 52, "drawing films") in heard
    assert heard[-1] == (1, 1, "training the classifier")


def test_too_small_an_archive_is_refused(tmp_path: Path) -> None:
    """An archive too small to learn from is refused before anything is written."""
    with pytest.raises(ValueError, match="at least"):
        write_archive(tmp_path / "none", films=2, training_films=10)
    assert not (tmp_path / "none").exists()


def test_films_come_back_in_order() -> None:
    """Features are those of the drawn films, row by row; no films give no rows."""
    films = draw_population(20, seed=1).head(5)
    shown = [Exposure(a, s) for a, s in zip(appearances(films), films["film_seed"], strict=True)]
    features = expose_films(shown, workers=1)
    assert features.shape == (5, 3072)
    assert np.array_equal(features[3], expose_films(shown[3:4], workers=1)[0])
    assert expose_films([]).shape == (0, 3072)


def test_a_classifier_needs_both_classes_and_square_films() -> None:
    """One class only, or a film of another shape, is refused."""
    with pytest.raises(ValueError, match="one class"):
        fit_classifier(np.zeros((4, 3072), np.float32), np.ones(4, bool))
    with pytest.raises(ValueError, match="square"):
        film_features(np.zeros((100, 256), np.uint8))


def test_a_planted_population_can_be_drawn_to_files(tmp_path: Path) -> None:
    """A benchmark can plant any pair and keep the pictures where it likes."""
    films = draw_population(6, seed=2, plant=Plant("supine", "pacemaker", 0.9, 0.1, rate=0.5))
    paths = [tmp_path / f"{name}.png" for name in films["sample_id"]]
    expose_films([Exposure(*row) for row in zip(appearances(films), films["film_seed"], paths, strict=True)])
    assert all(path.exists() for path in paths)
