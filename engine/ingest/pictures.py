"""Pictures: really decoded when checked, read again and stored as they are when written."""

import io
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import polars as pl

from misread.progress import Progress
from misread.threads import in_order

from .beside_pixels import carries_text
from .faultbook import ROW, FaultBook
from .files import Source

MEDIA_TYPES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
FACTS = {"width": pl.Int32(), "height": pl.Int32(), "media_type": pl.String(), "sha256": pl.String()}
_SEVERAL: Final = 3
"""Pictures of which it is no slip that none is there."""
_END_OF_PNG = b"IEND\xaeB\x60\x82"


class PictureError(Exception):
    """Why a picture cannot be taken in."""


class NoPictureError(PictureError):
    """There is nothing to take where the path leads, or it leads where nothing is taken from."""


@dataclass(frozen=True)
class Picture:
    """What is known of an encoded picture without its pixels. `carries_text`: beside them; False for one that is stored
    already."""

    width: int
    height: int
    media_type: str
    sha256: str
    carries_text: bool = False


def _by_a_link(root: Path, name: str, path: Path) -> str:
    """What to add where the path as it is written stays in the folder."""
    if not Path(os.path.normpath(root / name)).is_relative_to(root):
        return ""
    return f", by a link to {path.parent} (name the folder where images really lie)"


def picture_path(root: Path, name: str, what: str = "image") -> Path:
    """The file a cell of the `image` column names; `root` is resolved.

    Raises NoPictureError where the path is absolute or leads out of `root`, or there is no such file.
    """
    if Path(name).is_absolute():
        raise NoPictureError(f"the path is absolute, not relative to the images folder: {name!r}")
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root):
            raise NoPictureError(f"the path leads out of the images folder{_by_a_link(root, name, path)}: {name!r}")
        if path.is_file():
            return path
        if path.exists():
            raise NoPictureError(f"this is no file: {name!r}")
    except (OSError, ValueError, RuntimeError) as error:  # a name too long, a NUL, a loop of links
        raise NoPictureError(f"the {what} cannot be found: {name!r}: {error}") from None
    raise NoPictureError(f"there is no such {what}: {name!r}")


def in_folder(root: Path) -> Callable[[str], bytes]:
    """Reads the pictures of a folder by their paths in it."""
    resolved = root.resolve()
    return lambda name: file_content(picture_path(resolved, name), name)


def check_picture(read: Callable[[str], bytes], name: str, known: Mapping[str, Picture]) -> Picture:
    """Decodes a picture (unless its bytes are among the `known`, by sha256).

    Raises PictureError where it is missing, neither JPEG nor PNG, or does not decode to its end.
    """
    content = read(name)
    digest = sha256(content).hexdigest()
    if digest in known:
        return known[digest]
    kind = next((kind for magic, kind in MEDIA_TYPES.items() if content.startswith(magic)), None)
    if kind is None:
        raise PictureError(f"the file is empty: {name!r}" if not content else f"neither JPEG nor PNG: {name!r}")
    width, height, has_text = _decoded(content, name)
    if kind == "image/png" and _END_OF_PNG not in content:
        raise PictureError(f"the image is unreadable: {name!r}: it ends too early")
    return Picture(width, height, kind, digest, has_text)


def file_content(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PictureError(f"the image cannot be read: {name!r}: {error.strerror}") from None


def _decoded(content: bytes, name: str) -> tuple[int, int, bool]:
    """Width, height, and whether there is text beside the pixels."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            image.verify()  # the checksums inside a PNG
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            image.load()
            return *image.size, carries_text(image)
    except Image.DecompressionBombError as error:
        raise PictureError(f"the image is too large: {name!r}: {error}") from None
    except Exception as error:  # noqa: BLE001 - decoders of damaged files raise whatever they please
        what = f"the image is unreadable: {name!r}"
        detail = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
        raise PictureError(what + detail) from None


def check_pictures(
    source: Source,
    images: pl.DataFrame,
    read: Callable[[str], bytes],
    known: Mapping[str, Picture],
    book: FaultBook,
    notices: list[str],
    progress: Progress,
    folder: Path | None = None,
) -> pl.DataFrame:
    """ROW and FACTS of every readable picture of `images` (ROW, image); the others are faults in `book`.

    What the reader should know of them is added to `notices`. Where none of several is in the `folder` that paths are
    relative to, that is one fault, of the column.
    """
    wanted = list(images.drop_nulls("image").select(ROW, "image").iter_rows())
    found, with_text = [], []
    faults: list[tuple[int, PictureError]] = []
    looked_at = _looked_at([name for _, name in wanted], read, known)
    for done, ((row, name), picture) in enumerate(zip(wanted, looked_at, strict=True), 1):
        if isinstance(picture, PictureError):
            faults.append((row, picture))
        else:
            found.append((row, picture.width, picture.height, picture.media_type, picture.sha256))
            with_text += [name] if picture.carries_text else []
        progress(done, len(wanted), "images checked")
    if with_text:
        notices.append(
            f"{source.name}: {len(with_text)} of {len(wanted)} images carry text beside their pixels (EXIF, XMP, "
            f"IPTC, comments or PNG text), the first is {with_text[0]!r}; it is stored with them: where it may tell "
            "who somebody is, take it out of the files, and make the store anew, as older states keep their images"
        )
    missing = [fault for _, fault in faults if isinstance(fault, NoPictureError)]
    if folder is not None and len(missing) == len(wanted) >= _SEVERAL:
        book.whole(
            source.name,
            f"none of {len(faults):,} images is there; paths are relative to --images, which is {folder}: name the "
            f"folder in which this is found: {wanted[0][1]!r}",
            "image",
        )
    else:
        for row, fault in faults:
            book.row(source.name, row, "image", str(fault))
    return pl.DataFrame(found, {ROW: pl.Int64(), **FACTS}, orient="row")


def _looked_at(
    names: Iterable[str], read: Callable[[str], bytes], known: Mapping[str, Picture]
) -> Iterator[Picture | PictureError]:
    """What is known of each picture, or why it cannot be taken in, in order; by several threads."""

    def look(name: str) -> Picture | PictureError:
        try:
            return check_picture(read, name, known)
        except PictureError as error:
            return error

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of decoders, about oddities that do not stop them
        yield from in_order(look, names)


def read_again(read: Callable[[str], bytes], name: str | None, digest: str | None) -> bytes | None:
    """The bytes of a picture that was checked. Raises PictureError where they are no longer those."""
    if name is None or digest is None:
        return None
    content = read(name)
    if sha256(content).hexdigest() != digest:
        raise PictureError(f"the image changed while it was being ingested: {name!r}")
    return content
