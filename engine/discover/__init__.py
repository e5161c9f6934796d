"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import SIGNIFICANCE, ClassRows, search_p_values
from .confirm import Confirmation, confirm, q_values
from .search import Rule, search

__all__ = [
    "SIGNIFICANCE",
    "ClassRows",
    "Confirmation",
    "Rule",
    "confirm",
    "q_values",
    "search",
    "search_p_values",
]
