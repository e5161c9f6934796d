"""Plans: what is asked of a store, written down before anything is read."""

from .nodes import AUTOMATIC, Assign, Describe, Discover, Filter, Fuse, Level, Node, Scan
from .show import tree

__all__ = ["AUTOMATIC", "Assign", "Describe", "Discover", "Filter", "Fuse", "Level", "Node", "Scan", "tree"]
