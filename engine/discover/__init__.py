"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import SIGNIFICANCE, search_p_values
from .confirm import Confirmation, Estimate, confirm, difference, q_values, rate_interval, wilson_interval
from .discriminant import ClassModel, every_row, fit_class_model, probability
from .losses import LossConfirmation, confirm_losses, mean_interval, mean_loss, smallest_mean_loss
from .patients import Codes
from .pools import MOST_ERRORS
from .power import design_effect, smallest_effect
from .scan import standardised
from .search import ClassRows, Rule, order_among_classes, search
from .stability import stabilities

__all__ = [
    "MOST_ERRORS",
    "SIGNIFICANCE",
    "ClassModel",
    "ClassRows",
    "Codes",
    "Confirmation",
    "Estimate",
    "LossConfirmation",
    "Rule",
    "confirm",
    "confirm_losses",
    "design_effect",
    "difference",
    "every_row",
    "fit_class_model",
    "mean_interval",
    "mean_loss",
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
    "wilson_interval",
]
