"""Nearest neighbours of vectors behind one function, in the way that suits them and the machine."""

from .apart import nearest_of_others
from .choose import WAYS, Way, chosen_way, nearest
from .settle import Neighbours

__all__ = ["WAYS", "Neighbours", "Way", "chosen_way", "nearest", "nearest_of_others"]
