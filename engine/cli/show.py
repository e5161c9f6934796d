"""How slices are shown to people."""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from misread import percentages
from misread.schemas.values import HIGH_LOSS

from .cells import cell, visible

ERROR_COLUMNS: Final = ("wrong", "error_rate", "baseline")
LOSS_COLUMNS: Final = ("rows", "mean_loss", "baseline_loss")
FEW_PATIENTS: Final = "too few patients"
YES_OR_NO: Final = {True: "yes", False: "no"}


def nothing_found(audit: dict[str, Any]) -> str:
    """What to say of an audit without slices, with its notes."""
    return visible(
        ": ".join(filter(None, [f"Audit {audit['audit_id']} found no slices", "; ".join(audit["notes"] or ())]))
    )


def slices_for_people(found: pa.Table) -> pa.Table:
    """The question `slices_found` with rates as percentages and each interval beside its rate or mean loss.

    Slices of losses have columns of their own in place of those on errors; where there are both, all are shown.
    """
    rows = found.to_pylist()
    own = columns_of_kind(rows, ERROR_COLUMNS, LOSS_COLUMNS)
    return pa.Table.from_pylist([_for_people(row) for row in rows], _slice_columns(own))


def columns_of_kind(
    rows: Sequence[dict[str, Any]], errors: tuple[str, ...], losses: tuple[str, ...]
) -> tuple[str, ...]:
    """The columns for slices of errors, of losses, or of both, whichever there are; those of errors without rows."""
    by_loss = [row["error_kind"] == HIGH_LOSS for row in rows]
    return (*(() if by_loss and all(by_loss) else errors), *(losses if any(by_loss) else ()))


def _slice_columns(own: Sequence[str]) -> pa.Schema:
    return pa.schema(
        [
            *((name, pa.string()) for name in ("slice_id", "model", "target", "error", *own)),
            ("lift", pa.float64()),
            ("q_value", pa.float64()),
            ("confirmed", pa.string()),
            ("nearest_phrase", pa.string()),
            ("borne_out", pa.string()),
            ("phrase_q_value", pa.float64()),
        ]
    )


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "slice_id": row["slice_id"],
        "model": row["model"],
        "target": row["target"],
        "error": row["error_kind"],
        **(_losses(row) if row["error_kind"] == HIGH_LOSS else _errors(row)),
        "lift": row["lift"],
        "q_value": row["q_value"],
        "confirmed": YES_OR_NO.get(row["confirmed"]),
        "nearest_phrase": row["nearest_phrase"],
        "borne_out": YES_OR_NO.get(row["borne_out"]),
        "phrase_q_value": row["phrase_q_value"],
    }


def _errors(row: dict[str, Any]) -> dict[str, str | None]:
    wrong = FEW_PATIENTS if row["rows"] is None else f"{cell(row['errors'])} of {cell(row['rows'])}"
    return dict(zip(ERROR_COLUMNS, (wrong, _rate(row), percent(row["baseline_rate"])), strict=True))


def _rate(row: dict[str, Any]) -> str | None:
    rate, low, high = (percent(row[name]) for name in ("error_rate", "error_rate_low", "error_rate_high"))
    return f"{rate} ({low} to {high})" if rate and low and high else rate


def _losses(row: dict[str, Any]) -> dict[str, str | None]:
    rows = FEW_PATIENTS if row["rows"] is None else cell(row["rows"])
    told = (rows, with_interval(row, "mean_loss"), shown(row["baseline_loss"]))
    return dict(zip(LOSS_COLUMNS, told, strict=True))


def shown(value: object) -> str | None:
    """A value as a table shows it, in a column of text."""
    return None if value is None else cell(value)


def with_interval(row: dict[str, Any], name: str) -> str | None:
    """A number of `row` with its interval, if it has one."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return shown(value) if None in (value, low, high) else f"{cell(value)} ({cell(low)} to {cell(high)})"


def percent(share: float | None) -> str | None:
    """A share of 1 as a percentage."""
    return None if share is None else percentages.percent(share)
