"""`chexpert`: CheXpert 1.0, small or full size, as Stanford has it, with CheXpert Plus reports where they are there.

ROOT is the folder that holds train.csv, valid.csv (or test.csv) and the images in train/patient00001/study1/…, or the
one above it; df_chexpert_plus_240401.csv beside the tables brings reports, with its sections, and what it knows of the
patients. Labels are columns: positive, negative, uncertain, and missing where a report does not mention them.

Not taken: the DICOM files of CheXpert Plus, its labels by CheXbert, and its dates and ids beside those of the paths.
"""

from typing import Final

import polars as pl

from misread.ingest.faultbook import ROW, numbered
from misread.ingest.files import Source
from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .findings import findings, snake
from .request import Request
from .sections import SECTIONS

_SPLITS: Final = {"train": "train", "valid": "val", "test": "test"}
_COLUMNS: Final = {"Path": "path"}
_KNOWN: Final = {"Sex": "sex", "Age": "age", "Frontal/Lateral": "view", "AP/PA": "view_position"}
_PLUS: Final = "df_chexpert_plus_*.csv"
_HISTORIES: Final = ("section_clinical_history", "section_history")
"""Both tell why an image was asked for, and either may be blank."""
_OF_PATIENTS: Final = ("race", "ethnicity", "insurance_type", "interpreter_needed")
_PATH: Final = r"((?:train|valid|test)/(patient\d+)/(study\d+)/[^/]+)$"


def read(request: Request) -> Archive | None:
    found = {name: request.table(f"{name}.csv", f"*/{name}.csv", required=False) for name in _SPLITS}
    tables = {name: table for name, table in found.items() if table is not None}
    parts = [part for name, table in tables.items() if (part := _part(request, name, table)) is not None]
    if not parts:
        if not request.book.count:
            request.book.whole("train.csv", f"there is neither train.csv nor valid.csv nor test.csv in {request.root}")
        return None
    samples, reports = numbered(pl.concat(parts, how="diagonal")), None
    plus = request.table(_PLUS, f"*/{_PLUS}", required=False)
    if plus is not None:
        samples, reports = _with_plus(request, samples, plus)
    folder = next(iter(tables.values())).path.parent
    source = Source(request.root / "chexpert", "train.csv, valid.csv", samples, typed=True)
    return Archive(source, in_folder(folder), reports)


def _part(request: Request, name: str, table: Source) -> pl.DataFrame | None:
    """The rows of one table, without ROW."""
    labels = [column for column in table.columns if column not in (*_COLUMNS, *_KNOWN)]
    known = {theirs: ours for theirs, ours in _KNOWN.items() if theirs in table.columns}
    rows = request.columns(table, {**_COLUMNS, **known, **{label: label for label in labels}})
    if rows is None:
        return None
    parts = pl.col("path").str.extract_groups(_PATH).struct
    strange = parts.field("1").is_null()
    text = pl.format("'{}' is no path like train/patient00001/study1/view1_frontal.jpg", pl.col("path").fill_null(""))
    request.book.where(table.name, "Path", rows, strange, text)
    words = findings(request, table.name, rows, {label: snake(label) for label in labels})
    good = request.book.good(table.name, rows.drop(labels).join(words, on=ROW))
    ages = [pl.col("age").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)] if "age" in good.columns else []
    return good.select(
        parts.field("1").alias("sample_id"),
        parts.field("2").alias("patient_id"),
        pl.format("{}/{}", parts.field("2"), parts.field("3")).alias("study_id"),
        parts.field("1").alias("image"),
        pl.lit(_SPLITS[name]).alias("split"),
        *(pl.col(ours) for ours in known.values() if ours != "age"),
        *ages,
        *words.drop(ROW).columns,
    )


def _with_plus(request: Request, samples: pl.DataFrame, plus: Source) -> tuple[pl.DataFrame, Source | None]:
    """The samples with what CheXpert Plus knows of their patients, and the reports of their studies."""
    sections = {f"section_{name}": name for name in SECTIONS if f"section_{name}" in plus.columns}
    histories = [name for name in _HISTORIES if name in plus.columns]
    further = [name for name in _OF_PATIENTS if name in plus.columns]
    as_they_are: dict[str, str] = {name: name for name in (*histories, *further)}
    frame = request.columns(plus, {"path_to_image": "path", "report": "report", **sections, **as_they_are})
    if frame is None:
        return samples, None
    frame = frame.with_columns(pl.col("path").str.extract(_PATH).alias("sample_id")).drop_nulls("sample_id")
    frame = frame.unique("sample_id", keep="first", maintain_order=True)
    for path in frame.join(samples, on="sample_id", how="anti")["path"]:
        request.book.item(path, f"no image of the tables belongs to this report in {plus.name}")
    known = frame.select("sample_id", *further)
    both = frame.drop(ROW).join(samples.select("sample_id", "study_id"), on="sample_id", maintain_order="left")
    told = both.drop_nulls("report").unique("study_id", keep="first", maintain_order=True)
    history = pl.concat_str(pl.lit(""), *histories, separator=" ", ignore_nulls=True).str.strip_chars()
    told = told.with_columns(indication=history.replace("", None))
    rows = told.select("study_id", "report", *(name for name in SECTIONS if name in told.columns)).to_dicts()
    blank = dict.fromkeys(SECTIONS)
    reports = request.reports([{**blank, **row} for row in rows])
    return samples.join(known, on="sample_id", how="left", maintain_order="left"), reports
