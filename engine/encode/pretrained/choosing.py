"""Encoders from what the user names: a directory, or a hub's model."""

import re
from dataclasses import dataclass
from typing import Final

from misread.schemas.arguments import checked_methods
from misread.schemas.errors import MisreadError, unknown_name
from misread.schemas.values import Modality

from .device import PRECISIONS, Precision, device
from .directory import ModelDirectory, model_directory
from .hub import located, require
from .images import ImageEncoder
from .texts import TextEncoder

VERSION: Final = 1
"""Of this package: a higher one says that the same model may give the same item another vector."""
_MOST_LETTERS: Final = 58
_SNAPSHOT: Final = re.compile(r"models--.+?--(?P<name>[^/]+)/snapshots/[^/]+/?$")


@checked_methods
@dataclass(frozen=True)
class Settings:
    """How a pretrained encoder runs. None leaves it to misread: the best device there is, float32 (or what the store's
    vectors were made with), and as many threads as there are cores. `download`: whether a hub may be asked."""

    device: str | None = None
    precision: Precision | None = None
    threads: int | None = None
    download: bool = False

    def __post_init__(self) -> None:
        if self.precision is not None and self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        if self.threads is not None and self.threads < 1:
            raise MisreadError(f"{self.threads} threads cannot work", "give 1 or more")


def pretrained(asked: str, modality: Modality, settings: Settings | None = None) -> ImageEncoder | TextEncoder:
    """The encoder of a directory, or of a hub's model as `owner/name` or `owner/name@revision`.

    Raises InputFaultsError, naming everything wrong with the directory, and MisreadError for what is not there.
    """
    require()
    chosen = settings or Settings()
    directory = model_directory(located(asked, download=chosen.download), modality)
    require(*directory.family.needs)
    precision = chosen.precision or "float32"
    place = device(chosen.device, precision, chosen.threads)
    version = f"{VERSION}-{directory.fingerprint()}-{precision}"
    kind = ImageEncoder if modality == "image" else TextEncoder
    return kind(_name_of(directory, modality), directory, place, version)


def _name_of(directory: ModelDirectory, modality: Modality) -> str:
    """The encoder's name in a store: the directory's, with `-text` for the text tower of an image-text model."""
    snapshot = _SNAPSHOT.search(directory.path.as_posix())
    plain = snapshot["name"] if snapshot else directory.path.name
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")[:_MOST_LETTERS] or directory.model_type
    return f"{name}-text" if modality == "report" and directory.family.kind == "image-text" else name
