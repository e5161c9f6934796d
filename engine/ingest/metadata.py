"""The metadata file, checked: one row a sample, with its picture and everything known of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from misread.progress import Progress

from .cells import blanks_told, metadata_cells, present
from .columns import OURS, metadata_columns
from .faultbook import ROW, FaultBook, repeated
from .files import Source, as_text, take
from .pictures import FACTS, Picture, check_pictures, in_folder
from .pseudonyms import Pseudonyms
from .sources import Read

_PICTURES: Final = r"\.(jpe?g|png)$"
_PREDICTIONS: Final = frozenset(("model", "target", "score"))
_NO_METADATA: Final = "it has the columns of predictions: give it as --predictions, or rename 'score' if it is metadata"
_MOST: Final = 0.9
"""Share of the cells of a column that are to look like pictures for it to be told as one."""


@dataclass(frozen=True)
class Metadata:
    """Rows under the store's names: ROW, those of OURS that the file has (with the facts of the picture), and
    metadata columns, of which `as_written` are yet to be typed."""

    source: Source
    frame: pl.DataFrame
    as_written: frozenset[str]
    pictures: Read
    notices: list[str] = field(default_factory=list)


def check_metadata(
    source: Source,
    images: Path | Read,
    asked: bool,
    stored: Collection[str],
    known: Mapping[str, Picture],
    book: FaultBook,
    progress: Progress,
    pseudonyms: Pseudonyms | None,
) -> Metadata | None:
    """The checked rows, faulty ones among them; None where the file as a whole cannot be used.

    `images`: the folder of the pictures, or what reads them; `asked`: whether it was named.
    `stored` are the columns of the store's images, `known` its pictures by sha256.
    """
    if {name.casefold() for name in source.columns} >= _PREDICTIONS:
        book.whole(source.name, _NO_METADATA)
        return None
    columns = metadata_columns(source.columns, stored)
    for clash in columns.clashes:
        book.whole(source.name, f"another column is stored as {columns.names[clash]!r} too; rename one", clash)
    if take(source, book, ["sample_id"]) is None or columns.clashes:
        return None
    frame = as_text(source.frame.select(ROW, *columns.names).rename(columns.names), OURS, source, book)
    if frame is None:
        return None
    notices = [*source.notices, *(f"{source.name}: {notice}" for notice in columns.notices)]
    frame = _further(_without_marks(frame), source, book, notices)
    whole = book.good(source.name, frame)  # all but ragged rows
    book.where(source.name, "sample_id", whole, pl.col("sample_id").is_null(), "the sample_id is missing")
    book.rows(source.name, "sample_id", repeated(whole, ["sample_id"], "sample"))
    folder, read = (None, images) if callable(images) else (images, in_folder(images))
    if "image" in frame.columns:
        facts = check_pictures(source, whole, read, known, book, notices, progress, folder)
        frame = frame.join(facts, on=ROW, how="left", maintain_order="left")
        if pseudonyms is not None:
            frame, read = pseudonyms.pictures(frame, read)
    else:
        notices += _no_pictures(source.name, frame, asked=asked)
    notices += blanks_told(source.name, frame, ("sample_id", "patient_id", "study_id"))
    further = frozenset(frame.columns) - {ROW, *OURS, *FACTS}
    return Metadata(source, frame, frozenset() if source.typed else further, read, notices)


def _without_marks(frame: pl.DataFrame) -> pl.DataFrame:
    """Patients and studies as written, but for the spellings of a missing one; splits without blanks too."""
    names = [name for name in ("patient_id", "study_id") if name in frame.columns]
    cells = {name: frame[name].set(present(frame[name]).is_null(), None) for name in names}
    splits = {"split": present(frame["split"])} if "split" in frame.columns else {}
    return frame.with_columns(**cells, **splits)


def _further(frame: pl.DataFrame, source: Source, book: FaultBook, notices: list[str]) -> pl.DataFrame:
    """The metadata columns; those that are none are left out with a notice."""
    found = {name: metadata_cells(frame[name]) for name in frame.columns if name not in (*OURS, ROW)}
    none = [name for name, cells in found.items() if cells is None]
    notices += [f"{source.name}: column {name!r} holds {frame[name].dtype} and was left out" for name in none]
    kept = [cells.alias(name) for name, cells in found.items() if cells is not None]
    for cells in (cells for cells in kept if cells.dtype.is_float()):
        endless = frame.select(ROW).filter(cells.is_infinite())
        book.where(source.name, cells.name, endless, pl.lit(value=True), f"{cells.name} is infinite")
    return frame.drop(none).with_columns(kept)


def _no_pictures(name: str, frame: pl.DataFrame, *, asked: bool) -> list[str]:
    """What to say of a file without a column of pictures: always where another column names some."""
    texts = [column for column, kind in frame.schema.items() if kind == pl.String]
    like = [column for column in texts if _names_pictures(frame[column].drop_nulls())]
    if not (asked or like):
        return []
    hint = f": rename {like[0]!r}, whose cells name some, and ingest again" if like else ""
    return [f"{name}: there is no column 'image', so no images were read{hint}"]


def _names_pictures(cells: pl.Series) -> bool:
    named = int(cells.str.to_lowercase().str.contains(_PICTURES).sum())
    return named > _MOST * len(cells)


def sample_notices(frame: pl.DataFrame, name: str) -> list[str]:
    """What the reader should know of the rows that are stored."""
    notices = []
    alone = frame.height if "patient_id" not in frame.columns else frame["patient_id"].null_count()
    if alone:
        notices.append(f"{name}: {alone} of {frame.height} samples have no patient_id: each stands alone")
    if "image" in frame.columns and (bare := frame["image"].null_count()):
        notices.append(f"{name}: {bare} of {frame.height} samples have no image")
    return notices
