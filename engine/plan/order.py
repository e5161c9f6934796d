"""In which order the rows of a plan come, whatever the order they are stored in."""

import pyarrow as pa

from .node import Node
from .rows import Filter, Head, Select, Sort, Take

Order = tuple[tuple[str, bool], ...]
"""(column, whether descending), the first that tells two rows apart decides; NULL last."""


def order_of(node: Node) -> Order:
    """By what a step's rows are ordered: as sorted, else by their keys, else by every column that has an order.

    Its columns are the step's own, or those of a step below that Select took away.
    """
    if isinstance(node, Sort):
        asked = tuple(zip(node.by, node.descending, strict=True))
        return (*asked, *(item for item in order_of(node.input) if item[0] not in node.by))
    if isinstance(node, Filter | Head | Select | Take):
        return order_of(node.input)
    names = node.keys or tuple(field.name for field in node.schema if _has_order(field.type))
    return tuple((name, False) for name in names)


def ordering(node: Node) -> tuple[str, ...]:
    """The columns of a step that its rows' order needs."""
    given = set(node.gives)
    return tuple(name for name, _ in order_of(node) if name in given)


def _has_order(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary(kind))
