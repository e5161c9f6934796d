"""Which encoders there are. Nothing heavy is imported before an encoder is made."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from misread.schemas.errors import MisreadError, unknown_name
from misread.schemas.values import Modality

Vectors = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]


@runtime_checkable
class Encoder(Protocol):
    """Turns items into vectors. A vector depends on its item alone, not on the batch it came in.

    `name` also names the table (`embeddings_<name>`): letters, digits, `_` and `-`. A higher `version` says that
    the same item may now have another vector: what the store holds is then made anew.
    """

    @property
    def name(self) -> str: ...
    @property
    def modality(self) -> Modality: ...
    @property
    def dimension(self) -> int: ...
    @property
    def version(self) -> int | str: ...

    def encode(self, items: Sequence[Any]) -> Vectors:
        """(n, dimension) float32, finite, row i for item i. Items are encoded pictures (bytes) or texts (str).

        Raises ItemError for an item that cannot be encoded.
        """
        ...


@runtime_checkable
class Fitter(Protocol):
    """Makes an encoder from texts. What was fitted is arrays without objects, so that a store can keep it.

    A higher `version` than that of the stored arrays makes `embed` fit anew.
    """

    @property
    def name(self) -> str: ...
    @property
    def modality(self) -> Modality: ...
    @property
    def version(self) -> int | str: ...

    def fit(self, texts: Sequence[str]) -> Arrays:
        """The fitted arrays. Neither the order of `texts` nor how often one occurs matters."""
        ...

    def from_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> Encoder:
        """The encoder that `fit` made these arrays for. Raises MisreadError if they are no such arrays."""
        ...


class ItemError(MisreadError):
    """An item that cannot be encoded: its place in the batch, and why."""

    def __init__(self, place: int, reason: str) -> None:
        super().__init__(f"item {place} cannot be encoded: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class EncoderInfo:
    """One encoder: what it is for, what it needs to run, and how it is made."""

    name: str
    modality: Modality
    description: str
    make: Callable[[], Encoder | Fitter]
    needs: str = "nothing beyond the base install"


def _hog() -> Encoder:
    from .hog import HogEncoder

    return HogEncoder()


def _tfidf() -> Fitter:
    from .tfidf import TfidfFitter

    return TfidfFitter()


_ENCODERS: dict[str, EncoderInfo] = {}


def register(info: EncoderInfo) -> None:
    """Makes an encoder known under its name, in the place of one of the same name."""
    _ENCODERS[info.name] = info


def encoders(modality: Modality | None = None) -> tuple[EncoderInfo, ...]:
    """Every encoder, or those of one modality, by name."""
    known = sorted(_ENCODERS.values(), key=lambda info: info.name)
    return tuple(info for info in known if modality in (None, info.modality))


def encoder(name: str) -> EncoderInfo:
    """One encoder. Raises UnknownNameError, naming those there are."""
    known = {info.name: info for info in encoders()}
    if name not in known:
        raise unknown_name("encoder", name, known)
    return known[name]


register(EncoderInfo("hog", "image", "gradient directions in 8 x 8 cells, and a thumbnail", _hog))
register(
    EncoderInfo("tfidf", "report", "words and word pairs, weighed and reduced, fitted on the store's reports", _tfidf)
)
