"""Rejected rows, written beside the store so that they can be mended and ingested again."""

import contextlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import polars as pl

from misread.refused import refusals_told
from misread.schemas.errors import Fault
from misread.store import TableStore

from .beside_store import beside
from .cells import id_texts
from .faultbook import ROW
from .files import Source
from .pseudonyms import IDS

FAULTS: Final = ("misread_row", "misread_column", "misread_reason")
"""Columns of a file of rejected rows beside those of the input; an ingest leaves them out again."""
ITEMS = "files.csv"
_AT, _WHY = " column", " reason"


def rejects_folder(store: TableStore) -> Path:
    """The folder of the rows that ingests into a store rejected, `STORE.rejected`."""
    return beside(store.location, ".rejected")


def write_rejects(folder: Path, sources: Iterable[Source], faults: Sequence[Fault]) -> None:
    """One CSV an input file: its rejected rows, ids as they are stored, and what was wrong in FAULTS.

    Mended, a CSV can be ingested in the place of its file. Columns that an ingest leaves out are not there; with a key,
    ids are hashed, and only the paths of pictures are as they were. Files that are one sample or report of many are
    told in a CSV of their own.
    """
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)  # one that was there may have let others in
    taken: set[str] = set()
    for source in sources:
        mine = [fault for fault in faults if fault.file == source.name and fault.row is not None]
        if not mine:
            continue
        stem = source.path.name.removesuffix(".gz").rpartition(".")[0] or source.path.name
        name = f"{stem}.csv" if f"{stem}.csv" not in taken else f"{stem}-{len(taken) + 1}.csv"
        taken.add(name)
        write_private(folder / name, _rejected(source, mine).write_csv())
    items = [(fault.file, fault.column, fault.reason) for fault in faults if fault.row is None]
    if items:
        schema = {"file": pl.String, "column": pl.String, "reason": pl.String}
        name = ITEMS if ITEMS not in taken else f"{len(taken) + 1}-{ITEMS}"
        write_private(folder / name, pl.DataFrame(items, schema, orient="row").write_csv())


def _rejected(source: Source, faults: Sequence[Fault]) -> pl.DataFrame:
    reasons = pl.DataFrame(
        {
            ROW: [f.row for f in faults],
            _AT: [f.column or "" for f in faults],
            _WHY: [f.reason for f in faults],
        },
        {ROW: pl.Int64, _AT: pl.String, _WHY: pl.String},
    )
    one = reasons.group_by(ROW).agg(
        pl.col(_AT).filter(pl.col(_AT) != "").unique(maintain_order=True).str.join(", "),
        pl.col(_WHY).str.join("; "),
    )
    found = source.frame.join(one, on=ROW).sort(ROW)
    originals = [_flat(found[name]) for name in source.columns if name.casefold() not in FAULTS]
    told = [found[held].alias(name) for held, name in zip((ROW, _AT, _WHY), FAULTS, strict=True)]
    return pl.DataFrame([*originals, *told])


def without_faults(source: Source) -> Source:
    """A file without the columns FAULTS, if it has them all: it is one of mended rows."""
    told = [name for name in source.columns if name.casefold() in FAULTS]
    return replace(source, frame=source.frame.drop(told)) if len(told) == len(FAULTS) else source


def _flat(cells: pl.Series) -> pl.Series:
    """A column that CSV can hold."""
    if cells.name.casefold() in IDS:
        ids = id_texts(cells)
        return cells if ids is None else ids
    if not cells.dtype.is_nested() and cells.dtype != pl.Binary:
        return cells
    return pl.Series(
        cells.name, [None if v is None else json.dumps(v, default=str) for v in cells.to_list()], pl.String
    )


def write_private(path: Path, text: str) -> None:
    """Writes a file anew, for its owner alone to read. Raises MisreadError for a place that cannot be written."""
    with _told(path):
        path.unlink(missing_ok=True)  # a link is not followed, nor is the mode of an older file kept
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def _told(path: Path) -> contextlib.AbstractContextManager[None]:
    return refusals_told(f"the rejected rows in {path}")
