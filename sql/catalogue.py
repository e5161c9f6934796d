"""The `.sql` files of this folder, with the header each one carries."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, get_args

from misread.schemas.errors import unknown_name

Kind = Literal["views", "functions", "questions"]
STORED: Final = "stored_"
"""A table of the store goes by this and its name inside a session; views read it, nobody else does."""
NARROW: Final = "_narrow"
"""What follows the name of one with other columns than its contract has today."""
BACKED: Final = "python_"
"""A Python function goes by this and its name inside a session; functions call it, nobody else does."""


@dataclass(frozen=True)
class Entry:
    """One `.sql` file. `header` has at least name, inputs, output, units and reads.

    Functions also have signature and source. Table functions whose arguments are expressions name the view whose
    columns these may use: `over`; where such an expression stands, all other names begin with _, as no stored column's
    and hardly a caller's does.
    """

    kind: Kind
    header: Mapping[str, str]
    text: str

    @property
    def name(self) -> str:
        return self.header["name"]

    @property
    def reads(self) -> tuple[str, ...]:
        """The stored tables, views and functions that it is made of."""
        names = tuple(part.strip() for part in self.header["reads"].split(","))
        return () if names == ("none",) else names

    @property
    def is_table(self) -> bool:
        """Whether it is a function that stands behind FROM."""
        return self.kind == "functions" and " AS TABLE" in self.text


@cache
def catalogue() -> tuple[Entry, ...]:
    """Every view, function and question, each after what it reads."""
    entries = {entry.name: entry for kind in get_args(Kind) for entry in _entries(kind)}
    graph = {name: [part for part in entry.reads if part in entries] for name, entry in entries.items()}
    return tuple(entries[name] for name in TopologicalSorter(graph).static_order())


def question(name: str) -> str:
    """The text of one of our own questions. Raises UnknownNameError for one that there is not."""
    texts = {entry.name: entry.text for entry in catalogue() if entry.kind == "questions"}
    if name not in texts:
        raise unknown_name("question", name, texts)
    return texts[name]


@cache
def functions() -> Mapping[str, Entry]:
    """The functions of our own by name."""
    return MappingProxyType({entry.name: entry for entry in catalogue() if entry.kind == "functions"})


def _entries(kind: Kind) -> list[Entry]:
    folder = files(__package__) / kind
    texts = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}
    return [Entry(kind, _header(text), text) for _, text in sorted(texts.items())]


def _header(text: str) -> Mapping[str, str]:
    lines = (line.removeprefix("-- ") for line in text.splitlines() if line.startswith("-- "))
    pairs = (line.partition(": ") for line in lines)
    return MappingProxyType({key: value for key, _, value in pairs})
