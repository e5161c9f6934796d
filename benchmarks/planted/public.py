"""Public data: Indiana reports and NIH radiographs, read where they lie, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl

from misread.encode.hog import HogEncoder
from misread.encode.tfidf import TfidfFitter
from misread.fuse import Block
from misread.threads import one_thread

from .cache import Arrays, kept
from .source import Source, classifier_features, patient_codes

FEWEST = 60
"""Rows an attribute needs."""
WORDS = ("focal", "consolidation", "limits", "silhouette", "cardiopulmonary", "clear", "airspace", "contour")
"""How a report is worded: a reader's habit, that may go along with a target."""
NO_PROBLEM = ("normal", "No Indexing")


def data_folder() -> Path:
    """`MISREAD_DATA`, or the workplace's shared data."""
    return Path(os.environ.get("MISREAD_DATA", Path(__file__).parents[3] / "shared" / "data"))


def indiana(cache: Path) -> Source:
    """Findings and impression as text; coded problems as attributes; every report its own patient."""
    rows = read_reports(data_folder())
    problems = _problems(rows)
    old = pl.Series("old", (rows["age"] >= 60).fill_null(False))
    says = [pl.Series(f"says {w}", rows["text"].str.to_lowercase().str.contains(rf"\b{w}\b")) for w in WORDS]
    arrays = kept(cache / "indiana" / f"encoded-{rows.height}.npz", lambda: _encoded_reports(rows["text"].to_list()))
    groups = tuple(name for name in problems.columns if name != "abnormal")
    return Source(
        name="indiana",
        blocks={"report": Block(arrays["report"], np.ones(rows.height, bool))},  # type: ignore[arg-type]
        metadata=rows.select("age", pl.col("views").str.split(";").list.unique().list.sort().list.join("+")),
        attributes=problems.with_columns(old, *says),
        patients=np.arange(rows.height),
        features=arrays["features"],  # type: ignore[arg-type]
        targets=("abnormal", "old", "Opacity", "Cardiomegaly", "Calcinosis", "Pulmonary Atelectasis"),
        groups=groups,
        correlates=tuple(f"says {w}" for w in WORDS),
    )


def read_reports(folder: Path) -> pl.DataFrame:
    """The Indiana reports that are coded, by id, with `text` and `problems`."""
    rows = pl.read_csv(folder / "indiana-reports" / "reports.csv", infer_schema_length=None)
    text = pl.concat_str(pl.col("findings").fill_null(""), pl.col("impression").fill_null(""), separator="\n")
    rows = rows.with_columns(text=text.str.strip_chars(), problems=pl.col("problems").fill_null(""))
    coded = (pl.col("text") != "") & (pl.col("problems") != "") & ~pl.col("problems").str.contains("No Indexing")
    return rows.filter(coded).sort("report_id")


def _problems(rows: pl.DataFrame) -> pl.DataFrame:
    """One yes/no column for every problem of at least 60 reports, and `abnormal`."""
    split = rows["problems"].str.split(";").list.eval(pl.element().str.strip_chars())
    counts = split.explode().value_counts(name="reports").filter(pl.col("reports") >= FEWEST)
    names = sorted(set(counts[counts.columns[0]]) - set(NO_PROBLEM))
    columns = [pl.Series(name, split.list.contains(name)) for name in names]
    return pl.DataFrame([*columns, pl.Series("abnormal", ~split.list.contains("normal"))])


def _encoded_reports(texts: list[str]) -> Arrays:
    fitter = TfidfFitter()
    report = fitter.from_arrays(fitter.fit(texts)).encode(texts)
    with one_thread():
        return {"report": report, "features": classifier_features(report)}


def nih(cache: Path) -> Source:
    """Radiographs without reports: sex, age, view and findings as attributes."""
    folder = data_folder() / "nih-cxr"
    rows = pl.read_csv(folder / "metadata.csv", infer_schema_length=None).sort("sample_id")
    found = rows["finding_labels"].str.split("|")
    counts = found.explode().value_counts(name="films").filter(pl.col("films") >= FEWEST)
    names = sorted(set(counts[counts.columns[0]]) - {"No Finding"})
    attributes = pl.DataFrame(
        [
            *(pl.Series(name, found.list.contains(name)) for name in names),
            pl.Series("female", rows["sex"] == "F"),
            pl.Series("AP view", rows["view"] == "AP"),
            pl.Series("old", rows["age"] >= 60),
            pl.Series("young", rows["age"] < 30),
            pl.Series("abnormal", ~found.list.contains("No Finding")),
        ]
    )
    arrays = kept(cache / "nih" / f"encoded-{rows.height}.npz", lambda: _encoded_films(folder, rows["image"].to_list()))
    return Source(
        name="nih",
        blocks={"image": Block(arrays["hog"], np.ones(rows.height, bool))},  # type: ignore[arg-type]
        metadata=rows.select("age", "sex", "view", "follow_up"),
        attributes=attributes,
        patients=patient_codes(rows["patient_id"]),
        features=arrays["features"],  # type: ignore[arg-type]
        targets=("abnormal", "Pneumonia", "Infiltration", "Effusion", "AP view"),
        groups=tuple(name for name in attributes.columns if name != "abnormal"),
    )


def _encoded_films(folder: Path, images: list[str]) -> Arrays:
    hog = HogEncoder().encode([(folder / image).read_bytes() for image in images])
    with one_thread():
        return {"hog": hog, "features": classifier_features(hog)}
