"""What is left out of a report that is to be passed on without ids and the text of reports."""

import re
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from misread.ingest.ids_in_text import mentions
from misread.ingest.pseudonyms import IDS
from misread.schemas.tables import IMAGES
from misread.store import TableStore

if TYPE_CHECKING:
    from .contents import Report

WORDS = 5
"""So many words of a report in a row are its text."""
WITHHELD = "(text withheld)"

_WORD = re.compile(r"\w+", re.UNICODE)
_PIECE = re.compile(r"[^\W_]+", re.UNICODE)
_OF_IDS = re.compile(rf"\b({'|'.join(IDS)})\b", re.IGNORECASE)
_TELLING = re.compile(r"\d.*[^\W\d]|[^\W\d].*\d|\d{6}", re.DOTALL)
"""Ids with digits and letters, or with six digits: shorter numbers and words stand for other things too."""


def without_patients(report: "Report", store: TableStore) -> "Report":
    """The report with every text replaced that shares five consecutive words, case aside, with any report; that names
    a sample, patient or study of the store; and, as ids may be plain numbers, with every filter that looks at ids.

    Reports and ids are read a batch at a time; what is held is the words of the report to be passed on.
    """
    texts = list(_texts((report.audit, report.targets, report.slices, report.subgroups)))
    told = {run for text in texts for run in runs(text)}
    said = told and told & _said(store, told)
    named = _named(store, {piece for text in texts for piece in _PIECE.findall(text)})

    def is_secret(text: str) -> bool:
        return bool(said & set(runs(text))) or mentions(text, named)

    def is_filter_of_ids(text: str) -> bool:
        return is_secret(text) or looks_at_ids(text)

    cleaned = {name: _clean(getattr(report, name), is_secret) for name in ("targets", "slices", "subgroups", "points")}
    audit = _clean(report.audit, is_secret)
    audit |= {name: _clean(report.audit[name], is_filter_of_ids) for name in ("where", "parameters")}
    return replace(report, audit=audit, **cleaned)


def looks_at_ids(predicate: str) -> bool:
    """Whether a filter looks at ids, and so may hold some."""
    return bool(_OF_IDS.search(predicate))


def _clean(value: Any, is_secret: Callable[[str], bool]) -> Any:
    """Plain values with every text that is secret replaced."""
    if isinstance(value, str):
        return WITHHELD if is_secret(value) else value
    if isinstance(value, dict):
        return {key: _clean(part, is_secret) for key, part in value.items()}
    return [_clean(part, is_secret) for part in value] if isinstance(value, list) else value


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Every five consecutive words of a text, in lower case."""
    words = _WORD.findall(text.casefold())
    yield from zip(*(words[start:] for start in range(WORDS)), strict=False)


def _said(store: TableStore, wanted: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Which of these runs of words any report holds."""
    if not store.has("reports"):
        return set()
    said: set[tuple[str, ...]] = set()
    for batch in store.table("reports").batches(["report"]):
        for text in batch.column("report").to_pylist():
            said |= wanted & set(runs(text or ""))
    return said


def _named(store: TableStore, pieces: AbstractSet[str]) -> set[str]:
    """The ids made of these pieces (letters and digits in a row) alone that tell a patient wherever they stand."""
    if not store.has(IMAGES.name):
        return set()
    found: set[str] = set()
    for batch in store.table(IMAGES.name).batches(IDS):
        for column in batch.columns:
            found |= {one for one in column.drop_null().unique().to_pylist() if pieces >= set(_PIECE.findall(one))}
    return {one for one in found if _TELLING.search(one)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
