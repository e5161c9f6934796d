"""Pretrained models of transformers as encoders: of pictures, of reports, or of both in one space."""

from .choosing import Settings, name_of, pretrained
from .device import PRECISIONS, Precision
from .hub import is_place
from .phrases import text_tower, text_vectors

__all__ = ["PRECISIONS", "Precision", "Settings", "is_place", "name_of", "pretrained", "text_tower", "text_vectors"]
