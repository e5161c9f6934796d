"""Finding slices: the search on discovery rows, its calibration, and confirmation on held-out patients."""

from .calibrate import SIGNIFICANCE, ClassRows, search_p_values
from .confirm import Confirmation, confirm, difference, q_values, rate_interval
from .power import smallest_effect
from .search import Rule, search
from .stability import stabilities

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
    "smallest_effect",
    "stabilities",
]
