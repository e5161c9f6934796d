"""One sentence that says what a slice is, with its numbers; it tells what goes together, never why."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from misread.schemas.values import HIGH_LOSS

from .bank import METADATA, UNMENTIONED

Row = Mapping[str, Any]

SIGNIFICANT: Final = 0.05
DOES: Final = {"false negative": "Misses {target}", "false positive": "Calls {target} that is not there"}


def sentence(row: Row, phrases: Sequence[Row], smallest_cell: int) -> str:
    """What the row of a slice and the rows of its phrases say.

    "Misses Pneumothorax in 32 of 61 images (52 %, 40 to 65) whose reports more often say "no chest drain" (74 % against
    38 %); elsewhere 9 %; q = 0.0001, seen in 58 patients". Of the phrases the first of reports and the first of
    metadata with a q-value of at most 0.05. Numbers of fewer than `smallest_cell` patients are left out.
    """
    patients = row["confirmation_patients"] or 0
    by_loss = row["error_kind"] == HIGH_LOSS
    if not row["confirmation_rows"]:
        return f"{_opening(row)} in images of which the confirmation half has none"
    parts = [f"{_opening(row)} in {_images(row, patients >= smallest_cell)}{_apart(phrases, smallest_cell)}"]
    elsewhere = row["baseline_loss" if by_loss else "baseline_rate"]
    if elsewhere is not None:
        parts.append(f"elsewhere {f'{elsewhere:.3g}' if by_loss else percent(elsewhere)}")
    seen = patients if patients >= smallest_cell else f"fewer than {smallest_cell}"
    verdict = "" if row["confirmed"] else "not confirmed: "
    parts.append(f"{verdict}q = {_small(row['q_value'])}, seen in {seen} patients")
    return "; ".join(parts)


def percent(share: float) -> str:
    """A share of 1 as a percentage."""
    return f"{100 * share:.{0 if share >= 0.1 or share == 0 else 1}f} %"


def _opening(row: Row) -> str:
    if row["error_kind"] == HIGH_LOSS:
        return f"Has high losses for {row['target']}"
    return DOES[row["error_kind"]].format(target=row["target"])


def _images(row: Row, told: bool) -> str:
    rows = row["confirmation_rows"]
    noun = "image" if rows == 1 else "images"
    if not told:
        return noun
    if row["error_kind"] == HIGH_LOSS:
        low, high = row["mean_loss_low"], row["mean_loss_high"]
        interval = "" if low is None or high is None else f", {low:.3g} to {high:.3g}"
        return f"{rows} {noun} (mean {row['mean_loss']:.3g}{interval})"
    ends = f"{100 * row['error_rate_low']:.0f} to {100 * row['error_rate_high']:.0f}"
    return f"{row['confirmation_errors']} of {rows} {noun} ({percent(row['error_rate'])}, {ends})"


def _apart(phrases: Sequence[Row], smallest_cell: int) -> str:
    """What sets the slice apart on held-out rows."""
    sure = [p for p in phrases if p["q_value"] is not None and p["q_value"] <= SIGNIFICANT]
    found = [
        next((p for p in sure if p["source"] != METADATA), None),
        next((p for p in sure if p["source"] == METADATA), None),
    ]
    told = [_told(phrase, smallest_cell) for phrase in found if phrase is not None]
    return f" {' and '.join(told)}" if told else ""


def _told(phrase: Row, smallest_cell: int) -> str:
    if phrase["source"] == METADATA:
        words = f"more often with {phrase['phrase']}"
    elif phrase["rate_inside"] is None:
        words = f'that lie nearer to "{phrase["phrase"]}"'
    elif phrase["assertion"] == UNMENTIONED:
        words = f"whose reports more often make {phrase['phrase']}"
    else:
        words = f'whose reports more often say "{phrase["phrase"]}"'
    if phrase["rate_inside"] is None or (phrase["patients_inside"] or 0) < smallest_cell:
        return words
    return f"{words} ({percent(phrase['rate_inside'])} against {percent(phrase['rate_outside'])})"


def _small(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}" if value >= 0.0001 else "0.0001 or less"
