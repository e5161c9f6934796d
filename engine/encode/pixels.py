"""Encoded pictures as grey squares of one size, whatever their depth, colour and shape."""

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
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(content)) as image:
            shrunk = _shrunk(_grey(image, size), size)
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ItemError(place, f"unreadable picture: {error}") from error
    return _windowed(_filled(shrunk, size))


def _grey(image: Any, size: int) -> Any:
    """The picture as it is meant to be seen, in mode F: upright, over black, by luminance, at its full depth."""
    from PIL import Image, ImageOps

    image.draft("L", (2 * size, 2 * size))  # a large JPEG is decoded no larger than needed
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(_DEEP_MODES):  # converting I;16 to L clips at 255
        return Image.fromarray(np.asarray(upright).astype(np.float32))
    if upright.has_transparency_data:
        seen = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", seen.size, (0, 0, 0, 255)), seen)
    if upright.mode not in ("1", "L", "RGB"):
        upright = upright.convert("RGB")
    return upright.convert("F")


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


def _windowed(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The range of all but the darkest and brightest hundredth as 0..1; the whole range if that is empty."""
    finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
    rounding = 1e-5 * max(1.0, float(np.abs(finite).max()))
    low, high = np.percentile(finite, (1, 99))
    if high - low <= rounding:
        low, high = finite.min(), finite.max()
    if high - low <= rounding:
        return np.zeros_like(finite)
    windowed: NDArray[np.float32] = np.clip((finite - low) / (high - low), 0, 1).astype(np.float32)
    return windowed
