"""Text that picture files carry beside their pixels is told when they are stored, and only then."""

import io
import warnings
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from ingest.ingest_inputs import Inputs
from PIL import ExifTags, Image, PngImagePlugin

from misread.ingest import ingest
from misread.ingest.beside_pixels import carries_text
from misread.store import TableStore

NAME = "DOE^JANE"


def encoded(kind: str, **more: Any) -> bytes:
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((16, 16)).save(stream, kind, **more)
    return stream.getvalue()


def exif(**tags: Any) -> Image.Exif:
    made = Image.Exif()
    for name, value in tags.items():
        made[ExifTags.Base[name]] = value
    return made


def placed() -> Image.Exif:
    made = exif()
    made[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitude: (51.0, 30.0, 0.0)}
    return made


def png_text(write: Callable[[PngImagePlugin.PngInfo], None]) -> PngImagePlugin.PngInfo:
    made = PngImagePlugin.PngInfo()
    write(made)
    return made


TELLING = {
    "tEXt": encoded("PNG", pnginfo=png_text(lambda info: info.add_text("PatientName", NAME))),
    "zTXt": encoded("PNG", pnginfo=png_text(lambda info: info.add_text("PatientName", NAME, zip=True))),
    "iTXt": encoded("PNG", pnginfo=png_text(lambda info: info.add_itxt("PatientName", NAME))),
    "EXIF in a PNG": encoded("PNG", exif=exif(ImageDescription=NAME)),
    "a comment": encoded("JPEG", comment=NAME),
    "EXIF": encoded("JPEG", exif=exif(Artist=NAME)),
    "EXIF of the taking": encoded("JPEG", exif=exif(UserComment=b"ASCII\0\0\0" + NAME.encode())),
    "a place": encoded("JPEG", exif=placed()),
    "XMP": encoded("JPEG", xmp=f"<x:xmpmeta>{NAME}</x:xmpmeta>".encode()),
}
HARMLESS = {
    "PNG": encoded("PNG", dpi=(300, 300)),
    "JPEG": encoded("JPEG", dpi=(300, 300), icc_profile=b"profile" * 40),
    "orientation": encoded("JPEG", exif=exif(Orientation=6, XResolution=72.0, ExifVersion=b"0232")),
}


@pytest.mark.parametrize("name", [*TELLING, *HARMLESS])
def test_text_beside_the_pixels_is_seen(name: str) -> None:
    """Wherever the formats have a place for it; versions, sizes, profiles and orientation are none."""
    with Image.open(io.BytesIO((TELLING | HARMLESS)[name])) as image:
        image.load()
        assert carries_text(image) is (name in TELLING)


def test_damaged_exif_is_taken_for_text() -> None:
    """What cannot be read may say anything; the picture is no less readable."""
    damaged = encoded("JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, as in an ingest
        with Image.open(io.BytesIO(damaged)) as image:
            image.load()
            assert carries_text(image)


def test_pictures_with_text_are_told_once_and_kept_as_they_came(inputs: Inputs, store: TableStore) -> None:
    """The notice counts them and names the first; pictures that are stored already are not told again."""
    inputs.pictures |= {"b.png": TELLING["tEXt"], "c.png": HARMLESS["PNG"], "d.jpg": TELLING["EXIF"]}
    told = [notice for notice in ingest(store, inputs.write()).notices if "beside their pixels" in notice]
    assert len(told) == 1
    assert told[0].startswith("metadata.csv: 2 of 4 images carry text beside their pixels")
    assert "'b.png'" in told[0]
    kept = TableStore.open(store.location).table("images").read(["sample_id", "sha256"]).to_pylist()
    assert {row["sample_id"]: row["sha256"] for row in kept}["b"] == sha256(TELLING["tEXt"]).hexdigest()
    assert not [notice for notice in ingest(store, inputs.write()).notices if "beside their pixels" in notice]
