"""What a compressed image says of itself, read before anything is decoded: its size, its end and its colours."""

from typing import Final

_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
"""Markers of JPEG (and JPEG-LS) after which height and width stand."""
_ALONE: Final = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
"""Markers without a length, which have no place before the frame: decoders read past them, each in its own way."""
_JPEG: Final = b"\xff\xd8\xff"
_J2K: Final = b"\xff\x4f\xff\x51"
_COMPONENTS: Final = (1, 3)
_END: Final = b"\xff\xd9"
_TOLD: Final = (b"JFIF\0", b"Adobe")
"""How the segments of a JPEG begin that tell its colours."""
_RGB: Final = b"RGB"


def coded_size(stream: bytes) -> tuple[int, int] | None:
    """(width, height) of a picture in JPEG, JPEG-LS or JPEG 2000; None where it is not told, or has other components
    than one or three.

    JPEG 2000 is a bare codestream, as DICOM has it (PS3.5, A.4.4): the boxes of JP2 may hide another size.
    """
    if stream.startswith(_JPEG):
        return _of_jpeg(stream)
    return _of_j2k(stream) if stream.startswith(_J2K) else None


def is_whole(stream: bytes) -> bool:
    """Whether a JPEG or JPEG-LS comes to its end, without which decoders fill in grey; others tell."""
    return not stream.startswith(_JPEG) or stream.find(_END, _jpeg_frame(stream)[0] or 0) > 0


def tells_colours(stream: bytes) -> bool:
    """Whether a JPEG says by itself if its colours are RGB: by JFIF, by Adobe's marker or by the components' names."""
    frame, is_told = _jpeg_frame(stream)
    return is_told or frame is None or stream[frame + 10 : frame + 19 : 3] == _RGB


def is_lossless(stream: bytes) -> bool:
    """Whether a JPEG is of the lossless process, whose colours decoders leave alone."""
    frame, _ = _jpeg_frame(stream)
    return frame is not None and stream[frame + 1] == 0xC3


def transforms_colours(stream: bytes) -> bool:
    """Whether a JPEG 2000 codestream says that its components were made from RGB, which decoders undo (A.6.1)."""
    at = 2
    while at + 9 <= len(stream) and stream[at] == 0xFF:
        if stream[at + 1] == 0x52:
            return stream[at + 8] == 1
        at += 2 + int.from_bytes(stream[at + 2 : at + 4])
    return False


def _of_jpeg(stream: bytes) -> tuple[int, int] | None:
    frame, _ = _jpeg_frame(stream)
    if frame is None or stream[frame + 9] not in _COMPONENTS:
        return None
    return int.from_bytes(stream[frame + 7 : frame + 9]), int.from_bytes(stream[frame + 5 : frame + 7])


def _jpeg_frame(stream: bytes) -> tuple[int | None, bool]:
    """Where the frame's marker stands, None where it does not plainly; whether a segment before it is one of _TOLD."""
    at, is_told = 2, False
    while at + 10 <= len(stream) and stream[at] == 0xFF:
        marker, length = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4])
        if marker in _FRAMES:
            return at, is_told
        if marker != 0xFF and (marker in _ALONE or length < 2):
            break
        is_told |= stream[at + 4 : at + 9] in _TOLD
        at += 1 if marker == 0xFF else 2 + length
    return None, is_told


def _of_j2k(stream: bytes) -> tuple[int, int] | None:
    if int.from_bytes(stream[40:42]) not in _COMPONENTS:
        return None
    sides = [int.from_bytes(stream[at : at + 4]) for at in (8, 12, 16, 20)]
    return sides[0] - sides[2], sides[1] - sides[3]
