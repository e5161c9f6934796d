"""Rejected rows beside a store that mention a patient: found, and removed."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from misread.ingest.ids_in_text import SHORT_NUMBER, mentions
from misread.ingest.pseudonyms import IDS
from misread.ingest.rejects import rejects_folder, write_private
from misread.store import TableStore

_PATIENT = "patient_id"


def without_mentions(
    store: TableStore, ids: Collection[str], patients: Collection[str], others: Collection[str]
) -> int:
    """Removes from the rejected rows beside a store those that mention one of some ids; returns how many.

    With the rows of `patients` go those that mention the samples and studies of these, but for samples and studies that
    are `others`' too. An id that is a number below 1,000 is looked for in columns of ids and in quotes alone.
    """
    removed = 0
    for path, frame, mentioned in _mentioning(store, ids, patients, others):
        removed += sum(mentioned)
        write_private(path, frame.filter([not one for one in mentioned]).write_csv())
    return removed


def has_mentions(store: TableStore, ids: Collection[str]) -> bool:
    """Whether the rejected rows beside a store mention one of some ids."""
    return any(True for _ in _mentioning(store, ids, (), ()))


def _mentioning(
    store: TableStore, ids: Collection[str], patients: Collection[str], others: Collection[str]
) -> Iterator[tuple[Path, pl.DataFrame, list[bool]]]:
    """Files of rejected rows that mention an id, their rows, and which of these do.

    What tells whose a sample is comes last: killed before it is written, the next deletion still knows.
    """
    folder, wanted = rejects_folder(store), {one for one in (*ids, *patients) if one}
    if not wanted or not folder.is_dir():
        return
    frames = {path: pl.read_csv(path, infer_schema=False) for path in sorted(folder.glob("*.csv"))}
    wanted |= _theirs(frames.values(), patients) - set(others)
    for path, frame in sorted(frames.items(), key=lambda entry: _PATIENT in map(str.casefold, entry[1].columns)):
        mentioned = _rows_mentioning(frame, wanted)
        if any(mentioned):
            yield path, frame, mentioned


def _rows_mentioning(frame: pl.DataFrame, ids: Collection[str]) -> list[bool]:
    """Which rows mention an id. A number below 1,000 counts where it is all of an id's cell, or stands in quotes."""
    telling = {one for one in ids if not SHORT_NUMBER.fullmatch(one)}
    numbers = set(ids) - telling
    quoted = {repr(one) for one in numbers}
    of_ids = [name.casefold() in IDS for name in frame.columns]

    def is_mentioned(row: Sequence[str | None]) -> bool:
        return any(
            mentions(cell, telling) or (cell.strip() in numbers if is_id else any(one in cell for one in quoted))
            for cell, is_id in zip(row, of_ids, strict=True)
            if cell
        )

    return [is_mentioned(row) for row in frame.iter_rows()]


def _theirs(frames: Iterable[pl.DataFrame], patients: Collection[str]) -> set[str]:
    """The samples and studies that rejected rows give to some patients, and to nobody else."""
    mine: set[str] = set()
    others: set[str] = set()
    for frame in (named.rename(str.casefold) for named in frames):
        if _PATIENT not in frame.columns:
            continue
        is_mine = pl.col(_PATIENT).is_in(list(patients)).fill_null(value=False)
        for name in (name for name in frame.columns if name in IDS and name != _PATIENT):
            mine |= set(frame.filter(is_mine)[name].drop_nulls())
            others |= set(frame.filter(~is_mine)[name].drop_nulls())
    return mine - others
