"""Small drawing tools: soft edges, curves, strokes and cloudy noise on a square frame.

Positions and widths are shares of the frame's side: x to the right and y down, both from 0 to 1.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Frame = NDArray[np.float32]
Points = NDArray[np.float64]

_FINER = 2

# Freeing one large block teaches glibc to keep freed frames instead of handing their pages back each time:
# 26 ms a film became 16 ms.
np.empty(24 << 20, np.uint8)


@lru_cache(maxsize=8)
def grid(size: int) -> tuple[Frame, Frame]:
    """Pixel centres: x of shape (1, size) and y of shape (size, 1), float32."""
    centres = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return centres[None, :], centres[:, None]


def solid(values: NDArray[Any]) -> Frame:
    """`values` as float32, not copied where they are."""
    return np.asarray(values, dtype=np.float32)


def ramp(distance: NDArray[Any], width: float) -> Frame:
    """1 well inside (`distance` > 0), 0 well outside, linear over `width` between."""
    return solid(np.clip(distance * np.float32(1 / width) + np.float32(0.5), 0, 1))


def ridge(distance: NDArray[Any], half_width: float | Frame) -> Frame:
    """1 where `distance` is 0, falling to 0 at `half_width` on either side."""
    return solid(np.clip(1 - np.abs(distance) / half_width, 0, 1))


def ellipse(x: Frame, y: Frame, centre: Sequence[float], radii: Sequence[float], tilt: float = 0.0) -> Frame:
    """(r / radius) squared from the centre of an ellipse turned by `tilt` radians; below 1 inside."""
    dx, dy = x - np.float32(centre[0]), y - np.float32(centre[1])
    c, s = np.float32(np.cos(tilt)), np.float32(np.sin(tilt))
    along, off = (c * dx + s * dy) / np.float32(radii[0]), (c * dy - s * dx) / np.float32(radii[1])
    return solid(along * along + off * off)


def bezier(corners: Sequence[Sequence[float] | Points], count: int = 20) -> Points:
    """`count` points, shape (count, 2), along the cubic Bezier curve of four corners."""
    p = np.asarray(corners, dtype=float)
    t = np.linspace(0, 1, count)[:, None]
    s = 1 - t
    return np.asarray(s**3 * p[0] + 3 * s * s * t * p[1] + 3 * s * t * t * p[2] + t**3 * p[3], dtype=float)


def offset(points: Points, distance: float) -> Points:
    """The curve `points`, shape (n, 2), moved sideways by `distance`."""
    along = np.gradient(points, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return points + distance * np.stack([-along[:, 1], along[:, 0]], axis=1)


def clouds(rng: np.random.Generator, size: int, cells: int) -> Frame:
    """Smooth noise of shape (size, size), float32, about `cells` blobs across, standard deviation near 0.7."""
    coarse = rng.standard_normal((cells, cells), dtype=np.float32)
    return np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))


def soften(frame: Frame, radius: float) -> Frame:
    """`frame` averaged over about `radius` (share of the side), worked out on a coarse copy."""
    size = frame.shape[0]
    coarse = max(8, round(0.8 / radius))
    small = Image.fromarray(frame).resize((coarse, coarse), Image.Resampling.BOX)
    return np.asarray(small.resize((size, size), Image.Resampling.BICUBIC))


class Strokes:
    """Lines and shapes drawn at twice the resolution, brightest wins, read back as a float frame."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._scale = size * _FINER
        self._image = Image.new("L", (self._scale, self._scale))
        self._draw = ImageDraw.Draw(self._image)

    def curve(self, points: Points, width: float, shade: float = 1.0) -> None:
        """A line through `points`, shape (n, 2)."""
        pixels = max(1, round(width * self._scale))
        joint = "curve" if pixels > 8 else None
        self._draw.line((points * self._scale).ravel().tolist(), fill=round(255 * shade), width=pixels, joint=joint)

    def segments(self, ends: NDArray[np.float64], widths: Points, shades: Points) -> None:
        """Many lines at once: `ends` of shape (n, points, 2), one width and one shade each."""
        pixels = np.maximum(1, np.rint(widths * self._scale)).astype(int).tolist()
        fills = np.rint(255 * shades).astype(int).tolist()
        flat = (ends.reshape(len(ends), -1) * self._scale).tolist()
        for line, width, fill in zip(flat, pixels, fills, strict=True):
            self._draw.line(line, fill=fill, width=width)

    def disc(self, centre: Sequence[float] | Points, radius: float, shade: float = 1.0, hole: float = 0.0) -> None:
        """A disc, or a ring where `hole` gives the inner radius."""
        x, y = centre[0] * self._scale, centre[1] * self._scale
        r = radius * self._scale
        width = max(1, round((radius - hole) * self._scale)) if hole else 0
        box = (x - r, y - r, x + r, y + r)
        if hole:
            self._draw.ellipse(box, outline=round(255 * shade), width=width)
        else:
            self._draw.ellipse(box, fill=round(255 * shade))

    def polygon(self, points: Points, shade: float = 1.0) -> None:
        """A filled outline, `points` of shape (n, 2)."""
        self._draw.polygon((points * self._scale).ravel().tolist(), fill=round(255 * shade))

    def frame(self, blur: float = 0.0) -> Frame:
        """The strokes as shape (size, size), float32, 0 to 1, blurred by `blur` (share of the side)."""
        small = self._image.reduce(_FINER)
        if blur:
            small = small.filter(ImageFilter.BoxBlur(blur * self._size))
        return np.asarray(small, dtype=np.float32) * np.float32(1 / 255)
