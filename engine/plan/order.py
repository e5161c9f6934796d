"""In which order the rows of a plan come, whatever the order they are stored in."""

import pyarrow as pa

from .node import Node
from .rows import Filter, Head, Scan, Select, Sort, Take

Order = tuple[tuple[str, bool], ...]
"""(column, whether descending), the first that tells two rows apart decides; NULL last."""


def order_of(node: Node) -> Order:
    """By what a step's rows are ordered: as sorted, else by their keys, and where these do not tell all rows apart (a
    join of rows whose keys were not selected), by every other column that has an order.

    Its columns are the step's own, or those of a step below that Select took away.
    """
    if isinstance(node, Sort):
        asked = tuple(zip(node.by, node.descending, strict=True))
        return (*asked, *(item for item in order_of(node.input) if item[0] not in node.by))
    if isinstance(node, Filter | Head | Select | Take):
        return order_of(node.input)
    names = node.keys
    if not node.is_keyed:
        # a locator is there in a plan that was optimised, and not in the plan as written
        passed_over = {*names, *(step.locator for step in node.walk() if isinstance(step, Scan))}
        names += tuple(f.name for f in node.schema if f.name not in passed_over and _has_order(f.type))
    return tuple((name, False) for name in names)


def ordering(node: Node) -> tuple[str, ...]:
    """The columns of a step that its rows' order needs."""
    given = set(node.gives)
    return tuple(name for name, _ in order_of(node) if name in given)


def _has_order(kind: pa.DataType) -> bool:
    return not (pa.types.is_nested(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary(kind))
