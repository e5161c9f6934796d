"""Which predicates Lance takes, and means the same by as DuckDB; the others are left to DuckDB."""

import math
import re
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from .tree import Node

_COMPARED: Final = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "<>": "<>"}
_BITS: Final = {pa.int8(): 8, pa.int16(): 16, pa.int32(): 32, pa.int64(): 64}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBER: Final = re.compile(r"-?\d+(\.\d*)?(e[+-]?\d+)?", re.IGNORECASE)


class _Not(Exception):  # noqa: N818 - no error: it says that a predicate is left to DuckDB
    """The expression is none that both take alike."""


def lance_filter(expression: Node, schema: pa.Schema) -> str | None:
    """The predicate in Lance's SQL, or None where it has none that is true for the same rows.

    Columns of text, whole numbers, float64, dates and booleans, compared with constants of their own kind, joined by
    AND, OR, NOT, IN, BETWEEN and IS NULL. Lance puts a negative NaN below all numbers, DuckDB every NaN above: the
    filter asks for NaN by itself.
    """
    try:
        return _Filter(schema).of(expression)
    except _Not:
        return None


class _Filter:
    def __init__(self, schema: pa.Schema) -> None:
        self._columns = {name.casefold(): schema.field(name) for name in schema.names}

    def of(self, node: Node) -> str:
        kind = str(node.get("type"))
        if kind in _COMPARED:
            return self._comparison(_COMPARED[kind], node["left"], node["right"])
        make = self._makers().get(kind)
        if make is None:
            raise _Not
        return make(node)

    def _makers(self) -> dict[str, Callable[[Node], str]]:
        return {
            "COLUMN_REF": self._truth,
            "CONJUNCTION_AND": lambda node: self._joined(" AND ", node),
            "CONJUNCTION_OR": lambda node: self._joined(" OR ", node),
            "OPERATOR_NOT": lambda node: f"(NOT {self.of(node['children'][0])})",
            "OPERATOR_IS_NULL": lambda node: f"({self._name(node['children'][0])} IS NULL)",
            "OPERATOR_IS_NOT_NULL": lambda node: f"({self._name(node['children'][0])} IS NOT NULL)",
            "COMPARE_IN": self._in,
            "COMPARE_BETWEEN": lambda node: (
                f"({self._comparison('>=', node['input'], node['lower'])}"
                f" AND {self._comparison('<=', node['input'], node['upper'])})"
            ),
        }

    def _joined(self, word: str, node: Node) -> str:
        return f"({word.join(self.of(child) for child in node['children'])})"

    def _truth(self, node: Node) -> str:
        if self._field(node).type != pa.bool_():
            raise _Not
        return self._name(node)

    def _in(self, node: Node) -> str:
        column, *values = node["children"]
        kind = self._field(column).type
        return f"({self._name(column)} IN ({', '.join(_constant(value, kind) for value in values)}))"

    def _comparison(self, sign: str, left: Node, right: Node) -> str:
        if left.get("type") != "COLUMN_REF":
            sign, left, right = _TURNED[sign], right, left
        kind = self._field(left).type
        name, value = self._name(left), _constant(right, kind)
        if kind == pa.float64() and sign in (">", ">="):
            return f"({name} {sign} {value} OR isnan({name}))"
        if kind == pa.float64() and sign in ("<", "<="):
            return f"({name} {sign} {value} AND NOT isnan({name}))"
        return f"({name} {sign} {value})"

    def _field(self, node: Node) -> pa.Field:
        if node.get("type") != "COLUMN_REF":
            raise _Not
        field = self._columns.get(str(node["column_names"][0]).casefold())
        if field is None or len(node["column_names"]) > 1:
            raise _Not
        return field

    def _name(self, node: Node) -> str:
        name = str(self._field(node).name)
        if "`" in name:
            raise _Not
        return f"`{name}`"


def _constant(node: Node, kind: pa.DataType) -> str:
    """A constant that a column of this kind is compared with as it stands. Raises _Not for any other."""
    if kind == pa.date32():
        return _date(node)
    literal: Any = node.get("literal") if node.get("type") == "VALUE_CONSTANT" else None
    if literal is None:
        raise _Not
    form, text = literal["kind"], str(literal.get("text"))
    if kind == pa.string() and form == "STRING":
        return "'" + text.replace("'", "''") + "'"
    if kind in _BITS and form == "INTEGER" and abs(int(text)) < 1 << _BITS[kind] - 1:
        return text
    if kind == pa.float64() and form in ("INTEGER", "NUMERIC") and _NUMBER.fullmatch(text):
        if not math.isfinite(float(text)):  # Lance has no word for it
            raise _Not
        return repr(float(text))
    if kind == pa.bool_() and form == "BOOLEAN":
        return text
    raise _Not


def _date(node: Node) -> str:
    if node.get("type") != "OPERATOR_CAST" or node["try_cast"] or node["type_expr"].get("type_name") != "DATE":
        raise _Not
    literal = node["child"].get("literal") or {}
    if literal.get("kind") != "STRING" or not _DATE.fullmatch(str(literal["text"])):
        raise _Not
    return f"date '{literal['text']}'"
