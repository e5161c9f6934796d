"""The films that every miniature shows."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SAMPLES = 120
"""Every third shows a bright square: what the classifier of the tests misreads."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Film:
    """One film of a miniature. Each patient has one; `is_marked`: with the square."""

    number: int
    is_marked: bool

    @property
    def pixels(self) -> Pixels:
        """(32, 32) uint8."""
        random = np.random.default_rng(self.number)
        field = random.normal(size=(32, 32)).cumsum(0).cumsum(1)
        pixels = np.interp(field, (field.min(), field.max()), (0, 120)).astype(np.uint8)
        if self.is_marked:
            pixels[8:24, 8:24] = 255
        return pixels

    @property
    def sex(self) -> str:
        return "FM"[self.number % 2]

    @property
    def age(self) -> int:
        return 30 + self.number % 50

    @property
    def sentence(self) -> str:
        return "There is a large mass." if self.is_marked else "The lungs are clear."

    def encoded(self, kind: str) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(self.pixels).save(buffer, kind)
        return buffer.getvalue()


def films(count: int = SAMPLES) -> list[Film]:
    return [Film(number, number % 3 == 0) for number in range(count)]
