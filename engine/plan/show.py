"""A plan as a tree of text."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any

from .audits import Fuse
from .node import Level, Node
from .rows import Filter, Head, Join, Samples, Scan, Select, Sort, Take

_WHOLE = "  [whole table]"
_HIDDEN = ("location", "state", "named")


def tree(node: Node, beside: Mapping[Node, str] | None = None) -> str:
    """One line a step, what it reads indented below; only what differs from the defaults is shown.

    Predicates that `;` keeps apart are all true. A scan shows its table and version, the columns that are read and the
    predicates that Lance works out; a filter those that are worked out after the scan. `[whole table]` is where
    streaming stops. A step that stands there twice runs once: the second time only its first line is shown.
    `beside`: what is told of a step besides.
    """
    return "\n".join(_lines(node, 0, set(), beside or {}))


def _lines(node: Node, depth: int, seen: set[Node], beside: Mapping[Node, str]) -> list[str]:
    line = f"{'  ' * depth}{_told(node)}{_stops(node)}"
    if node in seen and node.children:
        return [f"{line}  [as above, run once]"]
    seen.add(node)
    line += f"  ({beside[node]})" if node in beside else ""
    below = [text for child in node.children for text in _lines(child, depth + 1, seen, beside)]
    return [line, *below]


def _stops(node: Node) -> str:
    if isinstance(node, Fuse):
        return "  [fitted on rows of the whole table, then streams]"
    if isinstance(node, Join):
        return "  [whole right side]"
    return _WHOLE if node.level is Level.TABLE else ""


def _told(node: Node) -> str:
    for kind, told in _TOLD.items():
        if isinstance(node, kind):
            return told(node)
    return f"{type(node).__name__}{_differences(node)}{_read(node)}"


def _scan(scan: Scan) -> str:
    named = [*scan.columns, *([scan.locator] if scan.locator else [])]
    left = [name for name in scan.stored.names if name not in scan.columns]
    columns = f"reads {', '.join(named)}" if left else f"reads all {len(named)} columns"
    where = f" where {'; '.join(scan.where)}, in Lance" if scan.where else ""
    return f"Scan({scan.table}, version {scan.version})  {columns}{where}"


def _samples(samples: Samples) -> str:
    shown = [f"models={list(samples.models)}", f"targets={list(samples.targets)}"]
    shown += [f"seed={samples.seed}"] if samples.seed else []
    shown += ["include_train=True"] if samples.include_train else []
    return f"Samples({', '.join(shown)})"


def _sort(sort: Sort) -> str:
    by = (f"{name} descending" if down else name for name, down in zip(sort.by, sort.descending, strict=True))
    return f"Sort({', '.join(by)})"


_TOLD: dict[type[Node], Callable[[Any], str]] = {
    Scan: _scan,
    Samples: _samples,
    Sort: _sort,
    Filter: lambda node: f"Filter({'; '.join(node.predicates)})",
    Select: lambda node: f"Select({', '.join(node.columns)})",
    Join: lambda node: f"Join({node.how}, on {', '.join(node.on)})",
    Head: lambda node: f"Head({node.rows})",
    Take: lambda node: f"Take({', '.join(node.columns)} of {node.table.table}, for the rows that are left)",
}


def _differences(node: Node) -> str:
    shown = []
    for field in fields(node):
        value = getattr(node, field.name)
        hidden = isinstance(value, Node) or field.name in _HIDDEN
        if hidden or (field.default is not MISSING and value == field.default):
            continue
        shown.append(f"{field.name}={list(value) if isinstance(value, tuple) else value!r}")
    return f"({', '.join(shown)})" if shown else ""


def _read(node: Node) -> str:
    reads = node.reads()
    return f"  reads {', '.join(reads)}" if reads else ""
