"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import FIRST_LOOK, most_shuffles, search_p_values
from .confirm import Confirmation, confirm, judged_together, q_values
from .discriminant import ClassModel, every_row, fit_class_model, probability
from .intervals import (
    Estimate,
    counted_interval,
    design_effect,
    difference,
    mean_interval,
    rate_interval,
    wilson_interval,
)
from .losses import LossConfirmation, confirm_losses, mean_loss, smallest_mean_loss
from .patients import Codes
from .pools import FEWEST_ERRORS, MOST_ERRORS
from .power import smallest_effect
from .rule import Rule
from .scan import standardised
from .search import ClassRows, order_among_classes, search
from .stability import stabilities
from .stratified import common_z, counted, higher_p_value, more_often_by_rows, more_often_p_value, one_row_each, strata

__all__ = [
    "FEWEST_ERRORS",
    "FIRST_LOOK",
    "MOST_ERRORS",
    "ClassModel",
    "ClassRows",
    "Codes",
    "Confirmation",
    "Estimate",
    "LossConfirmation",
    "Rule",
    "common_z",
    "confirm",
    "confirm_losses",
    "counted",
    "counted_interval",
    "design_effect",
    "difference",
    "every_row",
    "fit_class_model",
    "higher_p_value",
    "judged_together",
    "mean_interval",
    "mean_loss",
    "more_often_by_rows",
    "more_often_p_value",
    "most_shuffles",
    "one_row_each",
    "order_among_classes",
    "probability",
    "q_values",
    "rate_interval",
    "search",
    "search_p_values",
    "smallest_effect",
    "smallest_mean_loss",
    "stabilities",
    "standardised",
    "strata",
    "wilson_interval",
]
