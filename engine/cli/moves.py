"""How slices moved, as it is shown to people."""

from typing import Any, Final

import pyarrow as pa

from .show import columns_of_kind, percent, shown, with_interval

COLUMNS: Final = ("slice_id", "model", "target", "error", "share", "share_then", "share_change")
ERROR_COLUMNS: Final = ("wrong", "error_rate", "error_rate_then", "error_rate_change")
LOSS_COLUMNS: Final = ("loss_rows", "mean_loss", "mean_loss_then", "mean_loss_change")


def moves_for_people(moved: pa.Table) -> pa.Table:
    """`Store.moved` with rates as percentages, their changes in percentage points, and each change's interval.

    Slices of losses have mean losses, in their own unit, in place of error rates.
    """
    rows = moved.to_pylist()
    names = (*COLUMNS, *columns_of_kind(rows, ERROR_COLUMNS, LOSS_COLUMNS))
    return pa.Table.from_pylist([_row(row) for row in rows], pa.schema([(name, pa.string()) for name in names]))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "slice_id": row["slice_id"],
        "model": row["model"],
        "target": row["target"],
        "error": row["error_kind"],
        "share": percent(row["share"]),
        "share_then": percent(row["share_audited"]),
        "share_change": _change(row, "share"),
        "wrong": f"{row['errors']} of {row['labelled_rows']}" if row["labelled_rows"] else None,
        "error_rate": percent(row["error_rate"]),
        "error_rate_then": percent(row["error_rate_audited"]),
        "error_rate_change": _change(row, "error_rate"),
        "loss_rows": shown(row["loss_rows"]),
        "mean_loss": shown(row["mean_loss"]),
        "mean_loss_then": shown(row["mean_loss_audited"]),
        "mean_loss_change": with_interval(row, "mean_loss_change"),
    }


def _change(row: dict[str, Any], rate: str) -> str | None:
    """The change in percentage points, with its interval; below 1 point to as many decimals as tell it from none."""
    told = [row[f"{rate}_change{end}"] for end in ("", "_low", "_high")]
    if None in told:
        return None
    change, low, high = (100 * value for value in told)
    digits = 1 + sum(0 < max(-low, high) < step for step in (1, 0.1))
    return f"{change:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
