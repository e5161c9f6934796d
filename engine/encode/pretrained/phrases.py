"""Texts in the space of a store's pictures, where an image-text model made their vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from misread.encode.registry import Vectors
from misread.schemas.errors import MisreadError
from misread.store import EncoderEntry

from .choosing import Settings, pretrained
from .directory import is_image_text
from .texts import TextEncoder


@dataclass(frozen=True)
class TextTower:
    """The text tower of the image-text model that made a store's picture vectors. Loaded when it is used."""

    model: str
    precision: str
    version: str

    def text_vectors(self, texts: Sequence[str]) -> Vectors:
        """(n, d) float32 of n texts, in the space of the pictures, as the model gives them: compare by cosine.

        Raises MisreadError for a model that cannot be loaded, or is another than made the store's vectors.
        """
        made = _text_encoder(self.model, self.precision)
        if made.version != self.version:
            raise MisreadError(
                f"the model in {made.directory.path} is not the one that the store's vectors were made with",
                "embed again with it, or put the old one back",
            )
        return made.encode(texts)


def text_tower(encoder: EncoderEntry) -> TextTower | None:
    """The text tower of an encoder of a store; None for one whose model has none, or is not here any more."""
    model = encoder.parameters.get("model")
    if encoder.modality != "image" or not isinstance(model, str) or not is_image_text(Path(model)):
        return None
    return TextTower(model, str(encoder.parameters["precision"]), str(encoder.parameters["version"]))


@lru_cache(maxsize=1)
def _text_encoder(model: str, precision: str) -> TextEncoder:
    made = pretrained(model, "report", Settings(precision="float16" if precision == "float16" else "float32"))
    assert isinstance(made, TextEncoder)
    return made
