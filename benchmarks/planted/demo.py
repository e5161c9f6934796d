"""The demo's radiographs: drawn once, then only their vectors, reports and attributes are kept."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import polars as pl

from misread.demo import ATTRIBUTES, appearances, draw, draw_population, write_report
from misread.demo.classifier import film_features
from misread.encode.hog import HogEncoder
from misread.encode.tfidf import TfidfFitter
from misread.fuse import Block
from misread.progress import Progress, silent
from misread.threads import one_thread

from .cache import Arrays, kept
from .source import Source, classifier_features, patient_codes

FILMS = 8000
CHUNK_PATIENTS = 200
FILMS_PER_PATIENT = (0.45, 0.25, 0.15, 0.10, 0.05)
MISSING_REPORTS = 0.03
METADATA = ("age", "sex", "view", "habitus", "scanner", "marker")
TARGETS = ("pneumothorax", "effusion", "consolidation", "cardiomegaly", "nodule", "drain")
RATES = {
    "pneumothorax": 0.35, "effusion": 0.35, "consolidation": 0.3, "cardiomegaly": 0.35, "nodule": 0.25,
    "drain": 0.35, "supine": 0.3, "tube": 0.25, "line": 0.3, "leads": 0.4, "pacemaker": 0.25, "gastric_tube": 0.25,
    "shallow": 0.3, "rotated": 0.3, "underexposed": 0.3, "older_scanner": 0.4, "large": 0.3, "right_marker": 0.25,
}  # fmt: skip
"""Far above nature, so that every cell of every pair of attributes is well filled; scenarios draw from the cells."""


def demo(cache: Path, films: int = FILMS, workers: int = 1, progress: Progress = silent) -> Source:
    """About `films` films: as many whole chunks of 200 patients as that takes."""
    chunks = max(1, round(films / (CHUNK_PATIENTS * sum((k + 1) * p for k, p in enumerate(FILMS_PER_PATIENT)))))
    drawn = _drawn(cache / "demo", chunks, workers, progress)
    rows = pl.concat([population(chunk) for chunk in range(chunks)])
    arrays = kept(cache / "demo" / f"encoded-{chunks}.npz", lambda: _encoded(rows, drawn))
    return Source(
        name="demo",
        blocks={
            "image": Block(np.concatenate([d["hog"] for d in drawn]), np.ones(rows.height, bool)),
            "report": Block(arrays["report"], arrays["present"]),  # type: ignore[arg-type]
        },
        metadata=rows.select(METADATA),
        attributes=rows.select(ATTRIBUTES),
        patients=patient_codes(rows["patient_id"]),
        features=arrays["features"],  # type: ignore[arg-type]
        targets=TARGETS,
        groups=ATTRIBUTES,
    )


def population(chunk: int) -> pl.DataFrame:
    """The films of one chunk; their ids sort after those of the chunk before."""
    return draw_population(
        CHUNK_PATIENTS, seed=9000 + chunk, rates=RATES, films_per_patient=FILMS_PER_PATIENT, prefix=f"B{chunk:03d}-"
    )


def _drawn(folder: Path, chunks: int, workers: int, progress: Progress) -> list[Arrays]:
    todo = [c for c in range(chunks) if not _place(folder, c).exists()]
    if workers > 1 and len(todo) > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for done, _ in enumerate(pool.map(partial(_chunk, folder), todo), start=1):
                progress(done, len(todo), "drawing radiographs")
    for done, chunk in enumerate(todo, start=1):
        _chunk(folder, chunk)
        progress(done, len(todo), "drawing radiographs")
    return [kept(_place(folder, c), dict) for c in range(chunks)]


def _place(folder: Path, chunk: int) -> Path:
    return folder / f"chunk-{chunk:03d}.npz"


def _chunk(folder: Path, chunk: int) -> int:
    kept(_place(folder, chunk), lambda: _expose(population(chunk)))
    return chunk


def _expose(films: pl.DataFrame) -> Arrays:
    from PIL import Image

    pictures, features = [], []
    for appearance, seed in zip(appearances(films), films["film_seed"], strict=True):
        picture = draw(appearance, int(seed))
        features.append(film_features(picture).astype(np.float16))
        file = BytesIO()
        Image.fromarray(picture).save(file, "PNG", compress_level=1)
        pictures.append(file.getvalue())
    return {"hog": HogEncoder().encode(pictures), "features": np.stack(features)}


def _encoded(films: pl.DataFrame, drawn: list[Arrays]) -> Arrays:
    """What is fitted on all films: report vectors, and the classifier's features."""
    looks = zip(appearances(films), films["film_seed"], strict=True)
    texts = [write_report(appearance, int(seed)) for appearance, seed in looks]
    fitter = TfidfFitter()
    report = fitter.from_arrays(fitter.fit(texts)).encode(texts)
    present = np.random.default_rng(9).random(films.height) >= MISSING_REPORTS
    with one_thread():
        features = classifier_features(np.concatenate([d["features"] for d in drawn]))
    return {"report": report, "present": present, "features": features}
