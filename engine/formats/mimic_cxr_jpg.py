"""`mimic-cxr-jpg`: MIMIC-CXR-JPG 2.0.0 and 2.1.0 as PhysioNet has it, with the reports of MIMIC-CXR beside it.

ROOT holds files/p10/p10000032/s50414267/ID.jpg, mimic-cxr-2.0.0-metadata.csv.gz, and if they are there the split and
the labels of CheXpert and NegBio (.csv or .csv.gz); the reports of mimic-cxr-reports.zip, unpacked, lie at
files/p10/p10000032/s50414267.txt. Labels are the columns chexpert_… and negbio_…: positive, negative, uncertain, and
missing where the labeller found no mention.

Not taken: dates and times, sizes of the images, coded names of procedures, views and positions, the test set labelled
by hand, IMAGE_FILENAMES. PerformedProcedureStepDescription is free text that may name people (the basic profile of
DICOM PS3.15 removes it): it is taken, as `performed_procedure_step_description`, only where the user names it with
--keep-identifiers.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from misread.ingest.faultbook import ROW, repeated
from misread.ingest.files import Source
from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .findings import findings, snake
from .mimic import study_folder, study_reports
from .request import Request

_METADATA: Final = {
    "dicom_id": "sample_id",
    "subject_id": "patient_id",
    "study_id": "study_id",
    "ViewPosition": "view_position",
}
_FREE_TEXT: Final = {"PerformedProcedureStepDescription": "performed_procedure_step_description"}
LABELLERS: Final = ("chexpert", "negbio")
_KEYS: Final = ("subject_id", "study_id")


def read(request: Request) -> Archive | None:
    source = request.table("mimic-cxr-*-metadata.csv")
    named = {theirs: ours for theirs, ours in _FREE_TEXT.items() if theirs in request.kept}
    samples = request.columns(source, {**_METADATA, **named})
    if source is None or samples is None:
        return None
    samples = samples.with_columns(pl.format("{}/{}.jpg", study_folder(), "sample_id").alias("image"))
    splits = request.columns(
        request.table("mimic-cxr-*-split.csv", required=False), {"dicom_id": "sample_id", "split": "split"}
    )
    if splits is not None:
        samples = samples.join(_once(splits.drop(ROW), "sample_id"), on="sample_id", how="left", maintain_order="left")
    for labeller in LABELLERS:
        labels = _labels(request, labeller)
        if labels is not None:
            samples = samples.join(labels, on="study_id", how="left", maintain_order="left")
    reports = study_reports(request, samples)
    found = Source(source.path, source.name, samples, typed=True)
    kept = tuple(_FREE_TEXT.get(name, name) for name in request.kept)
    return Archive(found, in_folder(request.root), reports, tuple(_left_out(source, named)), kept)


def _left_out(source: Source, named: Mapping[str, str]) -> Iterator[str]:
    there = {column.casefold() for column in source.columns}
    for column in _FREE_TEXT:
        if column.casefold() in there and column not in named:
            told = f"{column!r} is free text and was left out; to keep it, name it with --keep-identifiers"
            yield f"{source.name}: {told}"


def _labels(request: Request, labeller: str) -> pl.DataFrame | None:
    """study_id and the labels of one labeller, one row a study."""
    table = request.table(f"mimic-cxr-*-{labeller}.csv", required=False)
    if table is None:
        return None
    names = [column for column in table.columns if column.casefold() not in _KEYS]
    frame = request.columns(table, {"study_id": "study_id", **{name: name for name in names}})
    if frame is None:
        return None
    request.book.rows(table.name, "study_id", repeated(frame, ["study_id"], "the labels of study"))
    worded = findings(request, table.name, frame, {name: f"{labeller}_{snake(name)}" for name in names})
    good = request.book.good(table.name, worded.with_columns(frame["study_id"]))
    return _once(good.drop(ROW), "study_id")


def _once(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    return frame.drop_nulls(key).unique(key, keep="first", maintain_order=True)
