"""Encoded pictures as grey squares of one size or as 8-bit colours, whatever their depth, colour and shape."""

import contextlib
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .registry import ItemError

_DEEP_MODES = ("I", "F")


def grey_square(content: bytes, size: int, place: int = 0) -> NDArray[np.float32]:
    """A (size, size) float32 square in 0..1, windowed to the picture's own range; a constant picture is all 0.

    The whole picture is kept at its own aspect, its border pixels repeated to fill the square: the centre alone
    would lose apices, costophrenic angles, markers and tubes, and a black or grey margin would be an edge that
    the radiograph does not have. Raises ItemError(place, …) if the bytes are no readable picture.
    """
    with _opened(content, place) as image:
        image.draft("L", (2 * size, 2 * size))  # a large JPEG is decoded no larger than needed
        shrunk = _shrunk(_grey(_seen(image)), size)
    return _windowed(_filled(shrunk, size), 0.01)


def colours(content: bytes, place: int = 0) -> Any:
    """A Pillow image in mode RGB, 8 bits a colour, as networks were trained on.

    Pictures of 8 bits stay as they are. Deeper ones (12 or 16 bits a pixel, floats) are windowed to the range of all
    but their darkest and brightest thousandth: taken as they are, Pillow would turn everything above 255 white.
    Raises ItemError(place, …) if the bytes are no readable picture.
    """
    from PIL import Image

    with _opened(content, place) as image:
        seen = _seen(image)
        if seen.mode.startswith(_DEEP_MODES):
            levels = np.round(255 * _windowed(np.asarray(seen).astype(np.float32), 0.001))
            seen = Image.fromarray(levels.astype(np.uint8))
        return seen.convert("RGB")


@contextlib.contextmanager
def _opened(content: bytes, place: int) -> Iterator[Any]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(content)) as image:
            yield image
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ItemError(place, f"unreadable image: {error}") from error


def _seen(image: Any) -> Any:
    """The picture as it is meant to be seen: upright, over black."""
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, (0, 0, 0, 255)), seen)
    return upright


def _grey(seen: Any) -> Any:
    """In mode F: by luminance, at its full depth."""
    from PIL import Image

    if seen.mode.startswith(_DEEP_MODES):  # converting I;16 to L clips at 255
        return Image.fromarray(np.asarray(seen).astype(np.float32))
    if seen.mode not in ("1", "L", "RGB"):
        seen = seen.convert("RGB")
    return seen.convert("F")


def _shrunk(image: Any, size: int) -> NDArray[np.float32]:
    """The longer side brought to `size`: by area when it shrinks, smoothly when it grows."""
    from PIL import Image

    scale = size / max(image.size)
    shape = [max(1, round(side * scale)) for side in image.size]
    how = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    return np.asarray(image.resize(shape, how), np.float32)


def _filled(pixels: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    height, width = pixels.shape
    above, left = (size - height) // 2, (size - width) // 2
    return np.pad(pixels, ((above, size - height - above), (left, size - width - left)), mode="edge")


def _windowed(pixels: NDArray[np.float32], left_out: float) -> NDArray[np.float32]:
    """The range of all but the darkest and brightest share as 0..1; the whole range if that is empty."""
    finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    rounding = 1e-5 * max(1.0, float(np.abs(finite).max()))
    low, high = np.quantile(finite, (left_out, 1 - left_out))
    if high - low <= rounding:
        low, high = finite.min(), finite.max()
    if high - low <= rounding:
        return np.zeros_like(finite)
    windowed: NDArray[np.float32] = np.clip((finite - low) / (high - low), 0, 1).astype(np.float32)
    return windowed
