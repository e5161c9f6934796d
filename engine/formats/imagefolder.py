"""`imagefolder`: ROOT/CLASS/image, or ROOT/SPLIT/CLASS/image, JPEG or PNG (the layout of torchvision).

The splits are train, val (or valid, validate, validation) and test. The class is the metadata column `class_name`, the
path the sample's id. Nothing is known of patients: every image stands alone. Other files are left out.
"""

from typing import Final

import polars as pl

from misread.ingest.pictures import in_folder
from misread.ingest.sources import Archive

from .request import Request

SPLITS: Final = ("train", "val", "valid", "validate", "validation", "test")
_PICTURES: Final = (".jpg", ".jpeg", ".png")
_SCHEMA: Final = dict.fromkeys(("sample_id", "split", "image", "class_name"), pl.String)


def read(request: Request) -> Archive | None:
    rows, others = [], 0
    for name in request.files():
        parts = name.split("/")
        if not name.casefold().endswith(_PICTURES):
            others += 1
            continue
        split = parts.pop(0) if len(parts) > 2 and parts[0] in SPLITS else None
        if len(parts) != 2:
            request.book.item(name, "the image does not lie in ROOT/CLASS or ROOT/SPLIT/CLASS")
            continue
        rows.append({"sample_id": name, "split": split, "image": name, "class_name": parts[0]})
    if not rows:
        request.book.whole(str(request.root), "there is no image in ROOT/CLASS or ROOT/SPLIT/CLASS")
        return None
    notices = (f"{others} files that are neither .jpg nor .png were left out",) if others else ()
    return Archive(request.source("imagefolder", rows, _SCHEMA), in_folder(request.root), notices=notices)
