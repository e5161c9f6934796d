"""Compressed pixels of DICOM files, decoded by imagecodecs: one library for all that modalities send.

GDCM is left alone on purpose: loaded before Pillow it breaks the writing of PNG files in the same process.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from misread.ingest.pictures import PictureError
from misread.schemas.errors import MisreadError

from .codestreams import coded_size

_CODECS: Final = {
    "jpeg8": "1.2.840.10008.1.2.4.50 1.2.840.10008.1.2.4.51 1.2.840.10008.1.2.4.57 1.2.840.10008.1.2.4.70",
    "jpegls": "1.2.840.10008.1.2.4.80 1.2.840.10008.1.2.4.81",
    "jpeg2k": "1.2.840.10008.1.2.4.90 1.2.840.10008.1.2.4.91",
}
CODEC_OF: Final = {syntax: codec for codec, listed in _CODECS.items() for syntax in listed.split()}
"""Transfer syntax -> codec: JPEG baseline, extended and lossless, JPEG-LS, JPEG 2000."""


def decoded(data_set: Any, codec: str) -> NDArray[Any]:
    """(rows, columns) or (rows, columns, 3), RGB. Raises PictureError where the size is not the header's."""
    from pydicom.encaps import generate_frames

    stream = bytes(next(generate_frames(data_set.PixelData, number_of_frames=1)))
    expected = (int(data_set.Columns), int(data_set.Rows))
    size = coded_size(stream)
    if size != expected:
        told = "of no size that can be read" if size is None else f"{size[0]} x {size[1]}"
        raise PictureError(f"the compressed image is {told}, the header says {expected[0]} x {expected[1]}")
    return np.asarray(_decoder(codec)(stream))


def _decoder(codec: str) -> Callable[[bytes], NDArray[Any]]:
    try:
        import imagecodecs
    except ImportError:
        raise MisreadError(
            "compressed DICOM files are decoded by imagecodecs, which is not there", "pip install 'misread[dicom]'"
        ) from None
    found: Callable[[bytes], NDArray[Any]] = getattr(imagecodecs, f"{codec}_decode")
    return found
