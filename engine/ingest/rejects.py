"""Rejected rows, written beside the store so that they can be mended and ingested again."""

import contextlib
import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from misread.refused import refusals_told
from misread.schemas.errors import Fault
from misread.store import TableStore

from .faultbook import ROW
from .files import Source

_COLUMNS = ("row", "column", "reason")
ITEMS = "files.csv"
_AT, _WHY = " column", " reason"


def rejects_folder(store: TableStore) -> Path:
    """`<store>.rejected` beside a store on disk, in the working directory for one in an object store."""
    if store.files.is_local:
        place = Path(store.location)
        return place.with_name(f"{place.name}.rejected")
    return Path.cwd() / f"{store.location.rpartition('/')[2]}.rejected"


def write_rejects(folder: Path, sources: Iterable[Source], faults: Sequence[Fault]) -> None:
    """One CSV an input file: its rejected rows as they were, and their row, column and reason.

    Files that are one sample or report of many are told in a CSV of their own.
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
        _write_private(folder / name, _rejected(source, mine).write_csv())
    items = [(fault.file, fault.column, fault.reason) for fault in faults if fault.row is None]
    if items:
        schema = {"file": pl.String, "column": pl.String, "reason": pl.String}
        name = ITEMS if ITEMS not in taken else f"{len(taken) + 1}-{ITEMS}"
        _write_private(folder / name, pl.DataFrame(items, schema, orient="row").write_csv())


def without_mentions(store: TableStore, ids: Collection[str]) -> int:
    """Removes from the rejected rows beside a store those that mention one of some ids; returns how many."""
    removed = 0
    for path, frame, mentioned in _mentioning(store, ids):
        removed += sum(mentioned)
        _write_private(path, frame.filter([not one for one in mentioned]).write_csv())
    return removed


def has_mentions(store: TableStore, ids: Collection[str]) -> bool:
    """Whether the rejected rows beside a store mention one of some ids."""
    return any(True for _ in _mentioning(store, ids))


def _mentioning(store: TableStore, ids: Collection[str]) -> Iterator[tuple[Path, pl.DataFrame, list[bool]]]:
    """Files of rejected rows that mention an id, their rows, and which of these do."""
    folder, wanted = rejects_folder(store), {one for one in ids if one}
    if not wanted or not folder.is_dir():
        return
    for path in sorted(folder.glob("*.csv")):
        frame = pl.read_csv(path, infer_schema=False)
        mentioned = [any(mentions(cell, wanted) for cell in row if cell) for row in frame.iter_rows()]
        if any(mentioned):
            yield path, frame, mentioned


def mentions(text: str, ids: Collection[str]) -> bool:
    """Whether one of some ids stands in a text with no letter or digit beside it."""
    return any(one in text and standing_alone(one).search(text) for one in ids)


def standing_alone(one: str) -> re.Pattern[str]:
    """An id where no letter or digit is beside it."""
    return re.compile(rf"(?<![^\W_]){re.escape(one)}(?![^\W_])")


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
    own = {column.casefold() for column in source.columns}
    row, column, reason = (f"fault_{name}" if name in own else name for name in _COLUMNS)
    found = source.frame.join(one, on=ROW).sort(ROW)
    originals = [_flat(found[name]) for name in source.columns]
    return pl.DataFrame([*originals, found[ROW].alias(row), found[_AT].alias(column), found[_WHY].alias(reason)])


def _flat(cells: pl.Series) -> pl.Series:
    """A column that CSV can hold."""
    if not cells.dtype.is_nested() and cells.dtype != pl.Binary:
        return cells
    return pl.Series(
        cells.name, [None if v is None else json.dumps(v, default=str) for v in cells.to_list()], pl.String
    )


def _write_private(path: Path, text: str) -> None:
    with _told(path):
        path.unlink(missing_ok=True)  # a link is not followed, nor is the mode of an older file kept
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)


def _told(path: Path) -> contextlib.AbstractContextManager[None]:
    return refusals_told(f"the rejected rows in {path}")
