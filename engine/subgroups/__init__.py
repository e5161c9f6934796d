"""Subgroups of metadata in which errors gather, searched through every conjunction worth a look, and confirmed."""

from .held_out import DividedRows
from .lattice import MOST_TERMS, Conjunction, best_conjunctions, rows_with
from .scores import ScanScore, Score, SliceLineScore

__all__ = [
    "MOST_TERMS",
    "Conjunction",
    "DividedRows",
    "ScanScore",
    "Score",
    "SliceLineScore",
    "best_conjunctions",
    "rows_with",
]
