"""Numbers in words: a sentence a slice, and numbers as people read them."""

from collections.abc import Mapping
from typing import Any

from misread.schemas.values import FALSE_NEGATIVE, HIGH_LOSS

MISSING = "-"


def sentence_of(row: Mapping[str, Any]) -> str:
    """What a slice is, from its numbers alone. `row`: as in the question `slices_found`, with `patients`."""
    if row["rows"] is None:
        return f"A slice of {row['target']} of too few patients to show numbers."
    seen = f"q = {number(row['q_value'])}, seen in {row['patients']} patients."
    if row["error_kind"] == HIGH_LOSS:
        return (
            f"Of {row['rows']} films the mean loss is {number(row['mean_loss'])} "
            f"({number(row['mean_loss_low'])} to {number(row['mean_loss_high'])}), against "
            f"{number(row['baseline_loss'])} elsewhere; {seen}"
        )
    does = "Misses" if row["error_kind"] == FALSE_NEGATIVE else "Falsely finds"
    return (
        f"{does} {row['target']} in {row['errors']} of {row['rows']} films "
        f"({percent(row['error_rate'])}, {percent(row['error_rate_low'])} to {percent(row['error_rate_high'])}), "
        f"against {percent(row['baseline_rate'])} elsewhere in the class; {seen}"
    )


def percent(share: float | None) -> str:
    """A share of 1 as a percentage."""
    return MISSING if share is None else f"{100 * share:.{0 if share >= 0.1 or share == 0 else 1}f} %"


def number(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return MISSING
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"
