"""Plans: what is asked of a store, written down before anything is read, and how it is made cheaper."""

from .audits import AUTOMATIC, Assign, Describe, Discover, Fuse, Score
from .node import Level, Node
from .optimise import CycleError, optimise
from .order import Order, order_of
from .rows import HEAVY, HOWS, Filter, Head, How, Join, Samples, Scan, Select, Sort, Take
from .rules import RULES, Rule
from .show import tree

__all__ = [
    "AUTOMATIC",
    "HEAVY",
    "HOWS",
    "RULES",
    "Assign",
    "CycleError",
    "Describe",
    "Discover",
    "Filter",
    "Fuse",
    "Head",
    "How",
    "Join",
    "Level",
    "Node",
    "Order",
    "Rule",
    "Samples",
    "Scan",
    "Score",
    "Select",
    "Sort",
    "Take",
    "optimise",
    "order_of",
    "tree",
]
