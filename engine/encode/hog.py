"""`hog`: pictures by the directions of their edges, cell by cell, beside a small thumbnail."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from misread.schemas.values import Modality
from misread.threads import in_order

from .pixels import grey_square
from .registry import Vectors

SIZE = 128
CELL = 16
DIRECTIONS = 9
THUMBNAIL = 12
GREYS = 64
"""Fainter steps than a 64th of the range are noise: in a flat cell they would count as much as a rib's edge."""

EDGES_SHARE, THUMBNAIL_SHARE = np.sqrt(0.8), np.sqrt(0.2)
"""Lengths of the two parts. Their rows then vary about equally, and a vector has unit length."""


class HogEncoder:
    """720 numbers a picture: 8 x 8 cells of 9 directions, and 12 x 12 pixels."""

    name = "hog"
    modality: Modality = "image"
    version = 1
    dimension = (SIZE // CELL) ** 2 * DIRECTIONS + THUMBNAIL**2

    def encode(self, items: Sequence[bytes]) -> Vectors:
        """(n, 720) float32 of unit length; a constant picture is all 0. Raises ItemError as `grey_square` does."""
        vectors = np.zeros((len(items), self.dimension), np.float32)
        for row, vector in enumerate(in_order(_vector, enumerate(items))):
            vectors[row] = vector
        return vectors


def _vector(item: tuple[int, bytes]) -> Vectors:
    place, content = item
    square = grey_square(content, SIZE, place)
    return np.concatenate([EDGES_SHARE * _edges(square), THUMBNAIL_SHARE * _thumbnail(square)]).astype(np.float32)


def _edges(square: NDArray[np.float32]) -> NDArray[np.floating]:
    """Histograms of gradient direction, each cell normalised by itself, all of them to unit length."""
    from skimage.feature import hog

    cells = hog(np.round(square * GREYS), orientations=DIRECTIONS, pixels_per_cell=(CELL, CELL), cells_per_block=(1, 1))
    return _unit(cells)


def _thumbnail(square: NDArray[np.float32]) -> NDArray[np.floating]:
    """Mean brightness on a 12 x 12 grid, without the picture's own mean, to unit length."""
    from PIL import Image

    small = Image.fromarray(square).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    pixels = np.asarray(small, np.float64).ravel()
    return _unit(pixels - pixels.mean())


def _unit(values: NDArray[np.floating]) -> NDArray[np.floating]:
    length = float(np.linalg.norm(values))
    return values / length if length > 1e-6 else np.zeros_like(values)
