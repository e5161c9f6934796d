"""A patient's ids in texts that people wrote: saved questions, filters of audits, notes of verdicts."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from misread.ingest.ids_in_text import SHORT_NUMBER, mentions, standing_alone
from misread.schemas.tables import AUDITS, CHECKSUM, QUERIES, VERDICTS, TableContract
from misread.store import Commit, TableStore
from misread.store.lance_table import quoted

DELETED: Final = "(deleted)"
"""What stands in an id's place."""
_ABOUT_IDS: Final = re.compile(r"\b(patient_id|study_id|sample_id|neighbour_of|nearest_samples|vector_of)\b", re.I)

Mend = Callable[[str, Collection[str]], str]


@dataclass(frozen=True)
class Texts:
    """Where ids were taken out of texts, and where they may still stand; in words that tell no id."""

    mended: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def without_ids(commit: Commit, ids: Collection[str]) -> Texts:
    """Puts `DELETED` in the place of ids, as what is deleted equals that as little.

    In SQL that looks at ids, in the place of a whole quoted value; in notes, of a word that is no number below 1,000.
    An id that stands otherwise (in a LIKE, as the name of a question, as a value of another column) is left and told.
    """
    mended: list[str] = []
    left: list[str] = []
    longest_first = sorted(ids, key=lambda one: (-len(one), one))  # of one that begins with another no end may stay
    for kind in _KINDS:
        if commit.has(kind.contract.name):
            changed, still = kind.mended(commit, longest_first)
            mended += changed
            left += still
    return Texts(tuple(dict.fromkeys(mended)), tuple(dict.fromkeys(left)))


def are_mentioned(store: TableStore, commit: Commit, ids: Collection[str]) -> bool:
    """Whether such a text of any state mentions an id that is no number below 1,000."""
    telling = [one for one in ids if not SHORT_NUMBER.fullmatch(one)]
    return any(
        mentions(text, telling)
        for kind in _KINDS
        for version in commit.manifest.versions(kind.contract.name)
        for column in store.table_at(kind.contract.name, version).read(kind.looked_at).columns
        for text in column.drop_null().to_pylist()
    )


@dataclass(frozen=True)
class _Kind:
    """Texts of one table: their columns and how ids are taken out of each; which of them are read for those left."""

    contract: TableContract
    named_by: str
    what: str
    columns: Mapping[str, Mend]
    looked_at: tuple[str, ...]

    def mended(self, commit: Commit, ids: Collection[str]) -> tuple[list[str], list[str]]:
        """Writes the rows that change; gives their places, and the places that still mention an id."""
        rows = commit.table(self.contract.name).read().drop_columns([CHECKSUM])
        changed, mended, left = [], [], []
        for row in rows.to_pylist():
            new = row | {name: mend(row[name], ids) for name, mend in self.columns.items() if row[name]}
            if new != row:
                changed.append(new)
                mended.append(self._place(row, ids))
            if any(new[name] and mentions(new[name], ids) for name in self.looked_at):
                left.append(self._place(row, ids))
        if changed:
            commit.upsert(self.contract.name, pa.Table.from_pylist(changed, schema=rows.schema))
        return mended, left

    def _place(self, row: Mapping[str, Any], ids: Collection[str]) -> str:
        name = row[self.named_by]
        return f"{self.what} whose name tells it" if mentions(name, ids) else f"{self.what} {name}"


def _in_sql(text: str, ids: Collection[str]) -> str:
    if not _ABOUT_IDS.search(text):
        return text
    for one in ids:
        if (value := quoted(one)) in text:
            text = re.sub(rf"(?<!'){re.escape(value)}(?!')", lambda _: quoted(DELETED), text)
    return text


def _in_json(text: str, ids: Collection[str]) -> str:
    """Every text of a JSON document as SQL."""

    def mended(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: mended(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [mended(inner) for inner in value]
        return _in_sql(value, ids) if isinstance(value, str) else value

    before = json.loads(text)
    after = mended(before)
    return text if after == before else json.dumps(after, sort_keys=True)


def _in_prose(text: str, ids: Collection[str]) -> str:
    for one in ids:
        if one in text and not SHORT_NUMBER.fullmatch(one):
            text = standing_alone(one).sub(DELETED, text)
    return text


_KINDS: Final = (
    _Kind(QUERIES, "name", "the saved question", {"question": _in_sql}, ("name", "question")),
    _Kind(AUDITS, "audit_id", "the filter of audit", {"where": _in_sql, "parameters": _in_json}, ("where", "name")),
    _Kind(VERDICTS, "slice_id", "the note on slice", {"note": _in_prose}, ("note",)),
)
