"""What an audit could have confirmed, had it been there."""

from collections.abc import Mapping

import polars as pl

from misread.audit.population import Population
from misread.discover import smallest_effect
from misread.schemas.values import CONFIRMATION, error_kind_of

from .inputs import codes

CLASSES = (1, 0)


def effect_column(true_class: int) -> str:
    """The column of audit_targets that holds a class's smallest effect."""
    return f"smallest_effect_{error_kind_of(true_class).replace(' ', '_')}"


def smallest_effects(judged: Population, slice_rows: int) -> dict[str, object]:
    """The columns of audit_targets on what a slice of `slice_rows` confirmation rows would have had to show."""
    columns: dict[str, object] = {"smallest_effect_rows": slice_rows}
    for true_class in CLASSES:
        rows = _held_out(judged, true_class)
        errors = rows["error"].to_numpy().astype(bool)
        columns[effect_column(true_class)] = smallest_effect(errors, codes(rows["patient"]), slice_rows)
    return columns


def effects_told(judged: Population, effects: Mapping[str, object]) -> str:
    """The same in words, for an audit that found nothing; empty where there were no rows to confirm on."""
    classes = {true_class: _held_out(judged, true_class) for true_class in CLASSES}
    told = [_told(true_class, rows, effects[effect_column(true_class)]) for true_class, rows in classes.items()]
    small = f"a slice of {effects['smallest_effect_rows']} confirmation rows"
    if any(effects[effect_column(true_class)] is not None for true_class in CLASSES):
        return f"{small} would have been confirmed with 80 % power at {' or at '.join(filter(None, told))}"
    return f"{small} could not have been confirmed with 80 % power whatever its error rate" if any(told) else ""


def _told(true_class: int, rows: pl.DataFrame, effect: object) -> str:
    if not rows.height:
        return ""
    rate = "no rate of" if effect is None else f"{effect:.0%}"
    return f"{rate} {error_kind_of(true_class)}s ({rows['error'].sum() / rows.height:.0%} in all)"


def _held_out(judged: Population, true_class: int) -> pl.DataFrame:
    return judged.rows.filter(
        (pl.col("half") == CONFIRMATION) & (pl.col("label") == true_class) & pl.col("error").is_not_null()
    )
