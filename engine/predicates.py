"""Predicates as they are written, SQL or polars, as the SQL that a plan keeps."""

import datetime as dt
import json
import math
from typing import Any, Final

import polars as pl
import pyarrow as pa

from misread.schemas.errors import QueryError
from misread.sql.rows import check_rows_predicate

_SIGNS: Final = {
    "Eq": "=",
    "NotEq": "<>",
    "Lt": "<",
    "LtEq": "<=",
    "Gt": ">",
    "GtEq": ">=",
    "And": "AND",
    "Or": "OR",
}
_HINT: Final = "write it as SQL text, or filter what .lazy() gives"


def checked(predicate: str | pl.Expr, schema: pa.Schema, called: str) -> str:
    """The predicate as SQL over these columns.

    Of polars: columns, constants, comparisons, & | ~, is_null, is_nan, is_not_null, is_in, is_between and
    str.starts_with, ends_with and contains(literal=True), which mean the same in SQL. Raises QueryError for any
    other, and what `check_rows_predicate` raises.
    """
    text = as_sql(predicate)
    check_rows_predicate(text, schema, called)
    return text


def as_sql(expression: str | pl.Expr) -> str:
    """A polars expression as SQL; SQL as it is. Raises QueryError for one that is not among those `checked` names."""
    if isinstance(expression, str):
        return expression
    if not isinstance(expression, pl.Expr):
        raise QueryError(f"{expression!r} is no predicate", "write SQL text or a polars expression")
    try:
        return _sql(json.loads(expression.meta.serialize(format="json")))
    except _UnknownError as error:
        raise QueryError(f"the polars expression {expression} cannot choose rows here: {error}", _HINT) from None


class _UnknownError(Exception):
    """A part of an expression that has no SQL of the same meaning."""


def _sql(node: dict[str, Any] | str) -> str:
    """One node of polars' own description of an expression."""
    if not isinstance(node, dict) or len(node) != 1:
        raise _UnknownError(f"{node} has no SQL of the same meaning")
    ((kind, value),) = node.items()
    match kind:
        case "Column":
            return '"' + str(value).replace('"', '""') + '"'
        case "Literal":
            return _constant(value)
        case "BinaryExpr" if value["op"] in _SIGNS:
            return f"({_sql(value['left'])} {_SIGNS[value['op']]} {_sql(value['right'])})"
        case "Function":
            return _function(value)
    raise _UnknownError(f"{value.get('op', kind) if isinstance(value, dict) else kind} has no SQL of the same meaning")


def _function(value: dict[str, Any]) -> str:
    function, given = value["function"], value["input"]
    family, name = next(iter(function.items())) if isinstance(function, dict) else ("", function)
    first = _sql(given[0])
    written = {
        ("Boolean", "Not"): "(NOT {})",
        ("Boolean", "IsNull"): "({} IS NULL)",
        ("Boolean", "IsNotNull"): "({} IS NOT NULL)",
        ("Boolean", "IsNan"): "isnan({})",
        ("StringExpr", "StartsWith"): "starts_with({}, {})",
        ("StringExpr", "EndsWith"): "ends_with({}, {})",
    }
    if isinstance(name, str) and (family, name) in written:
        return written[family, name].format(first, *map(_sql, given[1:]))
    match name:
        case {"IsIn": {"nulls_equal": False}}:
            return _is_in(first, given[1])
        case {"IsBetween": {"closed": closed}}:
            low = ">=" if closed in ("Both", "Left") else ">"
            high = "<=" if closed in ("Both", "Right") else "<"
            return f"({first} {low} {_sql(given[1])} AND {first} {high} {_sql(given[2])})"
        case {"Contains": {"literal": True}}:
            return f"contains({first}, {_sql(given[1])})"
    raise _UnknownError(f"{next(iter(name)) if isinstance(name, dict) else name} has no SQL of the same meaning")


def _is_in(first: str, given: dict[str, Any]) -> str:
    try:
        stored = bytes(given["Literal"]["Scalar"]["List"])  # an Arrow stream of one column
        values = pa.ipc.open_stream(stored).read_all().column(0).to_pylist()
    except (KeyError, TypeError, ValueError, pa.ArrowInvalid):
        raise _UnknownError("is_in takes a list of constants here") from None
    known = [value for value in values if value is not None]
    return f"({first} IN ({', '.join(map(_value, known))}))" if known else f"({first} IS NULL AND false)"


def _constant(value: dict[str, Any]) -> str:
    ((kind, told),) = value.items()
    if isinstance(told, dict):  # one value; of several, as in a Series, polars tells no kind
        ((kind, content),) = told.items()
    else:
        content = None
    match kind:
        case "Float" | "Float32" | "Float64" if content is None:  # polars writes all of them down as null
            raise _UnknownError(
                "it does not say whether a constant is inf, -inf or NaN; SQL text does, as in \"x < 'inf'::DOUBLE\""
            )
        case "Int" | "Float" | "String" | "Boolean":
            return _value(content)
        case "Null":
            return "NULL"
        case "Date":
            return _value(dt.date(1970, 1, 1) + dt.timedelta(days=content))
    if kind[:3] in ("Int", "UIn", "Flo"):
        return _value(content)
    raise _UnknownError(f"a constant of kind {kind} has no SQL of the same meaning")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"'{value}'::DOUBLE" if not math.isfinite(value) else repr(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return f"DATE '{value}'"
    raise _UnknownError(f"a constant of kind {type(value).__name__} has no SQL of the same meaning")
