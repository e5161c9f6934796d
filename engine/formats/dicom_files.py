"""One DICOM file: whether it holds one picture that may be taken, and that picture as a PNG.

Stored values keep their depth: a picture of at most 8 bits becomes an 8-bit PNG, a deeper one a 16-bit PNG whose
highest bits are the picture's, so that nothing is clipped. MONOCHROME1 (and an inverse presentation) is turned, so that
bright is dense everywhere; signed values are shifted to begin at 0. Windows, modality and VOI tables are not applied.
"""

import contextlib
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from misread.ingest.pictures import PictureError, file_content, picture_path
from misread.ingest.sources import Read
from misread.schemas.errors import MisreadError, first_line

from .aside import Aside
from .compressed import CODEC_OF, decoded, lowest_bit
from .png import MOST_PIXELS, as_png

_MOST_INFLATED: Final = 1 << 30
_MAGIC: Final = b"DICM"
NO_DICOM: Final = "this is no DICOM file: DICM does not stand behind its first 128 bytes (PS3.10)"
_DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_RLE: Final = "1.2.840.10008.1.2.5"
_PLAIN: Final = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", _DEFLATED, _RLE)
"""Transfer syntaxes that pydicom reads by itself."""
BURNED_IN: Final = "BurnedInAnnotation"
_QUOTED: Final = re.compile(r"b?(['\"]).*\1")


def is_dicom(path: Path, name: str) -> bool:
    """Whether a file begins as a DICOM file does, with a preamble of 128 bytes and DICM.

    Raises PictureError where it cannot be read.
    """
    with _readable(path, name) as file:
        return file.read(132)[128:] == _MAGIC


def header(root: Path, name: str) -> Any:
    """The data set of a file, up to its pixels. Raises PictureError where there is none."""
    with _readable(picture_path(root, name), name) as file:
        return _data_set(file, name, stop_before_pixels=True)


@contextlib.contextmanager
def _readable(path: Path, name: str) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise PictureError(f"the file cannot be read: {name!r}: {error.strerror}") from None


def refusal(data_set: Any, kept: tuple[str, ...]) -> tuple[str, str] | None:
    """Why a file is no picture that may be taken, by its header: the keyword and the reason; None if it may."""
    frames = _number(data_set, "NumberOfFrames")
    if frames is not None and frames > 1:
        return "NumberOfFrames", f"it holds {frames} frames; take the frames apart into files of one each"
    if str(data_set.get(BURNED_IN, "")).strip().upper() == "YES" and BURNED_IN not in kept:
        return BURNED_IN, (
            f"its annotation burned into the image may name the patient; to take it: --keep-identifiers {BURNED_IN}"
        )
    rows, columns = _number(data_set, "Rows"), _number(data_set, "Columns")
    if not rows or not columns:
        return "Rows", "it holds no image: there are no Rows and Columns"
    if rows * columns > MOST_PIXELS:
        return "Rows", f"the image is too large: {columns} x {rows} pixels"
    return None


def in_dicom_folder(root: Path) -> Read:
    """Reads the pictures of the DICOM files in a folder as PNG, each once; `root` is resolved."""
    return Aside(partial(_picture, root))


def _picture(root: Path, name: str) -> bytes:
    """Raises PictureError with the reason where there is none."""
    path = picture_path(root, name)
    data_set = _data_set(io.BytesIO(file_content(path, name)), name, stop_before_pixels=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return as_png(_upright(data_set, name))
        except (PictureError, MisreadError):
            raise
        except Exception as error:  # noqa: BLE001 - decoders of damaged files raise whatever they please
            raise PictureError(f"the image is unreadable: {name!r}: {_words(error)}") from None


def _data_set(file: Any, name: str, *, stop_before_pixels: bool) -> Any:
    pydicom = the_pydicom()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = pydicom.dcmread(_inflated(file), stop_before_pixels=stop_before_pixels)
            for tag in sorted(found.keys()):
                _read(found, tag)
            return found
    except pydicom.errors.InvalidDicomError:
        raise PictureError(f"{NO_DICOM}: {name!r}") from None
    except PictureError as error:
        raise PictureError(f"{error}: {name!r}") from None
    except Exception as error:  # noqa: BLE001 - parsers of damaged files raise whatever they please
        raise PictureError(f"the DICOM file is damaged: {name!r}: {_words(error)}") from None


def _read(data_set: Any, tag: Any) -> None:
    try:
        data_set[tag]
    except Exception:  # noqa: BLE001 - parsers of damaged fields raise whatever they please
        raise PictureError(f"the DICOM file is damaged: its element {tag} cannot be read") from None


def _words(error: Exception) -> str:
    """What an error says without what it quotes: that may be a value of the header, or bytes of a name."""
    return _QUOTED.sub("…", first_line(error))


def _inflated(file: Any) -> Any:
    """The file as it is, after a look at whether its data set would inflate beyond bounds."""
    from pydicom.filereader import _read_file_meta_info, read_preamble

    read_preamble(file, force=False)
    meta = _read_file_meta_info(file)
    if str(meta.get("TransferSyntaxUID", "")) == _DEFLATED:
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS)
        size = 0
        rest: bytes = file.read(1 << 16)
        while rest and size <= _MOST_INFLATED:
            size += len(unpacked.decompress(rest, _MOST_INFLATED + 1 - size))
            rest = unpacked.unconsumed_tail or file.read(1 << 16)
        if size > _MOST_INFLATED:
            raise PictureError("the DICOM file inflates beyond a gigabyte")
    file.seek(0)
    return file


def the_pydicom() -> Any:
    """The library. Raises MisreadError where it is not installed."""
    try:
        import pydicom
    except ImportError:
        raise MisreadError(
            "DICOM files are read through pydicom, which is not there", "pip install 'misread[dicom]'"
        ) from None
    return pydicom


def _upright(data_set: Any, name: str) -> NDArray[Any]:
    """(rows, columns) uint8 or uint16, or (rows, columns, 3) uint8."""
    _check_pixels(data_set, name)
    pixels = _pixels(data_set, name)
    if data_set.PhotometricInterpretation == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        pixels = apply_color_lut(pixels, data_set)
        pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
    if pixels.ndim == 3 and pixels.shape[2] == 3 and pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.ndim != 2 or pixels.dtype.kind not in "iu":
        raise PictureError(f"pixels of shape {pixels.shape} and type {pixels.dtype} are no image: {name!r}")
    return _grey(data_set, pixels)


def _pixels(data_set: Any, name: str) -> NDArray[Any]:
    """The stored values, colours as RGB. Raises PictureError for a transfer syntax that is not read."""
    syntax = str(data_set.file_meta.get("TransferSyntaxUID", ""))
    if syntax in CODEC_OF:
        try:
            return decoded(data_set, CODEC_OF[syntax])
        except PictureError as error:
            raise PictureError(f"{error}: {name!r}") from None
    if syntax not in _PLAIN:
        raise PictureError(f"the transfer syntax {syntax or 'that is missing'} is not read: {name!r}")
    if syntax != _RLE and data_set["PixelData"].is_undefined_length:
        raise PictureError(f"the pixels are compressed, and the transfer syntax says that they are not: {name!r}")
    data_set.pixel_array_options(
        decoding_plugin="pydicom" if syntax == _RLE else "",
        correct_unused_bits=lowest_bit(data_set) == 0,  # pydicom cuts the highest bits, wherever the picture's are
    )
    return np.asarray(data_set.pixel_array)


def _check_pixels(data_set: Any, name: str) -> None:
    """Raises PictureError where the pixels are missing or of a kind that is not read."""
    if "PixelData" not in data_set:
        raise PictureError(f"the DICOM file holds no pixel data: {name!r}")
    told = refusal(data_set, (BURNED_IN,))
    if told is not None:
        raise PictureError(f"{told[1]}: {name!r}")
    for keyword in ("PhotometricInterpretation", "BitsAllocated", "BitsStored"):
        if not data_set.get(keyword):
            raise PictureError(f"the header has no {keyword}: {name!r}")
    if data_set.BitsAllocated not in (1, 8, 16) or not 1 <= data_set.BitsStored <= data_set.BitsAllocated:
        raise PictureError(f"{data_set.BitsStored} of {data_set.BitsAllocated} bits a pixel are not read: {name!r}")


def _grey(data_set: Any, pixels: NDArray[Any]) -> NDArray[Any]:
    bits = int(data_set.BitsStored)
    largest = (1 << bits) - 1
    values: NDArray[np.uint16] = pixels.astype(np.uint16)
    values >>= lowest_bit(data_set)
    values &= largest
    if data_set.PixelRepresentation == 1:
        values ^= 1 << (bits - 1)  # two's complement, shifted to begin at 0
    shape = str(data_set.get("PresentationLUTShape", "")).strip().upper()
    if data_set.PhotometricInterpretation == "MONOCHROME1" or shape == "INVERSE":
        values ^= largest
    if bits == 1:
        return (values * 255).astype(np.uint8)
    values <<= (8 if bits <= 8 else 16) - bits
    return values.astype(np.uint8) if bits <= 8 else values


def _number(data_set: Any, keyword: str) -> int | None:
    try:
        return int(data_set.get(keyword))
    except (TypeError, ValueError):
        return None
