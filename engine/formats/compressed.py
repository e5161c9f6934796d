"""Compressed pixels of DICOM files, decoded by imagecodecs: one library for all that modalities send.

GDCM is left alone on purpose: loaded before Pillow it breaks the writing of PNG files in the same process.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from misread.ingest.pictures import PictureError
from misread.schemas.errors import MisreadError

from .codestreams import coded_size, is_lossless, is_whole, tells_colours, transforms_colours

_CODECS: Final = {
    "jpeg8": "1.2.840.10008.1.2.4.50 1.2.840.10008.1.2.4.51 1.2.840.10008.1.2.4.57 1.2.840.10008.1.2.4.70",
    "jpegls": "1.2.840.10008.1.2.4.80 1.2.840.10008.1.2.4.81",
    "jpeg2k": "1.2.840.10008.1.2.4.90 1.2.840.10008.1.2.4.91",
}
CODEC_OF: Final = {syntax: codec for codec, listed in _CODECS.items() for syntax in listed.split()}
"""Transfer syntax -> codec: JPEG baseline, extended and lossless, JPEG-LS, JPEG 2000."""


def decoded(data_set: Any, codec: str) -> NDArray[Any]:
    """(rows, columns) or (rows, columns, 3), RGB.

    Colours are what the stream says; where it says nothing, what the header does. Raises PictureError where the size is
    not the header's, the stream ends too early, or grey values do not fit into the header's BitsStored.
    """
    from pydicom.encaps import generate_frames

    stream = bytes(next(generate_frames(data_set.PixelData, number_of_frames=1)))
    expected = (int(data_set.Columns), int(data_set.Rows))
    size = coded_size(stream)
    if size != expected:
        told = "of no size that can be read" if size is None else f"{size[0]} x {size[1]}"
        raise PictureError(f"the compressed image is {told}, the header says {expected[0]} x {expected[1]}")
    if not is_whole(stream):
        raise PictureError("the compressed image ends too early")
    colours = str(data_set.PhotometricInterpretation)
    is_rgb = codec == "jpeg8" and colours == "RGB" and not tells_colours(stream)
    pixels = np.asarray(_decoder(codec)(stream, colorspace="RGB") if is_rgb else _decoder(codec)(stream))
    if pixels.ndim == 2:
        _check_range(data_set, pixels)
    elif colours.startswith("YBR_FULL") and pixels.dtype == np.uint8 and not _has_made_rgb(codec, stream):
        from pydicom.pixels.processing import convert_color_space

        pixels = convert_color_space(pixels, "YBR_FULL", "RGB")
    return pixels


def _has_made_rgb(codec: str, stream: bytes) -> bool:
    """Whether a decoder gives RGB, whatever it was given."""
    if codec == "jpeg8":
        return tells_colours(stream) or not is_lossless(stream)
    return codec == "jpeg2k" and transforms_colours(stream)


def lowest_bit(data_set: Any) -> int:
    """The place of a pixel's lowest bit among those allocated."""
    bits = int(data_set.BitsStored)
    return max(0, int(data_set.get("HighBit", bits - 1)) + 1 - bits)


def _check_range(data_set: Any, pixels: NDArray[Any]) -> None:
    """Values may be written with their sign, or as the header's bits alone."""
    bits, is_signed, low = int(data_set.BitsStored), data_set.PixelRepresentation == 1, lowest_bit(data_set)
    cells = pixels.view(f"i{pixels.itemsize}") if is_signed else pixels
    least = -(1 << (bits - 1)) if is_signed else 0
    if cells.min() >> low < least or cells.max() >> low >= 1 << bits:
        raise PictureError(f"the compressed image has values beyond the {bits} bits that the header says")


def _decoder(codec: str) -> Callable[..., NDArray[Any]]:
    try:
        import imagecodecs
    except ImportError:
        raise MisreadError(
            "compressed DICOM files are decoded by imagecodecs, which is not there", "pip install 'misread[dicom]'"
        ) from None
    found: Callable[..., NDArray[Any]] = getattr(imagecodecs, f"{codec}_decode")
    return found
