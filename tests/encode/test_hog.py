"""`hog`: a picture's vector is its own, whatever file it comes in."""

import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from encode.encode_inputs import DATA, encoded, grey
from numpy.typing import NDArray
from PIL import Image

from misread.encode.hog import HogEncoder
from misread.encode.pixels import grey_square
from misread.encode.registry import ItemError

HOG = HogEncoder()
PICTURES = [encoded(grey(seed, 100 + 9 * seed, 140)) for seed in range(12)]


def one(content: bytes) -> NDArray[np.float32]:
    vector: NDArray[np.float32] = HOG.encode([content])[0]
    return vector


def test_a_vector_does_not_depend_on_its_batch() -> None:
    """One by one, all at once, backwards: bit for bit the same vectors."""
    whole = HOG.encode(PICTURES)
    assert whole.shape == (12, HOG.dimension)
    assert whole.dtype == np.float32
    np.testing.assert_array_equal(whole, np.stack([one(content) for content in PICTURES]))
    np.testing.assert_array_equal(whole[::-1], HOG.encode(PICTURES[::-1]))


def test_different_pictures_have_different_vectors_of_unit_length() -> None:
    """Neither part swamps the other, and no two pictures fall together."""
    whole = HOG.encode(PICTURES)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    likeness = whole @ whole.T - 2 * np.eye(len(whole))
    assert likeness.max() < 0.95
    edges, thumbnail = np.split(whole, [HOG.dimension - 144], axis=1)
    assert 0.2 < edges.var(axis=0).sum() / thumbnail.var(axis=0).sum() < 5


def test_nothing_to_encode_is_an_empty_table() -> None:
    """No pictures give no rows, of the right width."""
    assert HOG.encode([]).shape == (0, HOG.dimension)


@pytest.mark.parametrize("scale", [257, 16, 1], ids=["16 bits", "12 bits", "8 bits"])
@pytest.mark.parametrize("offset", [0, 1000])
def test_sixteen_bits_read_as_eight(scale: int, offset: int) -> None:
    """A deep radiograph is windowed to its own range: it neither clips to white nor depends on its scale."""
    pixels = grey(3)
    deep = encoded(np.minimum(pixels.astype(np.int64) * scale + offset, 65535).astype(np.uint16))
    assert Image.open(BytesIO(deep)).mode == "I;16"
    assert one(deep) @ one(encoded(pixels)) > 0.98


def test_exposure_does_not_change_the_picture() -> None:
    """Darker and flatter, the same picture has nearly the same vector."""
    pixels = grey(4)
    assert one(encoded((pixels * 0.4 + 30).astype(np.uint8))) @ one(encoded(pixels)) > 0.98


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P"])
def test_a_grey_picture_is_the_same_in_every_mode(mode: str) -> None:
    """Colour, alpha and palette add nothing to a picture that is grey and opaque."""
    image = Image.fromarray(grey(5))
    np.testing.assert_allclose(one(encoded(image.convert(mode))), one(encoded(image)), atol=1e-6)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_is_nearly_its_png(mode: str) -> None:
    """The file format is not the content, four inks included."""
    image = Image.fromarray(grey(6))
    assert one(encoded(image.convert(mode), "JPEG", quality=95)) @ one(encoded(image)) > 0.95


def test_colour_counts_by_luminance() -> None:
    """Green is brighter than blue."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :32, 1] = pixels[:, 32:, 2] = 200
    square = grey_square(encoded(pixels), 32)
    assert square[:, :16].min() == 1
    assert square[:, 16:].max() == 0


def test_what_is_transparent_is_black() -> None:
    """Whatever colour hides behind an alpha of 0, it is not seen."""
    seen = np.dstack([grey(7)] * 3 + [np.full((150, 130), 255, np.uint8)])
    hidden = seen.copy()
    seen[:50, :, :3], hidden[:50, :, 3] = 0, 0
    np.testing.assert_allclose(one(encoded(hidden)), one(encoded(seen)), atol=1e-6)


def test_a_picture_is_upright_as_its_file_says() -> None:
    """The orientation tag is followed."""
    image = Image.fromarray(grey(8))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(image.rotate(90, expand=True), "JPEG", quality=95, exif=exif)
    assert one(turned) @ one(encoded(image)) > 0.95


@pytest.mark.parametrize("shape", [(300, 100), (100, 300), (3000, 40), (7, 5)])
def test_the_whole_picture_is_kept_at_its_aspect(shape: tuple[int, int]) -> None:
    """Nothing is cut off or stretched: the longer side fills the square, the rest repeats the border."""
    pixels = np.zeros(shape, np.uint8)
    pixels[: shape[0] // 2] = 200
    pixels[:, -max(1, shape[1] // 8) :] = 255
    square = grey_square(encoded(pixels), 64)
    assert square.shape == (64, 64)
    assert np.all(square[:, -1] == square[:, -2])
    upper, lower = square[: 64 // 2 - 8, 10], square[64 // 2 + 8 :, 10]
    assert upper.min() > lower.max()


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((60, 60), np.uint8), np.full((60, 90), 255, np.uint8), np.full((60, 60), 40001, np.uint16),
        np.full((61, 67), 65535, np.uint16), np.full((1, 1), 7, np.uint8), np.full((50, 50, 3), 9, np.uint8),
    ],
)  # fmt: skip
def test_a_constant_picture_is_all_zero(pixels: np.ndarray) -> None:
    """Nothing to see is a finite vector: zero, not amplified rounding."""
    assert not one(encoded(pixels)).any()


@pytest.mark.parametrize("shape", [(1, 2), (2, 1), (1, 500), (3, 3), (128, 128), (129, 127)])
def test_small_and_thin_pictures_have_finite_vectors(shape: tuple[int, int]) -> None:
    """Any shape has a vector, also of one bright pixel in the dark."""
    pixels = np.zeros(shape, np.uint8)
    pixels.flat[-1] = 255
    assert np.isfinite(one(encoded(pixels))).all()
    assert np.isfinite(one(encoded(Image.fromarray(pixels).convert("1")))).all()


@pytest.mark.parametrize("damage", ["empty", "text", "cut jpeg", "cut png", "header"])
def test_an_unreadable_picture_is_named_by_its_place(damage: str) -> None:
    """The error says which of the batch it was, and why."""
    jpeg, png = encoded(grey(), "JPEG"), PICTURES[0]
    bad = {"empty": b"", "text": b"not a picture", "cut jpeg": jpeg[: len(jpeg) // 2], "cut png": png[:200]}
    content = bad.get(damage, png[:30])
    with pytest.raises(ItemError, match="unreadable image") as caught:
        HOG.encode([*PICTURES[:5], content, PICTURES[6]])
    assert caught.value.place == 5


def test_a_picture_of_absurd_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decompression bomb is an unreadable picture, not a full memory."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ItemError, match="unreadable"):
        one(PICTURES[0])


def test_a_large_jpeg_is_what_its_small_version_is() -> None:
    """Decoding a large JPEG no larger than needed changes next to nothing."""
    large = Image.fromarray(grey(9, 1800, 1500))
    small = large.resize((375, 450), Image.Resampling.BOX)
    assert one(encoded(large, "JPEG", quality=95)) @ one(encoded(small)) > 0.95


def test_real_radiographs_tell_their_view() -> None:
    """A linear probe on 240 real radiographs, patients apart, tells PA from AP."""
    folder = DATA / "nih-cxr"
    if not folder.exists():
        pytest.skip("needs ../shared/data/nih-cxr")
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rows = list(csv.DictReader((folder / "metadata.csv").read_text().splitlines()))[::6][:240]
    seen = HOG.encode([Path(folder / row["image"]).read_bytes() for row in rows])
    frontal = np.array([row["view"] == "AP" for row in rows])
    held_out = np.array([int(row["patient_id"]) % 2 == 0 for row in rows])
    probe = LogisticRegression(C=10).fit(seen[~held_out], frontal[~held_out])
    assert roc_auc_score(frontal[held_out], probe.decision_function(seen[held_out])) > 0.85
