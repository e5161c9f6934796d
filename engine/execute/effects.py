"""What an audit could have confirmed, had it been there."""

from collections.abc import Mapping

import polars as pl

from misread.audit.population import Population
from misread.discover import mean_loss, smallest_effect, smallest_mean_loss
from misread.percentages import percent
from misread.schemas.values import CLASSES, CONFIRMATION, error_kind_of, is_small_cell
from misread.sql.limits import SMALLEST_CELL

from .judged_rows import JudgedRows

LOSS_COLUMN = "smallest_effect_mean_loss"


def effect_column(true_class: int) -> str:
    """The column of audit_targets that holds a class's smallest effect."""
    return f"smallest_effect_{error_kind_of(true_class).replace(' ', '_')}"


def smallest_effects(judged: Population, slice_rows: int, fewest_patients: int) -> dict[str, object]:
    """The columns of audit_targets on what a slice of `slice_rows` confirmation rows would have had to show, where
    they are of no more patients than a slice has to hold."""
    columns: dict[str, object] = {"smallest_effect_rows": slice_rows}
    if judged.by_loss:
        rows = JudgedRows.of(judged, half=CONFIRMATION)
        return columns | {LOSS_COLUMN: smallest_mean_loss(rows.values, rows.patients, slice_rows, fewest_patients)}
    for true_class in CLASSES:
        rows = JudgedRows.of(judged, true_class, CONFIRMATION)
        columns[effect_column(true_class)] = smallest_effect(rows.values, rows.patients, slice_rows, fewest_patients)
    return columns


def effects_told(judged: Population, effects: Mapping[str, object], fewest_patients: int) -> str:
    """The same in words, for an audit that found nothing; empty where there were no rows to confirm on. Of a class of
    fewer patients than may be told nothing is said."""
    whose = f" of {fewest_patients} patient{'s' * (fewest_patients > 1)}" if _repeat(judged) else ""
    small = f"a slice of {effects['smallest_effect_rows']} confirmation rows{whose}, had it been found,"
    if judged.by_loss:
        return _loss_told(small, judged.judged_rows(half=CONFIRMATION), effects[LOSS_COLUMN])
    classes = {true_class: judged.judged_rows(true_class, CONFIRMATION) for true_class in CLASSES}
    each = {
        true_class: effects[effect_column(true_class)] for true_class in CLASSES if not _is_untold(classes[true_class])
    }
    if any(effect is not None for effect in each.values()):
        told = [_told(true_class, classes[true_class], effect) for true_class, effect in each.items()]
        return f"{small} would have been confirmed with about 80 % power at {' or at '.join(told)}"
    return f"{small} could not have been confirmed with 80 % power whatever its error rate" if each else ""


def _repeat(judged: Population) -> bool:
    """Whether any patient has two rows to confirm on."""
    return bool(judged.judged_rows(half=CONFIRMATION)["patient"].is_duplicated().any())


def _told(true_class: int, rows: pl.DataFrame, effect: object) -> str:
    rate = percent(effect) if isinstance(effect, float) else "no rate of"
    return f"{rate} {error_kind_of(true_class)}s ({percent(int(rows['value'].sum()) / rows.height)} in all)"


def _is_untold(rows: pl.DataFrame) -> bool:
    return rows.is_empty() or is_small_cell(rows["patient"].n_unique(), SMALLEST_CELL)


def _loss_told(small: str, rows: pl.DataFrame, effect: object) -> str:
    if _is_untold(rows):
        return ""
    if effect is None:
        return f"{small} could not have been confirmed with 80 % power whatever its mean loss"
    whole = f"{mean_loss(rows['value'].to_numpy()):.3g} in all"
    return f"{small} would have been confirmed with about 80 % power at a mean loss of {effect:.3g} ({whole})"
