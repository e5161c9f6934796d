"""The demo archive: films, reports, metadata and a real classifier's predictions, with the answer known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from misread.progress import Progress, silent

from .attributes import Plant
from .classifier import fit_classifier
from .films import Exposure, expose_films
from .population import FILMS_PER_PATIENT, appearances, draw_population
from .reports import write_report

MODEL = "demo-classifier"
TARGET = "Pneumothorax"
MISSED = "pneumothorax without a drain"
FALSE_ALARM = "drain without pneumothorax"

_TRAINING = Plant("drain", "pneumothorax", 0.97, 0.02, rate=0.35)
_AUDITED = Plant("drain", "pneumothorax", 0.50, 0.07, rate=0.22)
_METADATA = (
    "sample_id", "patient_id", "study_id", "image", "split", "age", "sex", "view", "habitus", "scanner", "marker",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Archive:
    """What `write_archive` wrote, and what a good audit of it finds.

    Attributes:
        folder: where the files lie: images/, metadata.csv, reports.csv, predictions.csv.
        films: the audited population, one row per film, with everything each film shows.
        answer: the planted groups, one row per film: sample_id, one bool column per group.
        groups: the planted groups: slice, true_class, error ('missed', 'false alarm'), films.
    """

    folder: Path
    films: pl.DataFrame
    answer: pl.DataFrame
    groups: pl.DataFrame


def write_archive(
    folder: str | Path,
    *,
    films: int = 1600,
    training_films: int = 1200,
    seed: int = 7,
    workers: int | None = None,
    progress: Progress = silent,
) -> Archive:
    """Write an archive whose classifier learnt to look for the chest drain, not for the pneumothorax.

    A small classifier is fitted to films of other patients, in which a pneumothorax nearly always comes with
    a drain, and then scores the archive's films, in which it often does not. Nothing about its mistakes is
    made up: they follow from the pixels. The training films are drawn, learnt from and not kept.

    Args:
        folder: made if need be; files of an earlier archive in it are written over.
        films: films to audit, 8 or more.
        training_films: films to learn from, 40 or more.
        seed: the same seed gives the same files.
        workers: processes that draw; None takes one per core. The files do not depend on it.
        progress: called as progress(done, total, what).

    Raises:
        ValueError: too few films.
    """
    if films < 8 or training_films < 40:
        raise ValueError(f"{films} films and {training_films} to learn from; at least 8 and 40 are needed")
    root = Path(folder)
    (root / "images").mkdir(parents=True, exist_ok=True)
    taught = _population(training_films, seed=2 * seed, plant=_TRAINING, prefix="T")
    audited = _population(films, seed=2 * seed + 1, plant=_AUDITED, prefix="P")
    audited = audited.with_columns(image="images/" + pl.col("sample_id") + ".png", split=pl.lit("audit"))
    paths = [root / image for image in audited["image"]]
    exposures = _exposures(taught, None) + _exposures(audited, paths)
    features = expose_films(exposures, workers=workers, progress=progress)
    progress(0, 1, "training the classifier")
    model = fit_classifier(features[: len(taught)], taught["pneumothorax"].to_numpy())
    progress(1, 1, "training the classifier")
    _write_predictions(root, audited, model.score(features[len(taught) :]))
    _write_metadata(root, audited, seed)
    _write_reports(root, audited, seed)
    answer = _answer(audited)
    return Archive(root, audited, answer, _groups(answer))


def _population(films: int, *, seed: int, plant: Plant, prefix: str) -> pl.DataFrame:
    """Exactly `films` films: patients are drawn until there are enough, the last one cut short if need be."""
    each = sum((k + 1) * p for k, p in enumerate(FILMS_PER_PATIENT))
    patients = int(films / each * 1.2) + 20
    return draw_population(patients, seed=seed, plant=plant, prefix=prefix).head(films)


def _exposures(films: pl.DataFrame, paths: Sequence[Path] | None) -> list[Exposure]:
    seeds = films["film_seed"].to_list()
    kept = list(paths) if paths is not None else [None] * len(films)
    return [Exposure(*row) for row in zip(appearances(films), seeds, kept, strict=True)]


def _write_predictions(root: Path, films: pl.DataFrame, scores: np.ndarray) -> None:
    films.select(
        "sample_id",
        pl.lit(MODEL).alias("model"),
        pl.lit(TARGET).alias("target"),
        pl.col("pneumothorax").cast(pl.Int8).alias("label"),
        pl.Series("score", scores),
    ).write_csv(root / "predictions.csv")


def _write_metadata(root: Path, films: pl.DataFrame, seed: int) -> None:
    """Metadata with gaps in age, and nothing that a film's label could be read from."""
    unknown = np.random.default_rng([seed, 4]).random(len(films)) < 0.03
    age = pl.when(pl.Series(unknown)).then(None).otherwise(pl.col("age")).alias("age")
    films.with_columns(age).select(_METADATA).write_csv(root / "metadata.csv")


def _write_reports(root: Path, films: pl.DataFrame, seed: int) -> None:
    missing = np.random.default_rng([seed, 5]).random(len(films)) < 0.03
    rows = zip(films["sample_id"], appearances(films), films["film_seed"], missing, strict=True)
    written = [(name, write_report(look, film_seed)) for name, look, film_seed, gone in rows if not gone]
    schema = {"sample_id": pl.String, "report": pl.String}
    pl.DataFrame(written, schema=schema, orient="row").write_csv(root / "reports.csv")


def _answer(films: pl.DataFrame) -> pl.DataFrame:
    ill, drained = pl.col("pneumothorax"), pl.col("drain")
    return films.select("sample_id", (ill & ~drained).alias(MISSED), (drained & ~ill).alias(FALSE_ALARM))


def _groups(answer: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "slice": [MISSED, FALSE_ALARM],
            "true_class": [1, 0],
            "error": ["missed", "false alarm"],
            "films": [int(answer[MISSED].sum()), int(answer[FALSE_ALARM].sum())],
        }
    )
