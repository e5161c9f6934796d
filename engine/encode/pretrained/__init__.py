"""Pretrained models of transformers as encoders: of pictures, of reports, or of both in one space."""

from .choosing import Settings, pretrained
from .device import PRECISIONS, Precision
from .hub import is_place
from .phrases import text_tower

__all__ = ["PRECISIONS", "Precision", "Settings", "is_place", "pretrained", "text_tower"]
