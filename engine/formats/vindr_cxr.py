"""`vindr-cxr`: VinDr-CXR 1.0.0 as PhysioNet has it, DICOM files and the radiologists' readings.

ROOT holds train/ID.dicom, test/ID.dicom and annotations/image_labels_train.csv, image_labels_test.csv. Of the train set
three radiologists read every film: a finding is positive where all saw it, negative where none did, and uncertain where
they differ. The test set has their consensus. Which patient a film is of is not told: every film stands alone.

Not taken: boxes (annotations_train.csv, annotations_test.csv), who read what, and every field of the headers that is
not listed in dicom_fields or named by the user.
"""

from typing import Final

import polars as pl

from misread.ingest.faultbook import ROW, numbered
from misread.ingest.files import Source
from misread.ingest.sources import Archive

from .dicom_files import in_dicom_folder
from .dicom_rows import with_fields
from .findings import snake
from .request import Request

_SPLITS: Final = ("train", "test")
_NOT_FINDINGS: Final = ("image_id", "rad_id")
_FINDING: Final = {"other_disease": "other_diseases"}
"""Findings of the test set's table (left) and how that of the train set calls them."""
_NAME: Final = "annotations/image_labels.csv"


def read(request: Request) -> Archive | None:
    parts = []
    for split in _SPLITS:
        pattern = f"annotations/image_labels_{split}.csv"
        labels = _labels(request, request.table(pattern), split)
        if labels is None:
            return None
        parts.append(labels)
    samples, fields = with_fields(request, _NAME, numbered(pl.concat(parts, how="diagonal")))
    found = Source(request.root / _NAME, _NAME, samples, typed=True)
    return Archive(found, in_dicom_folder(request.root), notices=tuple(fields.notices()), kept=fields.kept)


def _labels(request: Request, table: Source | None, split: str) -> pl.DataFrame | None:
    """One row a film: sample_id, split, image and its findings."""
    if table is None:
        return None
    names = [column for column in table.columns if column.casefold() not in _NOT_FINDINGS]
    frame = request.columns(table, {"image_id": "sample_id", **{name: name for name in names}})
    if frame is None:
        return None
    for name in names:
        strange = ~pl.col(name).is_in(["0", "1", "0.0", "1.0"]).fill_null(value=False)
        request.book.where(table.name, name, frame, strange, pl.format("'{}' is neither 0 nor 1", name))
    if request.book.skipping:  # what two of three saw is not what all saw
        faulty = frame.join(request.book.good(table.name, frame), on=ROW, how="anti")["sample_id"]
        of_them = pl.col("sample_id").is_in(faulty.implode())
        whole = request.book.good(table.name, frame)
        request.book.where(table.name, "image_id", whole, of_them, "another reading of the film is at fault")
    good = request.book.good(table.name, frame).drop_nulls("sample_id")
    words = [_word(pl.col(name).cast(pl.Float64)).alias(_FINDING.get(snake(name), snake(name))) for name in names]
    films = good.group_by("sample_id", maintain_order=True).agg(words)
    path = pl.format("{}/{}.dicom", pl.lit(split), "sample_id")
    return films.with_columns(pl.lit(split).alias("split"), path.alias("image"))


def _word(votes: pl.Expr) -> pl.Expr:
    agreed = pl.when(votes.min() == 1).then(pl.lit("positive")).when(votes.max() == 0).then(pl.lit("negative"))
    return agreed.otherwise(pl.lit("uncertain"))
