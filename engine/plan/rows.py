"""Steps over rows: what is read of a table, and which of its rows and columns are wanted."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final, Literal, get_args

import pyarrow as pa

from misread.schemas.tables import PICTURE, VECTOR

from .node import Level, Node

HEAVY: Final = (VECTOR, PICTURE)
"""Columns of many bytes a row, fetched last and only for the rows of the answer."""

How = Literal["inner", "left", "semi", "anti"]
HOWS: Final[tuple[str, ...]] = get_args(How)


@dataclass(frozen=True)
class Scan(Node):
    """The rows of one table of a store, at one version.

    `columns`: those that are read, in this order; `where`: predicates in Lance's SQL, all true of every row that is
    read; `locator`: a further column that finds a row's heavy columns again, '' for none.
    """

    location: str
    state: int
    table: str
    version: int
    key: tuple[str, ...]
    stored: pa.Schema = field(compare=False, repr=False)
    columns: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    locator: str = ""

    @cached_property
    def schema(self) -> pa.Schema:
        found = [self.stored.field(name).with_nullable(True) for name in self.columns]
        return pa.schema([*found, *([pa.field(self.locator, pa.uint64())] if self.locator else [])])

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.key if name in self.columns)

    @property
    def is_keyed(self) -> bool:
        return bool(self.key) and self.keys == self.key

    def reads(self) -> tuple[str, ...]:
        return self.columns


@dataclass(frozen=True)
class SomeRows(Node):
    """Rows of `input` by its keys; its columns, too, where a step does not say otherwise."""

    input: Node

    @cached_property
    def schema(self) -> pa.Schema:
        return self.input.schema

    @property
    def keys(self) -> tuple[str, ...]:
        return self.input.keys

    @property
    def is_keyed(self) -> bool:
        return self.input.is_keyed


@dataclass(frozen=True)
class Filter(SomeRows):
    """The rows for which every predicate (SQL over the columns of `input`) is true; NULL is not."""

    predicates: tuple[str, ...]

    def reads(self) -> tuple[str, ...]:
        from misread.sql.rows import columns_read

        read = {name for text in self.predicates for name in columns_read(text, self.input.gives)}
        return tuple(name for name in self.input.gives if name in read)


@dataclass(frozen=True)
class Select(Node):
    """Some columns of `input`, in this order."""

    input: Node
    columns: tuple[str, ...]

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([self.input.schema.field(name) for name in self.columns])

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name in self.input.keys if name in self.columns)

    @property
    def is_keyed(self) -> bool:
        return self.input.is_keyed and self.keys == self.input.keys

    def reads(self) -> tuple[str, ...]:
        return self.columns


@dataclass(frozen=True)
class Join(Node):
    """The rows of `left` with those of `right` that agree in every column of `on`; NULL agrees with nothing.

    `how`: `inner`; `left` (rows without a partner stay, with NULL); `semi` and `anti` (rows of `left` that have a
    partner, or none, once each and without columns of `right`).
    """

    left: Node
    right: Node
    on: tuple[str, ...]
    how: How = "inner"

    @property
    def is_filtering(self) -> bool:
        """Whether it chooses among the rows of `left`, and brings no column."""
        return self.how in ("semi", "anti")

    @cached_property
    def schema(self) -> pa.Schema:
        if self.is_filtering:
            return self.left.schema
        return pa.schema([*self.left.schema, *(f for f in self.right.schema if f.name not in self.on)])

    @property
    def keys(self) -> tuple[str, ...]:
        if self.is_filtering:
            return self.left.keys
        return (*self.left.keys, *(name for name in self.right.keys if name not in self.on))

    @property
    def is_keyed(self) -> bool:
        return self.left.is_keyed and (self.is_filtering or self.right.is_keyed)

    def reads(self) -> tuple[str, ...]:
        return self.on


@dataclass(frozen=True)
class Sort(SomeRows):
    """The rows in another order: by each column in turn, NULL last, ties by the keys of `input`."""

    level: ClassVar[Level] = Level.TABLE

    by: tuple[str, ...]
    descending: tuple[bool, ...]

    def reads(self) -> tuple[str, ...]:
        return self.by


@dataclass(frozen=True)
class Head(SomeRows):
    """The first rows, at most `rows` of them."""

    level: ClassVar[Level] = Level.TABLE

    rows: int


@dataclass(frozen=True)
class Take(SomeRows):
    """The rows of `input`, each with heavy columns of a table, fetched for these rows alone.

    `table`: where they lie, found by the locator that `input` carries.
    """

    table: Scan
    columns: tuple[str, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.input,)

    def over(self, *children: Node) -> "Take":
        return Take(children[0], self.table, self.columns)

    @cached_property
    def schema(self) -> pa.Schema:
        kept = [f for f in self.input.schema if f.name != self.table.locator]
        return pa.schema([*kept, *(self.table.stored.field(name).with_nullable(True) for name in self.columns)])

    def reads(self) -> tuple[str, ...]:
        return (self.table.locator,)


@dataclass(frozen=True)
class Samples(Node):
    """The images of a store with the predictions of some models and targets; images without any stand alone.

    `seed` decides which patients are the discovery half, and every random draw of an audit; an audit leaves rows
    whose split is train out unless `include_train`. A column of images that has the name of another one here,
    whatever its case, is called metadata_ and its name, with a number where that is taken, too.
    """

    images: Node
    predictions: Node
    models: tuple[str, ...]
    targets: tuple[str, ...]
    seed: int = 0
    include_train: bool = False
    with_half: bool = True

    @cached_property
    def renamed(self) -> dict[str, str]:
        """What the columns of images are called here, whichever of the stored ones are read."""
        others = {name.casefold() for name in (*_stored(self.predictions), "half")} - {"sample_id"}
        stored = _stored(self.images)
        found = {name: name for name in stored if name.casefold() not in others}
        taken = {name.casefold() for name in found}
        for name in (name for name in stored if name not in found):
            wanted = (f"metadata_{name}{number}" for number in ("", *(f"_{n}" for n in range(1, len(stored) + 1))))
            found[name] = next(called for called in wanted if called.casefold() not in taken)
            taken.add(found[name].casefold())
        return {name: found[name] for name in self.images.gives}

    @property
    def named_alike(self) -> set[str]:
        """The columns of images that are called here as they are stored."""
        return {name for name, called in self.renamed.items() if name == called}

    @cached_property
    def schema(self) -> pa.Schema:
        renamed = self.renamed
        images = [f.with_name(renamed[f.name]) for f in self.images.schema]
        half = [pa.field("half", pa.string())] if self.with_half else []
        return pa.schema([*images, *half, *(f for f in self.predictions.schema if f.name != "sample_id")])

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(name for name in ("sample_id", "model", "target") if name in self.gives)


def _stored(node: Node) -> list[str]:
    """The columns of the table that a step reads."""
    names: list[str] = node.first(Scan).stored.names
    return names
