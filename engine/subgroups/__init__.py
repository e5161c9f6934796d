"""Subgroups of metadata in which errors gather, searched through every conjunction worth a look."""

from .lattice import MOST_TERMS, Conjunction, best_conjunctions
from .scores import ScanScore, Score, SliceLineScore

__all__ = ["MOST_TERMS", "Conjunction", "ScanScore", "Score", "SliceLineScore", "best_conjunctions"]
