"""The size that a compressed picture says it has, read before anything is decoded."""

from typing import Final

_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
"""Markers of JPEG (and JPEG-LS) after which height and width stand."""
_JPEG: Final = b"\xff\xd8\xff"
_J2K: Final = b"\xff\x4f\xff\x51"


def coded_size(stream: bytes) -> tuple[int, int] | None:
    """(width, height) of a picture in JPEG, JPEG-LS or JPEG 2000; None where it is not told."""
    if stream.startswith(_JPEG):
        return _of_jpeg(stream)
    start = stream.find(_J2K, 0, 4096)  # it may lie in a box of JP2
    return _of_j2k(stream[start : start + 32]) if start >= 0 else None


def _of_jpeg(stream: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4])
        if marker in _FRAMES:
            return int.from_bytes(stream[at + 7 : at + 9]), int.from_bytes(stream[at + 5 : at + 7])
        at += 1 if marker == 0xFF else 2 + length
    return None


def _of_j2k(stream: bytes) -> tuple[int, int]:
    sides = [int.from_bytes(stream[at : at + 4]) for at in (8, 12, 16, 20)]
    return sides[0] - sides[2], sides[1] - sides[3]
