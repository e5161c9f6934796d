"""What every step of a plan is: frozen, comparable, and free of any knowledge of how it is run."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import cached_property
from typing import ClassVar, Self, TypeVar

import pyarrow as pa

N = TypeVar("N", bound="Node")


class Level(StrEnum):
    """How much of its input one row of a node's output needs."""

    ROW = "row"
    TABLE = "table"


@dataclass(frozen=True)
class Node:
    """A step of a plan; its children are the fields that hold nodes.

    `schema`: the columns it gives; `keys`: the columns its rows are ordered by where nothing else is asked.
    """

    level: ClassVar[Level] = Level.ROW

    @property
    def children(self) -> tuple["Node", ...]:
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Node))

    @cached_property
    def schema(self) -> pa.Schema:
        raise NotImplementedError

    @cached_property
    def gives(self) -> tuple[str, ...]:
        return tuple(self.schema.names)

    @property
    def keys(self) -> tuple[str, ...]:
        return ()

    @property
    def is_keyed(self) -> bool:
        """Whether no two rows agree in all of `keys`."""
        return bool(self.keys)

    def reads(self) -> tuple[str, ...]:
        """The columns of its input, or `table.column` of the store, that this step looks at."""
        return ()

    def walk(self) -> Iterator["Node"]:
        """This node, then everything below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def first(self, kind: type[N]) -> N:
        """The first step of a kind that `walk` comes to; there is one."""
        return next(step for step in self.walk() if isinstance(step, kind))

    def over(self, *children: "Node") -> Self:
        """The same step over other children, in the order of `children`."""
        names = [field.name for field in fields(self) if isinstance(getattr(self, field.name), Node)]
        return replace(self, **dict(zip(names, children, strict=True)))
