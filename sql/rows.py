"""Predicates over the rows of any frame: checked when they are written, taken apart, and put as Lance takes them."""

import json
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final

import pyarrow as pa

from .lance_filter import lance_filter
from .predicate import check_predicate, no_truth
from .refusals import refusal
from .tree import Node, Tree

_ALONE: Final = "SELECT (\n{}\n)"


@lru_cache(maxsize=256)
def check_rows_predicate(text: str, schema: pa.Schema, place: str) -> None:
    """Raises QueryError or UnknownNameError unless `text` is one steady true-or-false expression over these columns.

    `schema`: the columns it may name; `place`: what the rows are called in errors.
    """
    import duckdb

    columns = {place: schema.names}
    with _connection() as connection:
        try:
            connection.register("given_columns", schema.empty_table())
            connection.execute(f'CREATE TEMP VIEW "{place}" AS FROM given_columns')
            check_predicate(connection, text, place, columns)
            asked = f'FROM "{place}" SELECT (\n{text}\n) AS chosen'
            tree = Tree.parse(connection, asked)
            try:
                kind = connection.execute(f"DESCRIBE {asked}").fetchall()[0][1]
                connection.execute(f'EXPLAIN FROM "{place}" SELECT 1 WHERE (\n{text}\n)')
            except duckdb.Error as error:
                raise refusal(error, tree, columns, connection) from None
        finally:
            connection.unregister("given_columns")
    if kind != "BOOLEAN":
        raise no_truth(text, kind)


def columns_read(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Which of `names` a checked predicate reads, in their order; SQL knows no case in names."""
    known = {name.casefold(): name for name in names}
    parts = {str(part).casefold() for node in _parsed(text).of_type("COLUMN_REF") for part in node["column_names"]}
    return tuple(name for folded, name in known.items() if folded in parts)


@lru_cache(maxsize=256)
def conjuncts(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The parts of a checked predicate that AND joins at its top, each as SQL of its own, in their order.

    `names`: the columns there are; what stands before a column to say whose it is goes.
    """
    known = {name.casefold() for name in names}
    tree = Tree(json.loads(json.dumps(_parsed(text).root)))
    for node in tree.of_type("COLUMN_REF"):
        if len(node["column_names"]) > 1 and str(node["column_names"][0]).casefold() not in known:
            node["column_names"] = node["column_names"][1:]
    return tuple(_texts([*_and_parts(_expression(tree))]))


@lru_cache(maxsize=256)
def pushed(text: str, schema: pa.Schema) -> str | None:
    """The predicate as Lance takes it, or None where Lance does not mean the same by it."""
    return lance_filter(_expression(_parsed(text)), schema)


def _expression(tree: Tree) -> Node:
    chosen: Node = tree.root["select_list"][0]
    return chosen


@lru_cache(maxsize=256)
def _parsed(text: str) -> Tree:
    with _connection() as connection:
        return Tree.parse(connection, _ALONE.format(text))


def _and_parts(node: Node) -> Iterator[Node]:
    if node.get("type") != "CONJUNCTION_AND":
        yield node
        return
    for child in node["children"]:
        yield from _and_parts(child)


def _texts(nodes: Sequence[Node]) -> Iterator[str]:
    """Each expression as SQL again, by DuckDB's own writer."""
    with _connection() as connection:
        (answer,) = connection.execute("SELECT json_serialize_sql('SELECT 1')").fetchall()[0]
        document = json.loads(answer)
        for node in nodes:
            document["statements"][0]["node"]["select_list"] = [node]
            (text,) = connection.execute("SELECT json_deserialize_sql(?::JSON)", [json.dumps(document)]).fetchall()[0]
            yield text.removeprefix("SELECT ")


def _connection() -> Any:
    """A connection of its own to the database that parses: opening a database takes far longer than a parse."""
    return _database().cursor()


@cache
def _database() -> Any:
    import duckdb

    return duckdb.connect(":memory:", config={"threads": 1})  # without threads a process can fork
