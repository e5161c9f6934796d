"""Pixels as PNG files, and how many of them a picture may have."""

import io
from typing import Any, Final

from numpy.typing import NDArray

MOST_PIXELS: Final = 178_956_970
"""As many as the pictures in other formats may have."""


def as_png(pixels: NDArray[Any]) -> bytes:
    """(rows, columns) uint8 or uint16, or (rows, columns, 3) uint8, as an encoded PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
