"""DICOM files that are hostile or out of the ordinary: the picture is right or is told, and no value is shown."""

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from formats.conftest import Take
from formats.dicom_inputs import data_set, film_file, written
from formats.films import films
from formats.test_formats_dicom import DEEP, GREY, seen
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.processing import convert_color_space
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from misread.formats.dicom_files import in_dicom_folder
from misread.ingest.pictures import PictureError
from misread.schemas.errors import InputFaultsError

COLOUR = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)
YBR = convert_color_space(COLOUR, "RGB", "YBR_FULL")
SECRET = b"DOE^JANE"


def encoded(pixels: NDArray[Any], stream: bytes, syntax: str, **options: Any) -> Dataset:
    made = data_set(pixels, **options)
    made.PixelData = encapsulate([stream])
    made["PixelData"].VR = "OB"
    made.file_meta.TransferSyntaxUID = syntax
    return made


def nameless(stream: bytes) -> bytes:
    """A JPEG without a word on its colours: no JFIF, no Adobe, components 1, 2 and 3."""
    spoiled, at = bytearray(stream), 2
    while spoiled[at + 1] != 0xDA:
        length = int.from_bytes(spoiled[at + 2 : at + 4])
        if spoiled[at + 1] in (0xE0, 0xEE):
            del spoiled[at : at + 2 + length]
            continue
        if spoiled[at + 1] in (0xC0, 0xC1, 0xC3):
            spoiled[at + 10 : at + 19 : 3] = b"\1\2\3"
        at += 2 + length
    spoiled[at + 5 : at + 11 : 2] = b"\1\2\3"
    return bytes(spoiled)


def jpeg(pixels: NDArray[Any], **options: Any) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, level=100, colorspace="RGB", outcolorspace="RGB", **options))


@pytest.mark.parametrize(
    ("stream", "syntax", "colours"),
    [
        (jpeg(COLOUR), JPEGBaseline8Bit, "RGB"),
        (nameless(jpeg(COLOUR)), JPEGBaseline8Bit, "RGB"),
        (nameless(jpeg(YBR)), JPEGBaseline8Bit, "YBR_FULL"),
        (nameless(jpeg(COLOUR, lossless=True)), JPEGLosslessSV1, "RGB"),
        (nameless(jpeg(YBR, lossless=True)), JPEGLosslessSV1, "YBR_FULL"),
        (imagecodecs.jpegls_encode(COLOUR), JPEGLSLossless, "RGB"),
        (imagecodecs.jpegls_encode(YBR), JPEGLSLossless, "YBR_FULL"),
        (imagecodecs.jpeg2k_encode(COLOUR, level=0, codecformat="j2k", mct=True), JPEG2000Lossless, "YBR_RCT"),
        (imagecodecs.jpeg2k_encode(COLOUR, level=0, codecformat="j2k", mct=False), JPEG2000Lossless, "RGB"),
        (imagecodecs.jpeg2k_encode(YBR, level=0, codecformat="j2k", mct=False), JPEG2000Lossless, "YBR_FULL"),
    ],
    ids=[
        "named",
        "jpeg-rgb",
        "jpeg-ybr",
        "ljpeg-rgb",
        "ljpeg-ybr",
        "jls-rgb",
        "jls-ybr",
        "j2k-rct",
        "j2k-rgb",
        "j2k-ybr",
    ],
)
def test_colours_are_those_that_the_header_tells(tmp_path: Path, stream: bytes, syntax: str, colours: str) -> None:
    """A stream that says nothing of its colours has those of the header, whatever the codec takes it for."""
    found = seen(tmp_path, written(encoded(COLOUR, stream, syntax, PhotometricInterpretation=colours)))
    assert np.abs(found.astype(int) - COLOUR).max() <= 3


@pytest.mark.parametrize(
    ("stream", "syntax", "bits"),
    [
        (imagecodecs.jpeg8_encode(GREY), JPEGBaseline8Bit, 8),
        (imagecodecs.jpeg8_encode(DEEP, bitspersample=12), JPEGExtended12Bit, 12),
        (imagecodecs.jpeg8_encode(DEEP, lossless=True, bitspersample=12), JPEGLosslessSV1, 12),
        (imagecodecs.jpegls_encode(GREY), JPEGLSLossless, 8),
        (imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="j2k"), JPEG2000Lossless, 8),
    ],
    ids=["jpeg", "jpeg12", "ljpeg", "jls", "j2k"],
)
@pytest.mark.parametrize("share", [0.7, 0.98])
def test_a_picture_that_ends_too_early_is_told(
    tmp_path: Path, stream: bytes, syntax: str, bits: int, share: float
) -> None:
    """What is missing would be grey, and nobody would know."""
    cut = stream[: int(share * len(stream)) // 2 * 2]
    pixels = GREY if bits == 8 else DEEP
    with pytest.raises(PictureError, match=r"ends too early|unreadable"):
        seen(tmp_path, written(encoded(pixels, cut, syntax, bits=bits)))


def test_values_beyond_the_headers_bits_are_told(tmp_path: Path) -> None:
    """Cut to 12 bits, bright would be dark; a sign in the highest bits is none of the values."""
    made = encoded(DEEP, imagecodecs.jpegls_encode(DEEP << 4), JPEGLSLossless, bits=12)
    with pytest.raises(PictureError, match="beyond the 12 bits"):
        seen(tmp_path, written(made))
    signed = (DEEP.astype(np.int32) - 2048).astype(np.int16)
    stream = imagecodecs.jpeg8_encode(signed.view(np.uint16), lossless=True, bitspersample=16)
    assert (seen(tmp_path, written(encoded(signed, stream, JPEGLosslessSV1, bits=12))) == DEEP << 4).all()


def test_pixels_in_the_highest_bits(tmp_path: Path) -> None:
    """Older files have their bits at the top of the cell, and something else below."""
    assert (seen(tmp_path, written(data_set(DEEP << 4 | 7, bits=12, HighBit=15))) == DEEP << 4).all()


def test_compressed_pixels_that_are_said_to_be_plain(tmp_path: Path) -> None:
    """Their bytes are no grey values."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    content = written(encoded(noise, imagecodecs.jpegls_encode(noise), JPEGLSLossless))
    told, plain = JPEGLSLossless.encode(), ExplicitVRLittleEndian.encode()
    assert content.count(told) == 1
    with pytest.raises(PictureError, match="says that they are not"):
        seen(tmp_path, content.replace(told, plain.ljust(len(told), b"\0")))


def with_element(place: bytes, value: bytes) -> bytes:
    """A film with one more element, in front of its rows (0028,0010)."""
    content = written(data_set(GREY))
    at = content.index(b"\x28\0\x10\0US")
    return content[:at] + place + len(value).to_bytes(2, "little") + value + content[at:]


@pytest.mark.parametrize(
    "content",
    [
        with_element(b"\x28\0\x08\0IS", SECRET),
        with_element(b"\x28\0\x04\0CS", SECRET),
        with_element(b"\x18\0\x05\x93FD", SECRET[:-2]),
        with_element(b"\x10\0\x30\x10DS", SECRET),
        with_element(b"\x09\0\x10\x10US", SECRET[:-1] + b"E!!"),
    ],
    ids=["frames", "colours", "length", "weight", "private"],
)
def test_no_value_is_told_with_a_fault(
    content: bytes, tmp_path: Path, take: Take, capfd: pytest.CaptureFixture[str]
) -> None:
    """What a library says of a field that it cannot read quotes the field; that may be the name of a patient."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "odd").write_bytes(content)
    (root / "good").write_bytes(film_file(films(1)[0]))
    _, result = take("dicom", root, skip=True)
    told = repr(result.faults) + repr(result.notices) + "".join(capfd.readouterr())
    assert "DOE" not in told
    assert result.faults or b"DS" in content


def test_files_of_one_instance_name_each_other(tmp_path: Path, take: Take) -> None:
    """Two files with the same SOPInstanceUID: who is to choose has to know which they are; the others are kept."""
    root = tmp_path / "root"
    root.mkdir()
    for name in ("a", "b", "c"):
        (root / name).write_bytes(film_file(films(1)[0], KVP=str(ord(name[0]))))
    (root / "d").write_bytes(film_file(films(2)[1]))
    with pytest.raises(InputFaultsError) as caught:
        take("dicom", root)
    assert [(fault.file, fault.column, fault.reason) for fault in caught.value.faults] == [
        ("a", "SOPInstanceUID", "its SOPInstanceUID is that of 'b' and 1 more too: keep one"),
        ("b", "SOPInstanceUID", "its SOPInstanceUID is that of 'a' and 1 more too: keep one"),
        ("c", "SOPInstanceUID", "its SOPInstanceUID is that of 'a' and 1 more too: keep one"),
    ]
    _, result = take("dicom", root, skip=True)
    assert result.tables["images"].added == 1


@pytest.mark.parametrize("name", ["film.dcm", "film"])
def test_a_file_that_cannot_be_read_is_told(
    name: str, tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither left out as something else nor said to be no DICOM file; the others are kept."""
    root = tmp_path / "root"
    root.mkdir()
    (root / name).write_bytes(film_file(films(1)[0]))
    (root / "good").write_bytes(film_file(films(2)[1]))
    opened = Path.open

    def refused(path: Path, *args: Any, **options: Any) -> Any:
        if path.name == name:
            raise PermissionError(13, "Permission denied")
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(PictureError, match="Permission denied"):
        in_dicom_folder(root.resolve())(name)
    with pytest.raises(InputFaultsError) as caught:
        take("dicom", root)
    assert [(f.file, f.reason) for f in caught.value.faults] == [
        (name, f"the file cannot be read: {name!r}: Permission denied")
    ]
    _, result = take("dicom", root, skip=True)
    assert result.tables["images"].added == 1
