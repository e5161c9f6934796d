"""The views and functions of a session, each made on its connection once a question names it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .catalogue import Entry, catalogue


class Definitions(Mapping[str, tuple[str, ...]]):
    """The columns of every view by its name, in the order of the catalogue; a view is made when it is looked at.

    To make one over a table of thousands of columns takes seconds, and few questions name many.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._entries = {entry.name: entry for entry in catalogue() if entry.kind != "questions"}
        self._made: set[str] = set()
        self._columns: dict[str, tuple[str, ...]] = {}

    def __getitem__(self, view: str) -> tuple[str, ...]:
        if view not in self:
            raise KeyError(view)
        if view not in self._columns:
            self.make([view])
            rows = self._connection.execute(f"DESCRIBE {view}").fetchall()
            self._columns[view] = tuple(row[0] for row in rows)
        return self._columns[view]

    def __iter__(self) -> Iterator[str]:
        return (entry.name for entry in self._entries.values() if entry.kind == "views")

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, view: object) -> bool:
        return view in self._entries and self._entries[str(view)].kind == "views"

    def make(self, names: Iterable[str]) -> None:
        """Makes the views and functions of these names, each after what it reads; other names are nobody's."""
        for name in names:
            if name in self._entries and name not in self._made:
                self._make(self._entries[name])

    def make_all(self) -> None:
        self.make(self._entries)

    def _make(self, entry: Entry) -> None:
        self.make(entry.reads)
        self._connection.execute(entry.text)
        self._made.add(entry.name)
