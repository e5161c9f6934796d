"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import SIGNIFICANCE, ClassRows, search_p_values
from .confirm import Confirmation, confirm, difference, q_values, rate_interval
from .search import Rule, search

__all__ = [
    "SIGNIFICANCE",
    "ClassRows",
    "Confirmation",
    "Rule",
    "confirm",
    "difference",
    "q_values",
    "rate_interval",
    "search",
    "search_p_values",
]
