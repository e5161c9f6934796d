"""How slices moved, as it is shown to people."""

from typing import Any, Final

import pyarrow as pa

from .show import percent

COLUMNS: Final = (
    "slice_id",
    "target",
    "error",
    "share",
    "share_then",
    "share_change",
    "wrong",
    "error_rate",
    "error_rate_then",
    "error_rate_change",
)


def moves_for_people(moved: pa.Table) -> pa.Table:
    """`Store.moved` with rates as percentages and changes in percentage points, each with its interval."""
    return pa.Table.from_pylist(
        [_row(row) for row in moved.to_pylist()], pa.schema([(n, pa.string()) for n in COLUMNS])
    )


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "slice_id": row["slice_id"],
        "target": row["target"],
        "error": row["error_kind"],
        "share": percent(row["share"]),
        "share_then": percent(row["share_audited"]),
        "share_change": _change(row, "share"),
        "wrong": f"{row['errors']} of {row['labelled_rows']}" if row["labelled_rows"] else None,
        "error_rate": percent(row["error_rate"]),
        "error_rate_then": percent(row["error_rate_audited"]),
        "error_rate_change": _change(row, "error_rate"),
    }


def _change(row: dict[str, Any], rate: str) -> str | None:
    """The change in percentage points, with its interval."""
    change, low, high = (row[f"{rate}_change{end}"] for end in ("", "_low", "_high"))
    return None if change is None else f"{100 * change:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
