"""`nih-cxr14`: NIH ChestX-ray14 as Box and its mirrors have it.

ROOT holds Data_Entry_2017.csv (or Data_Entry_2017_v2020.csv), the images in images_001/images to images_012/images or
in images, and train_val_list.txt and test_list.txt if they are there. Findings are columns: positive where the labels
list one, else negative, as the data set counts them (it was mined from reports and knows no uncertain). Ages are whole
years, also where a table has them as in DICOM: 058Y, 010M, 001D.

Not taken: boxes (BBox_List_2017.csv), and the sizes of the original images.
"""

from collections import defaultdict
from typing import Final

import polars as pl

from misread.ingest.files import Source
from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .findings import named_findings
from .request import Request

FINDINGS: Final = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Effusion", "Emphysema", "Fibrosis", "Hernia",
    "Infiltration", "Mass", "Nodule", "Pleural_Thickening", "Pneumonia", "Pneumothorax",
)  # fmt: skip
_COLUMNS: Final = {
    "Image Index": "sample_id",
    "Patient ID": "patient_id",
    "Finding Labels": "finding_labels",
    "Follow-up #": "follow_up",
    "Patient Age": "age",
    "Patient Gender": "sex",
    "View Position": "view_position",
}
_LISTS: Final = {"train_val_list.txt": "train", "test_list.txt": "test"}
_OF_YEAR: Final = {"Y": 1, "M": 12, "W": 52, "D": 365}
_OLDEST: Final = 120
"""Ages beyond are slips of the pen in the data set, as its users know, and missing here."""


def read(request: Request) -> Archive | None:
    source = request.table("Data_Entry_2017*.csv")
    if source is None:
        return None
    rows = request.columns(source, _columns(source))
    if rows is None:
        return None
    there = _pictures(request)
    rows = _told_apart(request, rows, there)
    age = _years(pl.col("age"))
    samples = rows.with_columns(
        *named_findings("finding_labels", FINDINGS),
        pl.col("follow_up").cast(pl.Int64, strict=False),
        pl.when(age <= _OLDEST).then(age).alias("age"),
        pl.col("sample_id").replace_strict(_splits(request), default=None, return_dtype=pl.String).alias("split"),
        _places(rows, there).alias("image"),
    )
    notices = _notices(rows, samples)
    return Archive(Source(source.path, source.name, samples, typed=True), in_folder(request.root), notices=notices)


def _years(age: pl.Expr) -> pl.Expr:
    of_year = age.str.extract(r"([YMWD])$").replace_strict(_OF_YEAR, default=1, return_dtype=pl.Int64)
    return age.str.extract(r"^(\d+)[YMWD]?$").cast(pl.Int64, strict=False) // of_year


def _columns(source: Source) -> dict[str, str]:
    """Theirs -> ours; the table of 2020 says Patient Sex where the older one says Patient Gender."""
    is_newer = "patient sex" in map(str.casefold, source.columns)
    return {theirs.replace("Gender", "Sex") if is_newer else theirs: ours for theirs, ours in _COLUMNS.items()}


def _notices(rows: pl.DataFrame, samples: pl.DataFrame) -> tuple[str, ...]:
    lost = samples["age"].null_count() - rows["age"].null_count()
    return (f"{lost} ages above {_OLDEST} or that are no number are missing",) if lost else ()


def _splits(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, split in _LISTS.items():
        text = request.text(name) if (request.root / name).is_file() else None
        found |= {line.strip(): split for line in (text or "").splitlines() if line.strip()}
    return found


def _pictures(request: Request) -> dict[str, list[str]]:
    """Where the pictures of each name lie."""
    folders = ["images", *(path.relative_to(request.root).as_posix() for path in request.root.glob("images_*/images"))]
    there: defaultdict[str, list[str]] = defaultdict(list)
    for folder in sorted(folders):
        if (request.root / folder).is_dir():
            for entry in (request.root / folder).iterdir():
                there[entry.name].append(f"{folder}/{entry.name}")
    return there


def _told_apart(request: Request, rows: pl.DataFrame, there: dict[str, list[str]]) -> pl.DataFrame:
    """The rows whose picture is the only one of its name; others are faults."""
    several = pl.col("sample_id").is_in([name for name, places in there.items() if len(places) > 1])
    for name in rows.filter(several)["sample_id"].unique().sort():
        first, *others = there[name]
        request.book.item(first, f"{' and '.join(others)} is an image of the same name; leave one in the folders")
    return rows.filter(~several.fill_null(value=False))


def _places(rows: pl.DataFrame, there: dict[str, list[str]]) -> pl.Series:
    """Where each picture lies; `images/NAME` for those that are nowhere."""
    named = (None if name is None else there.get(name, [f"images/{name}"])[0] for name in rows["sample_id"])
    return pl.Series(named, dtype=pl.String)
