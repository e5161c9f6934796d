"""One sentence that says what a slice is, with its numbers; it tells what goes together, never why."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from misread.percentages import percent
from misread.schemas.values import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    HIGH_LOSS,
    SIGNIFICANCE,
    is_small_cell,
    may_be_small_cell,
)

from .bank import METADATA, UNMENTIONED

Row = Mapping[str, Any]

DOES: Final = {FALSE_NEGATIVE: "Misses {target}", FALSE_POSITIVE: "Calls {target} that is not there"}


def sentence(row: Row, phrases: Sequence[Row], smallest_cell: int) -> str:
    """What the row of a slice and the rows of its phrases say.

    "Misses Pneumothorax in 32 of 61 images (52 %, 40 to 65; elsewhere 9.4 %); images of the slice more often have "no
    chest drain" in the report (42 % against 20 % elsewhere); q = 0.0001, seen in 60 patients". Of the phrases the first
    of reports and the first of metadata with a q-value of at most 0.05. Where fewer than `smallest_cell` patients are
    inside or outside there is no number, nor the share of a phrase that so few of them have or lack: SQL's
    `slices_shown` and `phrases_shown` alike.
    """
    if not row["confirmation_rows"]:
        return f"{_opening(row)} in images of which the confirmation half has none"
    verdict = "" if row["confirmed"] else "not confirmed: "
    if any(is_small_cell(row[name], smallest_cell) for name in ("confirmation_patients", "baseline_patients")):
        return f"{_opening(row)} in images; {verdict}of too few patients to show numbers"
    what = f"{_opening(row)} in {_images(row)}{_apart(phrases, smallest_cell)}"
    return f"{what}; {verdict}q = {_small(row['q_value'])}, seen in {row['confirmation_patients']} patients"


def _opening(row: Row) -> str:
    if row["error_kind"] == HIGH_LOSS:
        return f"Has high losses for {row['target']}"
    return DOES[row["error_kind"]].format(target=row["target"])


def _images(row: Row) -> str:
    """The images, and how often they are wrong or how high their losses are, against those elsewhere."""
    rows = row["confirmation_rows"]
    noun = "image" if rows == 1 else "images"
    if row["error_kind"] == HIGH_LOSS:
        low, high, elsewhere = row["mean_loss_low"], row["mean_loss_high"], row["baseline_loss"]
        ends = [] if low is None or high is None else [f"{low:.3g} to {high:.3g}"]
        numbers = [f"mean {row['mean_loss']:.3g}", *ends]
        others = "" if elsewhere is None else f"; elsewhere {elsewhere:.3g}"
        return f"{rows} {noun} ({', '.join(numbers)}{others})"
    interval = " to ".join(percent(row[f"error_rate_{end}"]).removesuffix(" %") for end in ("low", "high"))
    others = "" if row["baseline_rate"] is None else f"; elsewhere {percent(row['baseline_rate'])}"
    return f"{row['confirmation_errors']} of {rows} {noun} ({percent(row['error_rate'])}, {interval}{others})"


def _apart(phrases: Sequence[Row], smallest_cell: int) -> str:
    """What sets the slice apart on held-out rows: said of its images, so that no share reads as an error rate."""
    sure = [p for p in phrases if p["q_value"] is not None and p["q_value"] <= SIGNIFICANCE]
    found = [
        next((p for p in sure if p["source"] != METADATA), None),
        next((p for p in sure if p["source"] == METADATA), None),
    ]
    near = [f', nearer to "{p["phrase"]}"' for p in found if p is not None and p.get("rate_inside") is None]
    often = [_told(p, smallest_cell) for p in found if p is not None and p.get("rate_inside") is not None]
    return "".join(near) + (f"; images of the slice more often have {' and '.join(often)}" if often else "")


def _told(phrase: Row, smallest_cell: int) -> str:
    if phrase["source"] == METADATA:
        words = str(phrase["phrase"])
    else:
        mark = "" if phrase["assertion"] == UNMENTIONED else '"'
        words = f"{mark}{phrase['phrase']}{mark} in the report"
    if _are_few(phrase, "inside", smallest_cell):
        return words
    inside, outside = (percent(phrase[f"rate_{side}"]) for side in ("inside", "outside"))
    return (
        f"{words} ({inside})"
        if _are_few(phrase, "outside", smallest_cell)
        else f"{words} ({inside} against {outside} elsewhere)"
    )


def _are_few(phrase: Row, side: str, smallest_cell: int) -> bool:
    """Whether few patients of a side of the slice have the phrase, or few lack it, or may do."""
    return any(may_be_small_cell(phrase[f"{group}_{side}"], smallest_cell) for group in ("patients", "lacking"))


def _small(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}" if value >= 0.0001 else "0.0001 or less"
