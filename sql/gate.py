"""What may be asked: one statement that reads the store's views and nothing else."""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, Final

from misread.schemas.errors import QueryError, unknown_name

from .catalogue import BACKED, STORED, functions
from .refusals import syntax_error
from .tree import Node, Tree, shown

ALLOWED: Final = "only SELECT, EXPLAIN, DESCRIBE and SHOW are answered; nothing in the store can be changed from SQL"
TABLE_FUNCTIONS: Final = frozenset({"generate_series", "range", "repeat", "unnest"})
FORBIDDEN_FUNCTIONS: Final = frozenset(
    {
        "current_connection_id", "current_query", "current_setting", "currval", "getenv", "getvariable",
        "json_serialize_plan", "nextval", "pg_sleep", "setval", "sleep_ms", "write_log",
    }
)  # fmt: skip
QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_EXPLAIN = re.compile(r"\A(?:\s|--[^\n\r]*[\n\r])*EXPLAIN\b\s*(?:\([\w\s,]*\))?\s*(?:ANALYZE\b)?", re.IGNORECASE)
"""What DuckDB reads before the statement it explains: no comment may stand here that could end elsewhere for DuckDB."""


def admit(connection: Any, text: str, views: Collection[str]) -> Tree:
    """The parse of a question that may be asked of `views`. Raises QueryError or UnknownNameError."""
    kind = _only_statement(connection, text)
    if kind == "EXPLAIN":
        explained = _EXPLAIN.match(text)
        if explained is None:
            raise QueryError("EXPLAIN does not begin the question", "write EXPLAIN first, and comments behind it")
        text = text[explained.end() :]
        kind = _only_statement(connection, text)
    if kind == "MULTI":
        raise QueryError("PIVOT needs its values named here", "write PIVOT … ON column IN ('a', 'b') USING …")
    if kind != "SELECT":
        raise QueryError(f"{kind.replace('_', ' ')} statements are refused", ALLOWED)
    tree = Tree.parse(connection, text)
    check(tree, views)
    return tree


def asks_for_tables(tree: Tree) -> bool:
    """Whether the question is SHOW TABLES."""
    node = tree.root.get("from_table") or {}
    return node.get("type") == "SHOW_REF" and shown(node) in ("tables", "__show_tables_expanded")


def check(tree: Tree, views: Collection[str]) -> None:
    """Raises unless a parse reads nothing but `views` and harmless functions."""
    for node in tree.nodes():
        kind = str(node.get("type"))
        if kind.endswith("_NODE") and kind not in QUERY_NODES:
            raise QueryError(f"{kind.partition('_')[0]} is refused", ALLOWED)
        if kind == "TABLE_FUNCTION":
            _check_table_function(str(node["function"]["function_name"]))
        if kind == "SHOW_REF" and node["query"] is None and not (asks_for_tables(tree) or shown(node) in views):
            raise QueryError("SHOW can show the tables, or one of them", "write SHOW TABLES, or SHOW images")
    for node, given in tree.base_tables():
        _check_table(node, {*views, *given}, views)
    called = tree.functions()
    forbidden = sorted(called & FORBIDDEN_FUNCTIONS | {name for name in called if name.startswith(BACKED)})
    if forbidden:
        raise QueryError(f"the function {forbidden[0]!r} is refused", "settings and the machine are out of reach")


def _only_statement(connection: Any, text: str) -> str:
    import duckdb

    try:
        text.encode()
    except UnicodeEncodeError:
        raise QueryError("the question is not UTF-8 text") from None
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise syntax_error(error) from None
    if len(statements) != 1:
        count = len(statements)
        raise QueryError(f"{count} statements were given; one can be asked at a time" if count else "nothing is asked")
    return str(statements[0].type.name)


def _check_table(node: Node, known: Collection[str], views: Collection[str]) -> None:
    path = [str(part).lower() for part in node["qualified_name"]["path"]]
    if len(path) > 1 and path[:-1] in (["main"], ["memory", "main"]) and path[-1] in views:
        return
    if len(path) > 1 or path[0] not in known or path[0].startswith(STORED):
        raise unknown_name("table", ".".join(map(str, node["qualified_name"]["path"])), views)


def _check_table_function(name: str) -> None:
    own = [entry.name for entry in functions().values() if entry.is_table]
    if name.lower() in (*TABLE_FUNCTIONS, *own):
        return
    if name.lower() in functions():
        raise QueryError(f"{name} gives one value, not a table", f"write SELECT {name}(…)")
    near = get_close_matches(name.lower(), own, n=1, cutoff=0.7)
    if near:
        raise unknown_name("table function", name, own)
    raise QueryError(
        f"the table function {name!r} is refused",
        "files, the network and DuckDB's own state are out of reach; "
        f"allowed are: {', '.join(sorted([*TABLE_FUNCTIONS, *own]))}",
    )
