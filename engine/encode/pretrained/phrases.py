"""Texts in the space of a store's pictures, where an image-text model made their vectors."""

from collections.abc import Sequence
from functools import lru_cache

from misread.encode.registry import Vectors
from misread.schemas.errors import MisreadError
from misread.store import EncoderEntry

from .choosing import Settings, pretrained
from .texts import TextEncoder


def text_vectors(encoder: EncoderEntry, texts: Sequence[str]) -> Vectors:
    """(n, d) float32 of n texts, in the space of the picture vectors that `encoder` (of a store) describes.

    As the model gives them, of any length: compare by cosine. Raises MisreadError for an encoder whose model has no
    text tower, is gone, or is another than made the store's vectors.
    """
    model = encoder.parameters.get("model")
    if encoder.modality != "image" or not isinstance(model, str):
        raise MisreadError(
            "these vectors were not made by an image-text model: no text lies in their space",
            "embed pictures with an image-text model: misread embed STORE --image-encoder DIRECTORY",
        )
    made = _text_encoder(model, str(encoder.parameters.get("precision", "float32")))
    if made.version != encoder.parameters.get("version"):
        raise MisreadError(
            f"the model in {made.directory.path} is not the one that the store's vectors were made with",
            "embed again with it, or put the old one back",
        )
    return made.encode(texts)


@lru_cache(maxsize=1)
def _text_encoder(model: str, precision: str) -> TextEncoder:
    made = pretrained(model, "report", Settings(precision="float16" if precision == "float16" else "float32"))
    assert isinstance(made, TextEncoder)
    return made
