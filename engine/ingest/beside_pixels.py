"""What a picture file carries beside its pixels: text that may tell whose picture it is."""

from collections.abc import Iterator
from typing import Any, Final

_TEXTS: Final = frozenset({"comment", "photoshop", "xmp"})
"""Where Pillow puts JPEG comments, IPTC fields and XMP."""
_EXIF, _GPS = 0x8769, 0x8825
_CODE: Final = 4
"""Characters of versions and codes in EXIF; what is longer is text."""


def carries_text(image: Any) -> bool:
    """Whether an opened and loaded JPEG or PNG (Pillow's) has comments, PNG text, IPTC or XMP, or EXIF with text or a
    place; also where its EXIF cannot be read. Resolution, orientation and colour profiles are no text."""
    if getattr(image, "text", None) or image.info.keys() & _TEXTS:
        return True
    try:
        return any(isinstance(value, str | bytes) and len(value) > _CODE for value in _exif(image))
    except Exception:  # noqa: BLE001 - damaged EXIF raises whatever it pleases
        return True


def _exif(image: Any) -> Iterator[Any]:
    """The values of the picture, of how it was taken, and whether there is a place."""
    found = image.getexif()
    if "exif" in image.info and not found:  # Pillow reads what it can
        raise ValueError("the EXIF cannot be read")
    yield from found.values()
    yield from found.get_ifd(_EXIF).values()
    if found.get_ifd(_GPS):
        yield "a place on earth"
