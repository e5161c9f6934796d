"""The size that a compressed picture says it has, read before anything is decoded."""

from typing import Final

_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
"""Markers of JPEG (and JPEG-LS) after which height and width stand."""
_JPEG: Final = b"\xff\xd8\xff"
_J2K: Final = b"\xff\x4f\xff\x51"
_ITEM: Final = b"\xfe\xff\x00\xe0"


def coded_size(encapsulated: bytes) -> tuple[int, int] | None:
    """(width, height) of the first picture among encapsulated fragments; None where it is not told."""
    at = encapsulated.find(_ITEM, 4)  # after the offset table
    stream = encapsulated[at + 8 :] if at >= 0 else encapsulated
    if stream.startswith(_JPEG):
        return _of_jpeg(stream)
    start = stream.find(_J2K, 0, 4096)
    return _of_j2k(stream[start:]) if start >= 0 else None


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
