"""Folders for what lies on disk while it is worked on, removed even where the process was killed."""

import contextlib
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from misread.schemas.errors import MisreadError

_LOCK: Final = "lock"
_NAME: Final = re.compile(r"misread-(sql|rows|index|frames)-\w{8}")


class TemporaryFolder:
    """A folder in TMPDIR for its owner alone, at `path`, until `remove`.

    `purpose`: "sql", "rows", "index" or "frames". The process holds a lock on a file within as long as it lives;
    folders whose lock nobody holds are removed when a process makes its first. (Process ids would not do: containers
    that share a TMPDIR count them each for itself.)
    """

    def __init__(self, purpose: str) -> None:
        _remove_abandoned(_place())
        while True:
            self.path = tempfile.mkdtemp(prefix=f"misread-{purpose}-")
            descriptor = os.open(Path(self.path) / _LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            _locked(descriptor, wait=True)
            if os.fstat(descriptor).st_nlink:  # else another process, which held the lock, took it for abandoned
                break
            os.close(descriptor)
        self._descriptor: int | None = descriptor

    def __enter__(self) -> Path:
        return Path(self.path)

    def __exit__(self, *raised: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Removes the folder and what is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _place() -> str:
    """The folder for temporary files. Raises MisreadError where there is none that may be written."""
    try:
        return tempfile.gettempdir()
    except FileNotFoundError as error:
        raise MisreadError(
            f"nothing can be put aside on disk: {error.strerror}", "name a folder that you may write in TMPDIR"
        ) from None


@cache
def _remove_abandoned(place: str) -> None:
    """Removes the folders here that killed processes of this user left; once in a process."""
    with contextlib.suppress(OSError):
        for folder in Path(place).iterdir():
            if _NAME.fullmatch(folder.name):
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    try:
        if folder.lstat().st_uid != os.getuid():
            return
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # of another kind, or gone meanwhile
        return
    try:
        if _locked(descriptor):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _locked(descriptor: int, *, wait: bool = False) -> bool:
    """Locks an open file; False where another process holds it and `wait` is not said, or the disk knows no locks."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True
