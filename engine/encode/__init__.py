"""Encoders: pictures and reports to vectors, kept in the store beside what they were made from."""

from .embed import Embedded, EmbedResult, embed
from .pretrained import PRECISIONS, Precision, Settings, pretrained
from .registry import Encoder, EncoderInfo, Fitter, encoder, encoders, register

__all__ = [
    "PRECISIONS",
    "EmbedResult",
    "Embedded",
    "Encoder",
    "EncoderInfo",
    "Fitter",
    "Precision",
    "Settings",
    "embed",
    "encoder",
    "encoders",
    "pretrained",
    "register",
]
