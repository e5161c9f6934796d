"""A plan as a tree of text."""

from dataclasses import MISSING, fields

from .nodes import Level, Node


def tree(node: Node, depth: int = 0) -> str:
    """One line a node, inputs indented below; only what differs from the defaults is shown."""
    line = f"{'  ' * depth}{type(node).__name__}{_differences(node)}"
    reads = node.reads()
    if reads:
        line += f"  reads {', '.join(reads)}"
    if node.level is Level.TABLE:
        line += "  [whole table]"
    return "\n".join([line, *(tree(child, depth + 1) for child in node.children)])


def _differences(node: Node) -> str:
    shown = []
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, Node) or (field.default is not MISSING and value == field.default):
            continue
        shown.append(f"{field.name}={list(value) if isinstance(value, tuple) else value!r}")
    return f"({', '.join(shown)})" if shown else ""
