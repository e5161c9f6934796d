"""Numbers in words: a sentence a slice, and numbers as people read them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from misread.schemas.values import FALSE_NEGATIVE, HIGH_LOSS

MISSING = "-"
PICTURES: Final = "pictures"
IDS: Final = "ids"
REPORTS: Final = "text of reports"
OF_PATIENTS: Final = (PICTURES, IDS, REPORTS)
"""What of single patients a report may hold."""


def sentence_of(row: Mapping[str, Any]) -> str:
    """What a slice is, from its numbers alone. `row`: as in the question `slices_found`, with `patients`."""
    if row["rows"] is None:
        return f"A slice of {row['target']} of too few patients to show numbers."
    seen = f"q = {number(row['q_value'])}, seen in {row['patients']} patients."
    if row["error_kind"] == HIGH_LOSS:
        others = "" if row["baseline_loss"] is None else f", against {number(row['baseline_loss'])} elsewhere"
        return (
            f"Of {row['rows']} films the mean loss is {number(row['mean_loss'])} "
            f"({number(row['mean_loss_low'])} to {number(row['mean_loss_high'])}){others}; {seen}"
        )
    others = "" if row["baseline_rate"] is None else f", against {percent(row['baseline_rate'])} elsewhere in the class"
    does = "Misses" if row["error_kind"] == FALSE_NEGATIVE else "Falsely finds"
    return (
        f"{does} {row['target']} in {row['errors']} of {row['rows']} films "
        f"({percent(row['error_rate'])}, {percent(row['error_rate_low'])} to {percent(row['error_rate_high'])})"
        f"{others}; {seen}"
    )


def interval(low: float | None, high: float | None, shown: Callable[[float | None], str]) -> str:
    """` (low to high)`, each `shown` as `percent` or `number` does; nothing where it is not known."""
    return "" if low is None else f" ({shown(low)} to {shown(high)})"


def percent(share: float | None) -> str:
    """A share of 1 as a percentage."""
    return MISSING if share is None else f"{100 * share:.{0 if share >= 0.1 or share == 0 else 1}f} %"


def number(value: float | None) -> str:
    """A number with three digits that count."""
    if value is None:
        return MISSING
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def holds_of_patients(holds: Collection[str]) -> str:
    """What a report holds of OF_PATIENTS, and what it does not: `holds pictures and ids of patients, no text of …`."""
    there = listed([name for name in OF_PATIENTS if name in holds], "and")
    absent = listed([name for name in OF_PATIENTS if name not in holds], "or")
    if not there:
        return f"holds no {absent} of patients"
    return f"holds {there} of patients" + (f", no {absent}" if absent else "")


def listed(parts: Sequence[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {last} ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def as_sentence(text: str) -> str:
    """A remark with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
