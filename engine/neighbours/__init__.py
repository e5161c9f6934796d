"""Nearest neighbours of vectors behind one function, in the way that suits them and the machine."""

from .apart import COSINE_DECIMALS, nearest_of_others
from .bounds import leading_directions, may_be_near, projected
from .choose import WAYS, Way, chosen_way, nearest
from .settle import Neighbours

__all__ = [
    "COSINE_DECIMALS",
    "WAYS",
    "Neighbours",
    "Way",
    "chosen_way",
    "leading_directions",
    "may_be_near",
    "nearest",
    "nearest_of_others",
    "projected",
]
