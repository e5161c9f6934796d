"""Values as text: compact in tables, exact in CSV and JSON, harmless at a terminal."""

import json
import math
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

NULL: Final = "NULL"
_BIDIRECTIONAL = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *_BIDIRECTIONAL]
_ESCAPES: Final = {
    **{code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" for code in _CONTROLS},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
}
_ESCAPES_BUT_BREAKS: Final = {code: text for code, text in _ESCAPES.items() if code not in (ord("\n"), ord("\t"))}


def visible(text: str) -> str:
    """The text on one line, with everything a terminal would act on written out."""
    return text.translate(_ESCAPES)


def harmless(text: str) -> str:
    """The same for a text of several lines."""
    return text.translate(_ESCAPES_BUT_BREAKS)


def values(column: pa.ChunkedArray) -> list[Any]:
    """A column as Python values; what Python cannot hold (nanoseconds, the year 12000) comes as text."""
    try:
        result: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    except (ValueError, OverflowError):
        result = pc.cast(column, pa.string()).to_pylist()
    return result


def cell(value: object) -> str:
    """One value as a table shows it: floats to about four digits, times to the second."""
    if value is None:
        return NULL
    if isinstance(value, float):
        return _compact(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0).isoformat(sep=" ")
    return visible(exact(value))


def exact(value: object) -> str:
    """One value that is not NULL as CSV holds it; lists and structures as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return as_json(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date | time):
        return value.isoformat()
    return repr(value) if isinstance(value, float) else str(value)


def as_json(value: object) -> str:
    """A value as JSON on one line. NaN and infinities are null: JSON has no word for them."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _compact(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000 or value == int(value):
        return f"{value:.1f}".removesuffix(".0") if abs(value) < 1e15 else f"{value:.4g}"
    return f"{value:.4g}"


def _number(value: Decimal) -> int | float | str:
    """A decimal as a number, or as text where no float has its digits."""
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else str(value)


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return _number(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return exact(value)
