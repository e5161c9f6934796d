"""What an audit could have confirmed, had it been there."""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.population import Population
from misread.discover import mean_loss, smallest_effect, smallest_mean_loss
from misread.percentages import percent
from misread.schemas.values import CLASSES, CONFIRMATION, error_kind_of

from .inputs import codes

LOSS_COLUMN = "smallest_effect_mean_loss"


def effect_column(true_class: int) -> str:
    """The column of audit_targets that holds a class's smallest effect."""
    return f"smallest_effect_{error_kind_of(true_class).replace(' ', '_')}"


def smallest_effects(judged: Population, slice_rows: int, fewest_patients: int) -> dict[str, object]:
    """The columns of audit_targets on what a slice of `slice_rows` confirmation rows would have had to show, where
    they are of no more patients than a slice has to hold."""
    columns: dict[str, object] = {"smallest_effect_rows": slice_rows}
    if judged.by_loss:
        rows = judged.judged_rows(half=CONFIRMATION)
        losses, patients = rows["loss"].to_numpy(), codes(rows["patient"])
        return columns | {LOSS_COLUMN: smallest_mean_loss(losses, patients, slice_rows, fewest_patients)}
    for true_class in CLASSES:
        rows = judged.judged_rows(true_class, CONFIRMATION)
        errors = rows["error"].to_numpy().astype(bool)
        columns[effect_column(true_class)] = smallest_effect(
            errors, codes(rows["patient"]), slice_rows, fewest_patients
        )
    return columns


def effects_told(judged: Population, effects: Mapping[str, object], fewest_patients: int) -> str:
    """The same in words, for an audit that found nothing; empty where there were no rows to confirm on."""
    whose = f" of {fewest_patients} patient{'s' * (fewest_patients > 1)}" if _repeat(judged) else ""
    small = f"a slice of {effects['smallest_effect_rows']} confirmation rows{whose}, had it been found,"
    if judged.by_loss:
        return _loss_told(small, judged.judged_rows(half=CONFIRMATION)["loss"].to_numpy(), effects[LOSS_COLUMN])
    classes = {true_class: judged.judged_rows(true_class, CONFIRMATION) for true_class in CLASSES}
    told = [_told(true_class, rows, effects[effect_column(true_class)]) for true_class, rows in classes.items()]
    if any(effects[effect_column(true_class)] is not None for true_class in CLASSES):
        return f"{small} would have been confirmed with about 80 % power at {' or at '.join(filter(None, told))}"
    return f"{small} could not have been confirmed with 80 % power whatever its error rate" if any(told) else ""


def _repeat(judged: Population) -> bool:
    """Whether any patient has two rows to confirm on."""
    return bool(judged.judged_rows(half=CONFIRMATION)["patient"].is_duplicated().any())


def _told(true_class: int, rows: pl.DataFrame, effect: object) -> str:
    if not rows.height:
        return ""
    rate = percent(effect) if isinstance(effect, float) else "no rate of"
    return f"{rate} {error_kind_of(true_class)}s ({percent(int(rows['error'].sum()) / rows.height)} in all)"


def _loss_told(small: str, losses: NDArray[np.float64], effect: object) -> str:
    if not len(losses):
        return ""
    if effect is None:
        return f"{small} could not have been confirmed with 80 % power whatever its mean loss"
    whole = f"{mean_loss(losses):.3g} in all"
    return f"{small} would have been confirmed with about 80 % power at a mean loss of {effect:.3g} ({whole})"
