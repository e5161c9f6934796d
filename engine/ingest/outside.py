"""What of a metadata file stays outside: identifiers, patients' dates, reports, and copies of ids to be hashed."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

import polars as pl

from .cells import id_texts, texts
from .columns import OURS
from .faultbook import FaultBook
from .files import Source
from .headers import clean_name
from .identifiers import Told, told_by

_LONG_ENOUGH: Final = 4
"""Letters of an id that is not found in other texts by chance."""
_OTHER_SPELLING: Final = "looks like a direct identifier, {0} in another spelling (rename it where {0} is missing),"
_REASONS: Final[Mapping[Told, str]] = {
    "identifier": "looks like a direct identifier",
    "date": "looks like a direct identifier, a patient's dates (years and ages may be stored),",
    "patient_id": _OTHER_SPELLING.format("patient_id"),
    "study_id": _OTHER_SPELLING.format("study_id"),
    "sample_id": _OTHER_SPELLING.format("sample_id"),
}
_REPORT: Final = "report"
_REPORTS: Final = "holds the text of reports (give this file as --reports, too)"


def without_identifiers(source: Source, kept: Collection[str], hashed: Collection[str], book: FaultBook) -> Source:
    """A metadata file without the columns that tell who people are, and with a notice of each.

    Left out are columns whose names tell an identifier or dates, `report` (who passes a table of metadata on does not
    think of the texts of reports), and those whose cells repeat the id of their row where
    that is to be hashed (`hashed`: among sample_id, patient_id, study_id). `kept`: columns that stay nevertheless. A
    file that has a patient's id under another name, and no patient_id, is at fault: each of its samples would count as
    a patient.
    """
    folded = {name.casefold(): name for name in source.columns}
    keep = {clean_name(name).casefold() for name in kept}
    absent = [name for name in kept if clean_name(name).casefold() not in folded]
    notices = [f"there is no column {name!r} to keep" for name in absent]
    ids = {name: _as_ids(source.frame[folded[name]]) for name in hashed if name in folded}
    dropped = []
    for column in (name for name in source.columns if name.casefold() not in {*OURS, *keep}):
        told = told_by(column)
        if told == "sample_id" and told not in folded:
            continue  # a file without sample_id is at fault, and this column is named there
        if told == "patient_id" and told not in folded:
            book.whole(source.name, _no_patients(column), column)
        why = _reason(column, told) or _repeated(source.frame[column], ids)
        if why:
            dropped.append(column)
            quoted = ", in double quotes" if "," in column else ""
            notices.append(
                f"column {column!r} {why} and was left out; to keep it, name it{quoted} with --keep-identifiers"
            )
    told_of = [*source.notices, *(f"{source.name}: {notice}" for notice in notices)]
    return replace(source, frame=source.frame.drop(dropped), notices=told_of)


def _reason(column: str, told: Told | None) -> str | None:
    if told is None:
        return _REPORTS if column.casefold() == _REPORT else None
    return _REASONS[told]


def _no_patients(column: str) -> str:
    return (
        f"there is no column 'patient_id', and {column!r} looks like it: rename it, or each sample would count as a "
        f"patient; if it tells something else, name it with --keep-identifiers"
    )


def _as_ids(cells: pl.Series) -> pl.Series:
    found = id_texts(cells)
    return texts(cells) if found is None else found


def _repeated(cells: pl.Series, ids: Mapping[str, pl.Series]) -> str | None:
    """What to say of a column most of whose different cells are the id of their row, or hold it; None for others."""
    if not ids or cells.dtype.is_nested() or cells.dtype == pl.Binary:
        return None
    for name, found in ids.items():
        pairs = pl.DataFrame({"cell": _as_ids(cells).str.strip_chars(), "id": found.str.strip_chars()})
        pairs = pairs.drop_nulls("cell").unique()
        is_long = pl.col("id").str.len_chars() >= _LONG_ENOUGH
        is_held = (pl.col("cell") == pl.col("id")) | (is_long & pl.col("cell").str.contains(pl.col("id"), literal=True))
        if 2 * pairs.filter(is_held).height > pairs.height:
            return f"repeats the {name} of its rows, which is to be hashed,"
    return None
