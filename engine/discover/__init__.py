"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import SIGNIFICANCE, search_p_values
from .confirm import Confirmation, confirm, difference, q_values, rate_interval
from .discriminant import ClassModel, fit_class_model, probability
from .patients import Codes
from .power import smallest_effect
from .search import ClassRows, Rule, search
from .stability import stabilities

__all__ = [
    "SIGNIFICANCE",
    "ClassModel",
    "ClassRows",
    "Codes",
    "Confirmation",
    "Rule",
    "confirm",
    "difference",
    "fit_class_model",
    "probability",
    "q_values",
    "rate_interval",
    "search",
    "search_p_values",
    "smallest_effect",
    "stabilities",
]
