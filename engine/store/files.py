"""Small files of a store: read whole, replaced atomically, on a disk or in an object store."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from pyarrow import fs

from misread.schemas.errors import StoreError

LOCK_SECONDS = 10.0


class StoreFiles:
    """The root of a store: a path, or a URI such as `s3://bucket/audits/cxr`."""

    def __init__(self, location: str | os.PathLike[str]) -> None:
        text = os.fspath(location)
        if text.startswith("file://"):
            text = unquote(urlsplit(text).path)
        self.is_local = "://" not in text
        if self.is_local:
            self.location = str(Path(text).expanduser().resolve())
            self._system: fs.FileSystem = fs.LocalFileSystem()
            self._root = self.location
        else:
            self.location = text.rstrip("/")
            try:
                self._system, self._root = fs.FileSystem.from_uri(self.location)
            except (pa.ArrowInvalid, OSError) as error:
                raise StoreError(
                    f"cannot reach the store {text}: {error}",
                    "name a folder, or a URI such as s3://bucket/folder",
                ) from error

    def uri(self, name: str) -> str:
        return f"{self.location}/{name}"

    def _path(self, name: str) -> str:
        return str(PurePosixPath(self._root) / name)

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of this name is there; "" asks for the root."""
        path = self._path(name) if name else self._root
        with self._telling():
            return bool(self._system.get_file_info(path).type != fs.FileType.NotFound)

    def is_empty(self) -> bool:
        """Whether the root is missing or holds nothing."""
        selector = fs.FileSelector(self._root, allow_not_found=True)
        with self._telling():
            return not self._system.get_file_info(selector)

    def read(self, name: str) -> bytes:
        with self._telling(), self._system.open_input_stream(self._path(name), compression=None) as stream:
            return bytes(stream.readall())

    def names(self, folder: str) -> list[str]:
        """The files in a folder, as names that `read` takes, sorted; none where there is no such folder."""
        selector = fs.FileSelector(self._path(folder), allow_not_found=True)
        with self._telling():
            found = self._system.get_file_info(selector)
        return sorted(f"{folder}/{info.base_name}" for info in found if info.type == fs.FileType.File)

    def remove(self, name: str) -> None:
        with self._telling():
            self._system.delete_file(self._path(name))

    def create_root(self) -> None:
        """Makes the root, readable by its owner alone."""
        with self._telling():
            if self.is_local:
                Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)
            else:
                self._system.create_dir(self._root, recursive=True)

    def replace(self, name: str, content: bytes) -> None:
        """Writes a file so that a reader sees the old content or the new, never a part."""
        if self.is_local:
            _replace_local(Path(self._path(name)), content)
        else:  # one upload of an object becomes visible whole
            with self._system.open_output_stream(self._path(name), compression=None) as stream:
                stream.write(content)

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Raises StoreError for what the disk or the object store refuses."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot reach the store {self.location}: {error}",
                "check the path or URI, its permissions and credentials",
            ) from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the store for one writer. Object stores have no lock: the commit compares states instead.

        Raises StoreError when another process keeps writing for `LOCK_SECONDS`.
        """
        if not self.is_local:
            yield
            return
        import fcntl

        descriptor = os.open(self._root, os.O_RDONLY)
        try:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise StoreError(
                            f"the store {self.location} is being written by another process",
                            "wait until it has finished, then try again; nothing was changed",
                        ) from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(descriptor)


def _replace_local(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
