"""Files on a disk that are there whole or not at all, and what killed processes leave of writing them."""

import os
import tempfile
from pathlib import Path


def replace_whole(path: Path, content: bytes) -> None:
    """Writes a file so that a reader sees the old content or the new, never a part; makes its folder. Owner only."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = _begun(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_half_written(folder: Path, names: str) -> None:
    """Removes the temporary files (of `replace_whole`, by a pattern such as ".manifest.json.*") that nobody writes.

    A writer holds a lock on its temporary file until that has its name, so those of living processes stay.
    """
    import fcntl

    for path in sorted(folder.glob(names)):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)


def _begun(path: Path) -> tuple[int, Path]:
    """A temporary file beside `path`, open and locked."""
    import fcntl

    while True:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:  # else it was taken for a dead process's before it was locked
            return descriptor, Path(temporary)
        os.close(descriptor)
