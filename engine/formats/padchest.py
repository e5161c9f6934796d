"""`padchest`: PadChest as BIMCV has it, the labels of January 2019.

ROOT holds PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv and the 16-bit PNG files, in folders 0 to 54 (unpacked)
or all in one. Labels are the column `labels`, separated by |, and a column for each of the most usual: positive where
it, or what lies below it in the data set's trees of terms, is listed (a laminar atelectasis is an atelectasis), else
negative. Where nothing but `unchanged`, `exclude` or `suboptimal study` is listed, findings are not told, and missing.
Reports are in Spanish, as stems without stop words, as the data set has them. Whether a person or a network labelled a
report is in `method_label`. The patient's age is the year of the study less that of birth.

Not taken: dates, places in the body (Localizations), concept codes, and technical fields of the header beyond the
maker and the exposure.
"""

import ast
from typing import Final

import polars as pl

from misread.ingest.faultbook import ROW
from misread.ingest.files import Source
from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .findings import named_findings
from .request import Request

FINDINGS: Final = (
    "normal", "cardiomegaly", "pleural effusion", "pneumonia", "atelectasis", "infiltrates", "nodule", "mass",
    "pneumothorax", "consolidation", "emphysema", "COPD signs", "interstitial pattern", "alveolar pattern",
    "pleural thickening", "hiatal hernia", "scoliosis", "unchanged", "exclude", "suboptimal study",
)  # fmt: skip
_KINDS: Final = {
    "pleural effusion": (
        "loculated pleural effusion", "loculated fissural effusion", "hydropneumothorax", "empyema", "hemothorax",
    ),
    "pneumonia": ("atypical pneumonia",),
    "atelectasis": (
        "total atelectasis", "lobar atelectasis", "segmental atelectasis", "laminar atelectasis", "round atelectasis",
        "atelectasis basal",
    ),
    "infiltrates": (
        "interstitial pattern", "ground glass pattern", "reticular interstitial pattern",
        "reticulonodular interstitial pattern", "miliary opacities", "alveolar pattern", "consolidation",
        "air bronchogram",
    ),
    "nodule": ("multiple nodules",),
    "mass": ("mediastinal mass", "breast mass", "pleural mass", "pulmonary mass", "soft tissue mass"),
    "pneumothorax": ("hydropneumothorax",),
    "consolidation": ("air bronchogram",),
    "interstitial pattern": (
        "ground glass pattern", "reticular interstitial pattern", "reticulonodular interstitial pattern",
        "miliary opacities",
    ),
    "alveolar pattern": ("consolidation", "air bronchogram"),
    "pleural thickening": ("apical pleural thickening", "calcified pleural thickening"),
}  # fmt: skip
"""What lies below a finding in the trees of terms; images list the narrowest name alone."""
_SILENT: Final = ("unchanged", "exclude", "suboptimal study")
_COLUMNS: Final = {
    "ImageID": "sample_id",
    "ImageDir": "folder",
    "StudyID": "study_id",
    "PatientID": "patient_id",
    "StudyDate_DICOM": "studied",
    "PatientBirth": "born",
    "PatientSex_DICOM": "sex",
    "Projection": "projection",
    "MethodProjection": "method_projection",
    "Pediatric": "pediatric",
    "Manufacturer_DICOM": "manufacturer",
    "Exposure_DICOM": "exposure",
    "Report": "report",
    "MethodLabel": "method_label",
    "Labels": "labels",
}


def read(request: Request) -> Archive | None:
    source = request.table("PADCHEST_chest_x_ray_images_labels_160K*.csv")
    rows = request.columns(source, _COLUMNS)
    if source is None or rows is None:
        return None
    year = pl.col("studied").str.slice(0, 4).cast(pl.Int64, strict=False)
    samples = rows.with_columns(
        _listed(request, source.name, rows).alias("labels"),
        (year - pl.col("born").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)).alias("age"),
        pl.col("exposure").cast(pl.Float64, strict=False).fill_nan(None),
        _places(request, rows).alias("image"),
    ).with_columns(*named_findings("labels", FINDINGS, _KINDS, _SILENT))
    told = rows.drop_nulls(["report", "study_id"]).unique("study_id", keep="first", maintain_order=True)
    reports = request.reports([{**row, "findings": None} for row in told.select("study_id", "report").to_dicts()])
    kept = samples.drop("folder", "studied", "born", "report")
    return Archive(Source(source.path, source.name, kept, typed=True), in_folder(request.root), reports)


def _listed(request: Request, file: str, rows: pl.DataFrame) -> pl.Series:
    """The cells of `labels`, Python lists of texts, joined by |; NULL where a cell is blank, else a fault."""
    found: list[str | None] = []
    for row, text in rows.select(ROW, "labels").iter_rows():
        names = _names(text)
        if names is None:
            request.book.row(file, row, "Labels", f"{text[:80]!r} is no list of labels")
        found.append(None if not names else "|".join(names))
    return pl.Series(found, dtype=pl.String)


def _names(text: str | None) -> list[str] | None:
    if text is None or text == "nan":
        return []
    try:
        listed = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        return None
    return [name.strip() for name in listed if name.strip()]


def _places(request: Request, rows: pl.DataFrame) -> pl.Series:
    """Where each picture lies: in its folder, or where there is none of that name, in ROOT."""
    folders = rows["folder"].str.replace(r"\.0$", "").fill_null("")
    there = {folder: (request.root / folder).is_dir() for folder in folders.unique() if folder.isdigit()}
    return pl.Series(
        [
            None if name is None else f"{folder}/{name}" if there.get(folder) else name
            for folder, name in zip(folders, rows["sample_id"], strict=True)
        ],
        dtype=pl.String,
    )
