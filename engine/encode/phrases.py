"""Phrases in the space of an encoder of pictures, where it has a tower for texts."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import MisreadError, UnknownNameError
from misread.schemas.values import EXTERNAL, PRETRAINED
from misread.store import TableStore

from .pretrained import text_tower
from .registry import Encoder, Fitter, encoder


@runtime_checkable
class CrossModal(Protocol):
    """An encoder of pictures that also encodes texts into the same space."""

    def text_vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension) float32, row i for text i."""
        ...


def phrase_vectors(store: TableStore, name: str, phrases: Sequence[str]) -> NDArray[np.float64] | None:
    """(n, d) the phrases in the space of the encoder's pictures; None where it has no tower for texts.

    So it is with vectors that were computed elsewhere, and with encoders that are not here, or not as they were.
    """
    tower = _tower(store, name)
    if tower is None:
        return None
    if not phrases:
        return np.zeros((0, store.encoders[name].dimension))
    try:
        return np.asarray(tower.text_vectors(list(phrases)), np.float64)
    except MisreadError:  # another model lies there now than made the vectors
        return None


def _tower(store: TableStore, name: str) -> CrossModal | None:
    entry = store.encoders.get(name)
    if entry is None or entry.modality != "image" or entry.source == EXTERNAL:
        return None
    if entry.source == PRETRAINED:
        return text_tower(entry)
    try:
        made: Encoder | Fitter = encoder(name).make()
    except (UnknownNameError, ImportError):
        return None
    return made if isinstance(made, CrossModal) else None
