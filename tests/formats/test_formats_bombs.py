"""Small files that ask for much: told as faults before anything is decoded or unpacked."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from formats.conftest import Take
from formats.dicom_inputs import data_set, written
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit

from misread.formats.codestreams import coded_size
from misread.ingest.text_files import UnreadableFileError, decoded
from misread.schemas.errors import InputFaultsError


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (64, 48)).save(buffer, kind, **options)
    return buffer.getvalue()


def of_many_components() -> bytes:
    """A JPEG 2000 codestream of a few hundred bytes' pixels, in 16,000 components."""
    plain, count = encoded("JPEG2000", no_jp2=True), 16_000
    length = int.from_bytes(plain[4:6])
    size = (38 + 3 * count).to_bytes(2) + plain[6:40] + count.to_bytes(2) + plain[42:45] * count
    return plain[:4] + size + plain[4 + length :]


def behind_a_decoy() -> bytes:
    """A JPEG 2000 file whose box before the picture holds what looks like a smaller one."""
    whole = encoded("JPEG2000")
    at = whole.index(b"jp2c") - 4
    decoy = b"\xff\x4f\xff\x51" + bytes(4) + (64).to_bytes(4) + (48).to_bytes(4) + bytes(24) + b"\0\1"
    box = (24 + len(decoy)).to_bytes(4) + b"uuid" + bytes(16) + decoy
    return whole[:at] + box + whole[at:].replace((64).to_bytes(4) + (48).to_bytes(4), (40_000).to_bytes(4) * 2)


def behind_a_marker() -> bytes:
    """A JPEG whose frame is passed over by readers that give the marker TEM a length."""
    plain = encoded("JPEG")
    frame = plain[plain.index(b"\xff\xc0") :][:19]
    hidden = plain[2:-2].replace(frame[5:9], (65_000).to_bytes(2) * 2)
    return b"\xff\xd8\xff\x01" + (2 + len(hidden)).to_bytes(2) + hidden + frame + b"\xff\xd9"


@pytest.mark.parametrize(
    ("stream", "syntax"),
    [
        (of_many_components(), JPEG2000Lossless),
        (behind_a_decoy(), JPEG2000Lossless),
        (behind_a_marker(), JPEGBaseline8Bit),
    ],
    ids=["components", "decoy", "marker"],
)
def test_a_picture_whose_size_is_hidden_is_not_decoded(
    stream: bytes, syntax: str, take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not plainly say that it is as large as the header says is a fault, and no decoder sees it."""
    seen: list[str] = []
    monkeypatch.setattr("misread.formats.compressed._decoder", seen.append)
    made = data_set(np.zeros((48, 64), np.uint8))
    made.PixelData = encapsulate([stream])
    made["PixelData"].VR, made.file_meta.TransferSyntaxUID = "OB", syntax
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "film.dcm").write_bytes(written(made))
    with pytest.raises(InputFaultsError, match="of no size that can be read"):
        take("dicom", tmp_path / "archive")
    assert seen == []


def test_the_size_of_a_plain_picture_is_read() -> None:
    """Of a bare codestream and of a JPEG file, width before height."""
    assert coded_size(encoded("JPEG2000", no_jp2=True)) == (64, 48)
    assert coded_size(encoded("JPEG")) == (64, 48)


def packed(root: Path, *arrays: tuple[str, tuple[int, ...], bytes]) -> Path:
    root.mkdir()
    with zipfile.ZipFile(root / "set.npz", "w", zipfile.ZIP_DEFLATED) as file:
        for name, shape, content in arrays:
            header = io.BytesIO()
            told = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(header, told)
            file.writestr(f"{name}.npy", header.getvalue() + content)
    return root


@pytest.mark.parametrize("shape", [(-1, 28, 28), (2, 1 << 40, 0), (2, 0, 28), (1 << 62, 4, 4)])
def test_arrays_of_impossible_shapes_are_faults(shape: tuple[int, ...], take: Take, tmp_path: Path) -> None:
    """Sides below one, and products beyond the file."""
    with pytest.raises(InputFaultsError) as caught:
        take("medmnist", packed(tmp_path / "archive", ("train_images", shape, bytes(100))))
    assert caught.value.faults[0].file == "set.npz"


def test_an_array_that_unpacks_without_bounds_is_a_fault(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a size that every set may have, pictures that pack a hundredfold are none."""
    monkeypatch.setattr("misread.formats.arrays._PLENTY", 1 << 16)
    root = packed(tmp_path / "archive", ("train_images", (1, 1000, 1000), bytes(1_000_000)))
    with pytest.raises(InputFaultsError, match="unpacks to more than 100 times"):
        take("medmnist", root)


def test_damaged_labels_are_a_fault(take: Take, tmp_path: Path) -> None:
    """Labels are unpacked before any row is told of; where they are damaged, that is told of their file."""
    chance = np.random.default_rng(0)
    labels = chance.integers(0, 2, (20, 20_000), dtype=np.uint8).tobytes()
    root = packed(
        tmp_path / "archive",
        ("train_images", (20, 8, 8), bytes(20 * 64)),
        ("train_labels", (20, 20_000), labels),
    )
    with zipfile.ZipFile(root / "set.npz") as file:
        told = file.getinfo("train_labels.npy")
    content = bytearray((root / "set.npz").read_bytes())
    content[told.header_offset + 46 + told.compress_size // 2] ^= 0xFF
    (root / "set.npz").write_bytes(bytes(content))
    with pytest.raises(InputFaultsError) as caught:
        take("medmnist", root)
    assert [(f.file, f.column) for f in caught.value.faults][:1] == [("set.npz", "train_labels")]


def test_a_table_that_unpacks_without_bounds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table is unpacked up to a hundred times its size, unless it is small; others have to be unpacked first."""
    monkeypatch.setattr("misread.ingest.text_files._PLENTY", 1 << 16)
    assert decoded(gzip.compress(b"a,b\n" * 100)) == "a,b\n" * 100
    with pytest.raises(UnreadableFileError, match="unpack it first"):
        decoded(gzip.compress(bytes(1 << 22)))
