"""Nearest neighbours of vectors behind one function, in the way that suits them and the machine."""

from .choose import WAYS, Way, chosen_way, nearest
from .settle import Neighbours

__all__ = ["WAYS", "Neighbours", "Way", "chosen_way", "nearest"]
