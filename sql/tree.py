"""DuckDB's own parse of a question, and what can be read off it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from misread.schemas.errors import QueryError

Node = dict[str, Any]


def shown(node: Node) -> str:
    """The table that DESCRIBE or SHOW names, in lower case."""
    return str(node.get("table_name")).strip('"').lower()


@dataclass(frozen=True)
class Tree:
    """The parse of one SELECT, as `json_serialize_sql` gives it."""

    root: Node

    @classmethod
    def parse(cls, connection: Any, text: str) -> "Tree":
        """Raises QueryError unless `text` is one statement that only selects."""
        (answer,) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchall()[0]
        try:
            document = json.loads(answer)
        except RecursionError:
            raise QueryError("the question is nested too deeply") from None
        if document["error"]:
            raise QueryError(f"the question cannot be read: {document['error_message']}")
        if len(document["statements"]) != 1:
            raise QueryError("only one statement can be asked at a time")
        return cls(document["statements"][0]["node"])

    def nodes(self) -> Iterator[Node]:
        """Every node, parents first."""
        waiting: list[Any] = [self.root]
        while waiting:
            item = waiting.pop()
            if isinstance(item, dict):
                yield item
                waiting.extend(item.values())
            elif isinstance(item, list):
                waiting.extend(item)

    def of_type(self, name: str) -> Iterator[Node]:
        return (node for node in self.nodes() if node.get("type") == name)

    def functions(self) -> set[str]:
        """The names of all functions called, in lower case."""
        return {str(node["function_name"]).lower() for node in self.nodes() if node.get("function_name")}

    def table_functions(self) -> set[str]:
        """The names of the functions that stand behind FROM, in lower case."""
        return {str(node["function"]["function_name"]).lower() for node in self.of_type("TABLE_FUNCTION")}

    def with_names(self) -> set[str]:
        """The names that WITH gives anywhere, in lower case."""
        maps = (node["cte_map"]["map"] for node in self.nodes() if isinstance(node.get("cte_map"), dict))
        return {str(item["key"]).lower() for entries in maps for item in entries}

    def base_tables(self) -> Iterator[tuple[Node, frozenset[str]]]:
        """Every table in a FROM, and the names that WITH gives where it stands, in lower case."""
        waiting: list[tuple[Any, frozenset[str]]] = [(self.root, frozenset())]
        while waiting:
            item, given = waiting.pop()
            if isinstance(item, list):
                waiting.extend((part, given) for part in item)
            elif isinstance(item, dict):
                if item.get("type") == "BASE_TABLE":
                    yield item, given
                for entry in (item.get("cte_map") or {}).get("map", ()):
                    name = str(entry["key"]).lower()
                    recursive = entry["value"]["query_node"]["type"] == "RECURSIVE_CTE_NODE"
                    waiting.append((entry["value"], given | {name} if recursive else given))
                    given |= {name}
                waiting.extend((part, given) for key, part in item.items() if key != "cte_map")

    def tables(self) -> dict[str, str]:
        """What each table in a FROM goes by: {alias or name: name}, in lower case."""
        return {
            str(node.get("alias") or node["table_name"]).lower(): str(node["table_name"]).lower()
            for node in self.of_type("BASE_TABLE")
        }

    def names(self) -> set[str]:
        """The names of everything that is asked: tables, those of DESCRIBE and SHOW, and functions, in lower case."""
        return {*self.tables().values(), *self.functions(), *map(shown, self.of_type("SHOW_REF"))}

    def literals(self) -> set[str]:
        """The values that are written out, as text."""
        return {str((node.get("literal") or {}).get("text")) for node in self.of_type("VALUE_CONSTANT")}

    def aliases(self) -> set[str]:
        """The names given to columns with AS, and those listed behind a table's alias."""
        given = {str(node["alias"]) for node in self.nodes() if node.get("class") and node.get("alias")}
        listed = {str(name) for node in self.nodes() for name in node.get("column_name_alias") or ()}
        return given | listed
