"""The size that a compressed picture says it has, read before anything is decoded."""

from typing import Final

_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
"""Markers of JPEG (and JPEG-LS) after which height and width stand."""
_ALONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
"""Markers without a length, which have no place before the frame: decoders read past them, each in its own way."""
_JPEG: Final = b"\xff\xd8\xff"
_J2K: Final = b"\xff\x4f\xff\x51"
_COMPONENTS: Final = (1, 3)


def coded_size(stream: bytes) -> tuple[int, int] | None:
    """(width, height) of a picture in JPEG, JPEG-LS or JPEG 2000; None where it is not told, or has other components
    than one or three.

    JPEG 2000 is a bare codestream, as DICOM has it (PS3.5, A.4.4): the boxes of JP2 may hide another size.
    """
    if stream.startswith(_JPEG):
        return _of_jpeg(stream)
    return _of_j2k(stream) if stream.startswith(_J2K) else None


def _of_jpeg(stream: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 10 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4])
        if marker in _FRAMES:
            size = int.from_bytes(stream[at + 7 : at + 9]), int.from_bytes(stream[at + 5 : at + 7])
            return size if stream[at + 9] in _COMPONENTS else None
        if marker != 0xFF and (marker in _ALONE or length < 2):
            return None
        at += 1 if marker == 0xFF else 2 + length
    return None


def _of_j2k(stream: bytes) -> tuple[int, int] | None:
    if int.from_bytes(stream[40:42]) not in _COMPONENTS:
        return None
    sides = [int.from_bytes(stream[at : at + 4]) for at in (8, 12, 16, 20)]
    return sides[0] - sides[2], sides[1] - sides[3]
