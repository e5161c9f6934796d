"""Files that are there whole or not at all, for their owner alone."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from misread.refused import is_full, refusals_told
from misread.schemas.errors import MisreadError


@contextlib.contextmanager
def replacing(output: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of `output` once it is whole; pipes and devices are written straight.

    Raises MisreadError for a place that cannot be written, or that is full.
    """
    target = output.resolve()
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            with target.open("wb") as stream:
                yield stream
            return
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        hint = "name a file in a folder that is there and that you may write"
        raise MisreadError(f"{output} cannot be written: {error.strerror}", hint) from None
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
        Path(temporary).replace(target)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError) and is_full(error):
            with refusals_told(str(output)):
                raise
        raise


def create(target: Path, content: bytes) -> None:
    """Makes a file, and the folders above it, unless there is one of that name by then, which stays as it is.

    Raises MisreadError for a place that cannot be written.
    """
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(file.name, target)  # unlike a renaming, takes no other's place
    except OSError as error:
        hint = "its folder is to be one that you may write, on a disk that knows hard links"
        raise MisreadError(f"{target} cannot be made: {error.strerror}", hint) from None


def refuse_inside(output: Path, store: str) -> None:
    """Raises MisreadError for a file in the store's own folder."""
    if "://" not in store and output.resolve().is_relative_to(Path(store).resolve()):
        raise MisreadError(f"{output} lies in the store", "nothing but misread's own tables is kept there")
