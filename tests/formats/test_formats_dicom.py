"""DICOM files: their pixels in any syntax, their headers without identifiers, and everything that can be wrong."""

import io
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imagecodecs
import numpy as np
import polars as pl
import pytest
from formats.conftest import Take
from formats.dicom_inputs import IDENTIFIERS, compressed, data_set, film_file, written
from formats.films import films
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from misread.formats import aside, dicom_files
from misread.formats.dicom_fields import TAKEN
from misread.formats.dicom_files import in_dicom_folder
from misread.formats.profile import BASIC_PROFILE
from misread.ingest.pictures import PictureError
from misread.schemas.errors import InputFaultsError, MisreadError
from misread.store import TableStore

Small = Callable[[str], tuple[Path, list[str]]]
Images = Callable[[TableStore], pl.DataFrame]
GREY = films(1)[0].pixels
DEEP = GREY.astype(np.uint16) * 16 + 5


def seen(folder: Path, content: bytes) -> NDArray[Any]:
    """The pixels as they are stored."""
    (folder / "x").write_bytes(content)
    return np.asarray(Image.open(io.BytesIO(in_dicom_folder(folder.resolve())("x"))))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8", "12"])
def test_plain_syntaxes(tmp_path: Path, syntax: str, pixels: NDArray[Any]) -> None:
    """Pixels come as stored, the picture's highest bit being the PNG's."""
    bits = 8 if pixels is GREY else 12
    found = seen(tmp_path, written(data_set(pixels, bits=bits, syntax=syntax)))
    assert (found == (pixels << (0 if bits == 8 else 4))).all()
    assert found.dtype == pixels.dtype


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
@pytest.mark.parametrize("pixels", [GREY, DEEP], ids=["8", "16"])
def test_lossless_syntaxes(tmp_path: Path, syntax: str, pixels: NDArray[Any]) -> None:
    """Compressed without loss, pixels are those of the uncompressed file."""
    content = written(compressed(data_set(pixels), pixels, syntax))
    assert (seen(tmp_path, content) == pixels).all()


FIELD: dict[str, Callable[[NDArray[Any]], bytes]] = {
    JPEGLosslessSV1: lambda pixels: imagecodecs.jpeg8_encode(pixels, lossless=True, bitspersample=12),
    JPEGLSLossless: imagecodecs.jpegls_encode,
    JPEG2000Lossless: lambda pixels: imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"),
}


@pytest.mark.parametrize("syntax", FIELD)
def test_syntaxes_of_the_field(tmp_path: Path, syntax: str) -> None:
    """What modalities send: JPEG lossless, JPEG-LS and JPEG 2000 of 12 bits."""
    made = data_set(DEEP, bits=12)
    made.PixelData = encapsulate([FIELD[syntax](DEEP)])
    made["PixelData"].VR = "OB"
    made.file_meta.TransferSyntaxUID = syntax
    assert (seen(tmp_path, written(made)) == DEEP << 4).all()


def test_lossy_jpeg_is_close(tmp_path: Path) -> None:
    """A lossy picture is the picture but for its loss."""
    found = seen(tmp_path, written(compressed(data_set(GREY), GREY, JPEGBaseline8Bit)))
    assert np.abs(found.astype(int) - GREY).mean() < 2


def test_monochrome1_is_turned(tmp_path: Path) -> None:
    """Bright is dense, whichever way the file says it."""
    turned = written(data_set(4095 - DEEP, bits=12, PhotometricInterpretation="MONOCHROME1"))
    assert (seen(tmp_path, turned) == DEEP << 4).all()


def test_signed_pixels_are_shifted(tmp_path: Path) -> None:
    """The least value a signed picture may have becomes 0; order stays."""
    signed = (DEEP.astype(np.int32) - 2048).astype(np.int16)
    assert (seen(tmp_path, written(data_set(signed, bits=12))) == DEEP << 4).all()


def test_colour_stays_colour(tmp_path: Path) -> None:
    """A colour file is taken in as colour."""
    colour = np.stack([GREY, GREY // 2, 255 - GREY], axis=2)
    assert (seen(tmp_path, written(data_set(colour, bits=8))) == colour).all()


def test_what_is_stored_is_off_the_profiles_list() -> None:
    """No field that is taken unasked is one that the basic profile removes or replaces."""
    assert not set(TAKEN) & BASIC_PROFILE
    assert set(IDENTIFIERS) <= BASIC_PROFILE
    assert {"PatientName", "PatientAge", "StudyDate", "SOPInstanceUID", "PatientID"} <= BASIC_PROFILE


def stored_bytes(store: TableStore) -> bytes:
    return b"".join(p.read_bytes() for p in Path(store.location).rglob("*") if p.is_file())


def test_no_identifier_reaches_the_store(tmp_path: Path, take: Take, images: Images) -> None:
    """Neither values nor private fields nor paths are stored, ids are hashes, and what was left out is told."""
    root = tmp_path / "root" / "DOE^JANE"
    root.mkdir(parents=True)
    (root / "one.dcm").write_bytes(film_file(films(1)[0]))
    store, result = take("dicom", tmp_path / "root")
    row = images(store).to_dicts()[0]
    content = stored_bytes(store) + repr(row).encode()
    unseen = [*IDENTIFIERS.values(), "MRN00000", "1.2.3.0", "PRIVATE", "DOE^JANE", "061Y"]
    assert [value for value in unseen if value.encode() in content] == []
    assert (row["kvp"], row["view_position"], row["exposure_time"]) == (125.0, "PA", 12)
    assert "patient_age" not in row
    told = "\n".join(result.notices)
    assert all(f"{keyword} (1)" in told for keyword in [*IDENTIFIERS, "PatientID", "PatientAge"])
    assert "1 private fields" in told


def test_what_the_user_names_is_stored(tmp_path: Path, take: Take, images: Images) -> None:
    """Identifiers named by their keywords are stored, typed; ids named stay as they are."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "one").write_bytes(film_file(films(1)[0]))
    kept = ("PatientAge", "StudyDate", "PatientName", "PatientID", "SOPInstanceUID")
    store, _ = take("dicom", root, identifiers_kept=kept)
    row = images(store).to_dicts()[0]
    assert (row["patient_age"], str(row["study_date"]), row["patient_name"]) == (61.0, "2020-01-31", "DOE^JANE")
    assert (row["patient_id"], row["sample_id"]) == ("MRN00000", "1.2.3.0.1")
    assert len(row["study_id"]) == 32


def test_the_same_key_gives_the_same_ids(tmp_path: Path, take: Take, images: Images) -> None:
    """Ingesting again changes nothing; the key beside the store is its owner's alone; another is refused, as it would
    give other ids, and takes the place of none that is lost."""
    root = tmp_path / "root"
    root.mkdir()
    for film in films(3):
        (root / str(film.number)).write_bytes(film_file(film, PatientID="MRN1"))
    store, _ = take("dicom", root)
    before = images(store)
    assert before["patient_id"].n_unique() == 1
    _, again = take("dicom", root)
    assert (again.tables["images"].added, again.tables["images"].changed) == (0, 0)
    key = tmp_path / "store.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert "MRN1" not in repr(before.to_dicts())
    key.unlink()
    with pytest.raises(InputFaultsError) as caught:
        take("dicom", root)
    assert ["under another key" in fault.reason for fault in caught.value.faults] == [True]
    assert not key.exists()
    assert images(TableStore.open(store.location)).equals(before)


def spoiled() -> dict[str, tuple[bytes, str]]:
    """(content, what the fault says) by name."""
    unknown, private, short = (written(data_set(GREY, SOPInstanceUID=f"1.2.9.{n}")) for n in range(3))
    frames = data_set(np.concatenate([GREY, GREY]), Rows=32, NumberOfFrames=2)
    smaller = compressed(data_set(GREY), GREY[:16], JPEG2000Lossless)
    burned = data_set(GREY)
    burned.BurnedInAnnotation = "YES"
    return {
        "frames": (written(frames), "it holds 2 frames"),
        "burned": (written(burned), "burned into the image may name the patient"),
        "no-pixels": (written(data_set(GREY, PixelData=None)), "no pixel data"),
        "no-rows": (written(data_set(GREY, Rows=None)), "there are no Rows and Columns"),
        "nameless": (written(data_set(GREY, SOPInstanceUID=None, SOPClassUID=None)), "no SOPInstanceUID"),
        "unknown": (unknown.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0", 1), "transfer syntax"),
        "private": (private.replace(b"1.2.840.10008.1.2.1\0", b"1.3.6.1.4.1.99999.1\0", 1), "transfer syntax"),
        "large": (written(data_set(GREY, Rows=60000, Columns=60000)), "too large"),
        "lying": (written(smaller), "the header says 32 x 32"),
        "short": (short[:-400], "unreadable"),
        "cut.dcm": (short[:180], "it holds no image"),
        "picture.dcm": (films(1)[0].encoded("PNG"), "no DICOM file"),
        "empty.dcm": (b"", "no DICOM file"),
    }


def test_every_fault_is_told_and_the_good_files_are_kept(tmp_path: Path, take: Take) -> None:
    """Whatever is wrong with a file is told with its path and reason, all at once; skipping keeps the others."""
    root = tmp_path / "root"
    root.mkdir()
    for name, (content, _) in spoiled().items():
        (root / name).write_bytes(content)
    (root / "good").write_bytes(film_file(films(1)[0]))
    with pytest.raises(InputFaultsError) as caught:
        take("dicom", root)
    told = [f"{fault.file}: {fault.reason}" for fault in caught.value.faults]
    for name, (_, reason) in spoiled().items():
        assert any(name in text and reason in text for text in told), (name, told)
    assert not any("good" in text for text in told)
    _, result = take("dicom", root, skip=True)
    assert result.tables["images"].added == 1


def test_files_without_a_preamble_are_refused(tmp_path: Path, take: Take) -> None:
    """A bare data set, and one after DICM alone: told with the reason by its name, left out and counted without."""
    root = tmp_path / "root"
    root.mkdir()
    whole = film_file(films(1)[0])
    for name, start in (("bare.dcm", 132), ("bare", 132), ("marked.dicom", 128), ("marked", 128)):
        (root / name).write_bytes(whole[start:])
        with pytest.raises(PictureError, match=r"this is no DICOM file: DICM does not stand behind .* \(PS3.10\)"):
            in_dicom_folder(root.resolve())(name)
    with pytest.raises(InputFaultsError) as caught:
        take("dicom", root)
    reason = "this is no DICOM file: DICM does not stand behind its first 128 bytes (PS3.10)"
    assert [(fault.file, fault.reason) for fault in caught.value.faults] == [
        ("bare.dcm", reason),
        ("marked.dicom", reason),
    ]
    (root / "whole").write_bytes(whole)
    _, result = take("dicom", root, skip=True)
    assert result.tables["images"].added == 1
    assert "2 other files were left out" in result.notices


@pytest.mark.parametrize("free", [None, 0, 3000])
@pytest.mark.parametrize("name", ["dicom", "mimic-cxr", "vindr-cxr"])
def test_a_picture_is_decoded_once(
    name: str, free: int | None, take: Take, small: Small, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits on disk from its check until it is stored; where there is no room for all, the others are made again."""
    made = []
    png = dicom_files.as_png
    monkeypatch.setattr(dicom_files, "as_png", lambda pixels: made.append(png(pixels)) or made[-1])
    if free is not None:
        monkeypatch.setattr(aside.shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))
    root, _ = small(name)
    store, _ = take(name, root)
    stored = {content for _, found in store.table("images").pictures() for content in found}
    assert stored == set(made)
    fit = {None: 4, 0: 0, 3000: 3000 // 2 // max(map(len, made))}[free]
    assert free in (None, 0) or 0 < fit < 4
    assert len(made) == 4 + 4 - fit


def test_a_disk_that_fills_up_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be put aside is read again."""
    read = []
    kept = aside.Aside(lambda name: read.append(name) or name.encode())

    def full(*_: object) -> int:
        raise OSError

    assert [kept("a"), kept("a")] == [b"a", b"a"]
    monkeypatch.setattr(aside.os, "pwrite", full)
    assert [kept("b"), kept("a"), kept("b")] == [b"b", b"a", b"b"]
    assert read == ["a", "b", "b"]


def test_a_file_that_inflates_without_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deflated data set is looked at piece by piece, and refused before it is taken apart."""
    bomb = data_set(GREY, syntax=DeflatedExplicitVRLittleEndian)
    bomb.PixelData = bytes(3 << 20)
    (tmp_path / "bomb").write_bytes(written(bomb))
    monkeypatch.setattr(dicom_files, "_MOST_INFLATED", 1 << 20)
    with pytest.raises(PictureError, match="inflates beyond"):
        in_dicom_folder(tmp_path.resolve())("bomb")


def test_burned_in_annotation_can_be_allowed(tmp_path: Path, take: Take) -> None:
    """Who names the flag takes such files."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "burned").write_bytes(spoiled()["burned"][0])
    _, result = take("dicom", root, identifiers_kept=("BurnedInAnnotation",))
    assert result.tables["images"].added == 1


@pytest.mark.parametrize("missing", ["pydicom", "imagecodecs"])
def test_a_missing_library_is_told(missing: str, tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error says what to install."""
    root = tmp_path / "root"
    root.mkdir()
    made = data_set(GREY)
    made.PixelData = encapsulate([imagecodecs.jpegls_encode(GREY)])
    made["PixelData"].VR = "OB"
    made.file_meta.TransferSyntaxUID = JPEGLSLossless
    (root / "one").write_bytes(written(made))
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MisreadError, match=r"pip install 'misread\[dicom\]'"):
        take("dicom", root)


def test_a_picture_without_a_file_is_told(tmp_path: Path) -> None:
    """A path that leads nowhere is an error with its reason."""
    with pytest.raises(PictureError, match="no such image"):
        in_dicom_folder(tmp_path)("nothing.dcm")
