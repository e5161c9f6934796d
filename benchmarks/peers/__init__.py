"""misread and its peers behind one small interface."""

from collections.abc import Callable
from typing import Any

from .clusters import KMeans, PlainTree
from .confusion import Confusion
from .domino import Domino
from .george import George
from .interface import MOST, Audit, Fitted, Method
from .lines import SliceLine
from .ours import Ours
from .spotlight import Spotlight

METHODS: dict[str, Callable[..., Method]] = {
    "ours": Ours,
    "domino": Domino,
    "kmeans": KMeans,
    "confusion": Confusion,
    "spotlight": Spotlight,
    "hdbscan": PlainTree,
    "george": George,
    "sliceline": SliceLine,
}


def method(text: str) -> Method:
    """A method from its name and settings, as in `domino` or `kmeans:clusters=25:margin=1`."""
    name, *settings = text.split(":")
    if name not in METHODS:
        raise ValueError(f"no method {name}; there are {', '.join(METHODS)}")
    given: dict[str, Any] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        given[key] = _number(value)
    return METHODS[name](**given)


def _number(value: str) -> Any:
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


__all__ = ["METHODS", "MOST", "Audit", "Fitted", "Method", "method"]
