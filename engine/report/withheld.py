"""What is left out of a report that is to be passed on without the text of reports."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from misread.store import TableStore

if TYPE_CHECKING:
    from .contents import Report

WORDS = 5
"""So many words of a report in a row are its text."""
WITHHELD = "(text withheld)"

_WORD = re.compile(r"\w+", re.UNICODE)


def without_reports(report: "Report", store: TableStore) -> "Report":
    """The report with every text replaced that shares five consecutive words, case aside, with any report.

    Reports are read a batch at a time; what is held is the words of the report to be passed on.
    """
    told = {
        run for text in _texts((report.audit, report.targets, report.slices, report.subgroups)) for run in runs(text)
    }
    secret = told and told & _said(store, told)
    if not secret:
        return report

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return WITHHELD if secret & set(runs(value)) else value
        if isinstance(value, dict):
            return {key: clean(part) for key, part in value.items()}
        return [clean(part) for part in value] if isinstance(value, list) else value

    cleaned = {name: clean(getattr(report, name)) for name in ("audit", "targets", "slices", "subgroups", "points")}
    return replace(report, **cleaned)


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


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
