"""`medmnist`: MedMNIST v2 and v3, the two-dimensional sets, as Zenodo has them.

ROOT is one .npz file, such as chestmnist.npz or chestmnist_224.npz, or a folder of them. A sample is an image of
train_images, val_images or test_images (NAME/train/000001); labels are the columns label_0, label_1, …, or
`class_index` where a set has one (the names of the classes are not in the files). Patients are not told:
every image stands alone.

Not taken: the sets of volumes. No pickle is read: an array of objects is refused.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from misread.ingest.pictures import PictureError
from misread.ingest.sources import Archive

from .arrays import Array, ArrayError, arrays_of
from .png import MOST_PIXELS
from .request import Request

SPLITS: Final = ("train", "val", "test")
_IDS: Final = dict.fromkeys(("sample_id", "split", "image", "data_set"), pl.String())


def read(request: Request) -> Archive | None:
    is_one = request.root.is_file()
    files = [request.root] if is_one else _files(request)
    rows: list[dict[str, Any]] = []
    images: dict[str, Array] = {}
    for path in files:
        try:
            arrays = arrays_of(path)
        except ArrayError as error:
            tell = request.book.whole if is_one else request.book.item
            tell(path.name, str(error))
            continue
        for split in SPLITS:
            try:
                found = _rows(request, path, split, arrays)
            except ArrayError as error:
                request.book.item(path.name, str(error), f"{split}_labels")
                continue
            if found:
                rows += found
                images[f"{path.stem}/{split}"] = arrays[f"{split}_images"]
    if not rows and not (is_one and request.book.unskippable):
        request.book.whole(str(request.root), "there is no .npz file with images")
    if not rows:
        return None
    labels = dict.fromkeys((name for row in rows for name in row if name not in _IDS), pl.Int64())
    return Archive(request.source("medmnist", rows, {**_IDS, **labels}), _Pictures(images))


def _files(request: Request) -> list[Path]:
    return [request.root / name for name in request.files() if name.casefold().endswith(".npz")]


def _rows(request: Request, path: Path, split: str, arrays: dict[str, Array]) -> list[dict[str, Any]]:
    """The rows of one split of one file. Raises ArrayError where its labels cannot be read."""
    pictures, labels = arrays.get(f"{split}_images"), arrays.get(f"{split}_labels")
    if pictures is None:
        return []
    told = _refusal(pictures, labels)
    if told:
        request.book.item(path.name, told, f"{split}_images")
    if told or not len(pictures):
        return []
    table = np.empty((len(pictures), 0)) if labels is None else labels.read().reshape(len(pictures), -1)
    columns = ["class_index"] if table.shape[1] == 1 else [f"label_{at}" for at in range(table.shape[1])]
    names = [f"{path.stem}/{split}/{number:06d}" for number in range(len(pictures))]
    return [
        {"sample_id": name, "split": split, "image": name, "data_set": path.stem}
        | dict(zip(columns, values, strict=True))
        for name, values in zip(names, table.tolist(), strict=True)
    ]


def _refusal(pictures: Array, labels: Array | None) -> str | None:
    shape = pictures.shape
    if pictures.dtype != "uint8" or not (len(shape) == 3 or (len(shape) == 4 and shape[3] == 3)):
        return f"an array of {pictures.dtype} of shape {shape} holds no images of two dimensions"
    if not 0 < shape[1] * shape[2] <= MOST_PIXELS:
        return f"images of {shape[2]} x {shape[1]} pixels are not read"
    if labels is not None and (labels.dtype.kind not in "iu" or labels.shape[:1] != shape[:1] or len(labels.shape) > 2):
        return f"{shape[0]} images have labels of {labels.dtype} of shape {labels.shape}"
    return None


class _Pictures:
    """Encodes a picture of an array when it is asked for."""

    def __init__(self, images: dict[str, Array]) -> None:
        self._images = images

    def __call__(self, name: str) -> bytes:
        place, _, number = name.rpartition("/")
        try:
            return self._images[place].png(int(number))
        except (OSError, ValueError, ArrayError) as error:
            raise PictureError(f"the image is unreadable: {name!r}: {error}") from None
