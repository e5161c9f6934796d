"""Predicates that choose rows: one expression over one view, the same whenever it is asked."""

from collections.abc import Collection
from typing import Any

from misread.schemas.errors import QueryError

from .catalogue import functions
from .gate import admit
from .tree import Tree

SHAPE_HINT = "write one expression that is true or false, such as: view = 'PA' AND age > 60"
NAMES_HINT = 'names with blanks, and those that SQL knows as words, stand in double quotes: "order" = 2'
_UNSTEADY = """
SELECT lower(function_name) FROM duckdb_functions() WHERE function_type = 'scalar'
GROUP BY ALL HAVING count(*) FILTER (stability = 'CONSISTENT') = 0
"""
"""Those that are steady for some types and not for others hang on the time zone, which is set."""
_UNSTEADY_WORDS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}
"""What SQL knows without brackets: it stands like a column in the tree."""


def check_predicate(connection: Any, text: str, view: str, views: Collection[str]) -> None:
    """Raises QueryError unless `text` is one expression by shape, without subqueries, parameters, time and chance."""
    try:
        # inside a list, an expression that closes a bracket it never opened is no SQL at all
        tree = admit(connection, f"SELECT [\n{text}\n] FROM {view}", views)
    except QueryError as error:
        told = f"{text!r} cannot be used to choose rows: {error.message}"
        raise QueryError(told, f"{SHAPE_HINT}; {NAMES_HINT}") from None
    if not _is_one_expression(tree):
        raise QueryError(f"{text!r} is not one expression", SHAPE_HINT)
    if next(tree.of_type("SUBQUERY"), None) or tree.functions() & functions().keys():
        raise QueryError(f"{text!r} asks a question of its own", f"only columns of {view} can choose rows")
    if next(tree.of_type("VALUE_PARAMETER"), None):
        told = f"{text!r} asks for a value, and none can be given beside it"
        raise QueryError(told, "write the value itself, such as: age > 60")
    unsteady = _unsteady(connection, tree)
    if unsteady:
        raise QueryError(f"{text!r} is not the same every time: {unsteady}", "write the date or value itself")


def no_truth(text: str, kind: str) -> QueryError:
    """For an expression of another type than BOOLEAN."""
    return QueryError(f"{text!r} is {kind}, not true or false", SHAPE_HINT)


def _is_one_expression(tree: Tree) -> bool:
    chosen = tree.root.get("select_list") or []
    if tree.root["type"] != "SELECT_NODE" or len(chosen) != 1:
        return False
    (item,) = chosen
    return (
        item.get("function_name") == "list_value"
        and len(item["arguments"]) == 1
        and item["arguments"][0]["expression"]["class"] != "STAR"
        and not any(node.get("columns") for node in tree.of_type("STAR"))
    )


_unsteady_functions: set[str] = set()
"""Asked of DuckDB once: they are its own."""


def _unsteady(connection: Any, tree: Tree) -> str:
    if not _unsteady_functions:
        _unsteady_functions.update(name for (name,) in connection.execute(_UNSTEADY).fetchall())
    called = tree.functions() & (_unsteady_functions | _UNSTEADY_WORDS | {"age"})  # age of one date counts to today
    columns = {str(node["column_names"][-1]).lower() for node in tree.of_type("COLUMN_REF")}
    return ", ".join(sorted(called | (columns & _UNSTEADY_WORDS)))
