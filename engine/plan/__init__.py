"""Plans: what is asked of a store, written down before anything is read."""

from .nodes import AUTOMATIC, Describe, Discover, Filter, Fuse, Level, Node, Scan
from .show import tree

__all__ = ["AUTOMATIC", "Describe", "Discover", "Filter", "Fuse", "Level", "Node", "Scan", "tree"]
