"""Small files of a store: read whole, replaced atomically, on a disk or in an object store."""

import contextlib
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from pyarrow import fs

from misread.refused import refusals_told
from misread.schemas.errors import OF_ANOTHER, StoreError

from .whole import remove_half_written, replace_whole

LOCK_SECONDS = 10.0
RESTORE = "the store's files were changed or removed by something other than misread; restore them from a copy"


class StoreFiles:
    """The root of a store: a path, or a URI such as `s3://bucket/audits/cxr`."""

    def __init__(self, location: str | os.PathLike[str]) -> None:
        text = os.fspath(location)
        if text.startswith("file://"):
            text = unquote(urlsplit(text).path)
        self.is_local = "://" not in text
        self.location = str(Path(text).expanduser().resolve()) if self.is_local else text.rstrip("/")
        _check_utf8(self.location)
        if self.is_local:
            self._system: fs.FileSystem = fs.LocalFileSystem()
            self._root = self.location
        else:
            try:
                self._system, self._root = fs.FileSystem.from_uri(self.location)
            except (pa.ArrowInvalid, OSError) as error:
                raise StoreError(
                    f"cannot reach the store {text}: {error}",
                    "name a folder, or a URI such as s3://bucket/folder",
                ) from error
        with self._telling():
            is_file = self.is_local and Path(self._root).is_file()
        if is_file:
            raise StoreError(f"{self.location} is a file, and a store is a folder", "name the folder, or a new one")

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
        """The files in a folder of the root, as `folder/file`, by name; none where there is no such folder.

        Half-written ones are none.
        """
        found = [PurePosixPath(info.path).name for info in self._listed(folder) if info.type == fs.FileType.File]
        return [f"{folder}/{name}" for name in sorted(found) if not name.startswith(".")]

    def folders(self) -> list[str]:
        """The folders in the root, by name."""
        found = self._listed("")
        return sorted(PurePosixPath(info.path).name for info in found if info.type == fs.FileType.Directory)

    def entries(self, folder: str = "") -> list[str]:
        """Everything in a folder of the root ("": the root itself), as names in the root."""
        if self.is_local:  # pyarrow sees no link that leads nowhere
            path = Path(self._path(folder))
            with self._telling():
                names = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
        else:
            names = sorted(PurePosixPath(info.path).name for info in self._listed(folder))
        return [f"{folder}/{name}" if folder else name for name in names]

    def bytes_of(self, name: str) -> int | None:
        """The bytes of a file, or of all files in a folder; None where there is neither. Links are not followed."""
        if self.is_local:
            path = Path(self._path(name))
            return sum(map(_size, [path, *path.rglob("*")])) if os.path.lexists(path) else None
        with self._telling():
            info = self._system.get_file_info(self._path(name))
        if info.type == fs.FileType.NotFound:
            return None
        held = [info] if info.type == fs.FileType.File else self._listed(name, recursive=True)
        return sum(one.size or 0 for one in held)

    def is_older(self, folder: str, other: str) -> bool:
        """Whether everything in a folder was there before the last file in another, by the clock of where they lie."""
        mark = max(self._written_at(other), default=0)
        return all(written < mark for written in self._written_at(folder))

    def _written_at(self, folder: str) -> list[int]:
        """When the files in a folder were written, in nanoseconds."""
        held = self._listed(folder, recursive=True)
        return [info.mtime_ns for info in held if info.type == fs.FileType.File]

    def _listed(self, folder: str, *, recursive: bool = False) -> list[fs.FileInfo]:
        selector = fs.FileSelector(self._path(folder), allow_not_found=True, recursive=recursive)
        with self._telling():
            return list(self._system.get_file_info(selector))

    def remove(self, name: str) -> None:
        """Removes a file; one that is gone already is no error."""
        with self.written(), contextlib.suppress(FileNotFoundError):
            self._system.delete_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Removes a folder and everything in it; one that is gone already is no error."""
        with self.written(), contextlib.suppress(FileNotFoundError):
            self._system.delete_dir(self._path(name))

    def remove_half_written(self, names: str) -> None:
        """Removes what killed processes left of writing files, by a pattern such as "models/.*"; living ones keep
        theirs. Object stores never have any."""
        if self.is_local:
            with self.written():
                remove_half_written(Path(self._root), names)

    def create_root(self) -> None:
        """Makes the root, or takes an empty folder for it: its owner's alone, and so is all that comes to lie in it."""
        with self.written():
            if self.is_local:
                Path(self._root).mkdir(mode=0o700, parents=True, exist_ok=True)
                Path(self._root).chmod(0o700)
            else:
                self._system.create_dir(self._root, recursive=True)

    def replace(self, name: str, content: bytes) -> None:
        """Writes a file so that a reader sees the old content or the new, never a part."""
        with self.written():
            if self.is_local:
                replace_whole(Path(self._path(name)), content)
                return
            # one upload of an object becomes visible whole
            with self._system.open_output_stream(self._path(name), compression=None) as stream:
                stream.write(content)

    def written(self) -> contextlib.AbstractContextManager[None]:
        """Within it the disk's or the object store's refusals are raised as StoreError."""
        return refusals_told(f"the store {self.location}", StoreError)

    def check_takes_writers(self) -> None:
        """Raises StoreError for a folder that nothing can be written to; of an object store its first write tells."""
        if self.is_local:
            with self.written(), tempfile.TemporaryFile(dir=self._root):
                pass

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Raises StoreError for what cannot be read."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"cannot reach the store {self.location}: {error}",
                OF_ANOTHER
                if self.is_local and isinstance(error, PermissionError)
                else "check the path or URI, its permissions and credentials",
            ) from error

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the store for one writer. Object stores have no lock: see `misread.store.newest` for what serves there.

        Raises StoreError when another process keeps writing for `LOCK_SECONDS`.
        """
        if not self.is_local:
            yield
            return
        import fcntl

        with self.written():
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


def _size(path: Path) -> int:
    """The bytes of a file or link; 0 for folders, and for what is gone by now."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0
    return 0 if stat.S_ISDIR(status.st_mode) else status.st_size


def _check_utf8(place: str) -> None:
    try:
        place.encode()
    except UnicodeEncodeError:
        raise StoreError(f"no store can lie in {place!r}: its name is not UTF-8", "name a folder in UTF-8") from None
