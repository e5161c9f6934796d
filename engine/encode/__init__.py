"""Encoders: pictures and reports to vectors, kept in the store beside what they were made from."""

from .embed import Embedded, EmbedResult, embed
from .registry import Encoder, EncoderInfo, Fitter, encoder, encoders, register

__all__ = ["EmbedResult", "Embedded", "Encoder", "EncoderInfo", "Fitter", "embed", "encoder", "encoders", "register"]
