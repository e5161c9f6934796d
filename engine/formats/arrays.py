"""Arrays in .npz files, unpacked to unnamed temporary files and mapped: no pickle, no names from the file on disk."""

import tempfile
import threading
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from misread.refused import refusals_told

from .png import as_png

_LARGEST: Final = 32 << 30
"""Bytes of one array; the largest of MedMNIST has half of that."""
_CHUNK: Final = 1 << 20
_PLENTY: Final = 1 << 28
_MOST_TIMES: Final = 100
"""How many times its packed size an array of more than _PLENTY bytes may have: pictures pack far less."""


class ArrayError(Exception):
    """Why a file or an array cannot be read."""


class Array:
    """One array of a file. Its header is read at once, its values when they are asked for."""

    def __init__(self, path: Path, member: str) -> None:
        self._path, self._member = path, member
        self._values: NDArray[Any] | None = None
        self._lock = threading.Lock()
        with zipfile.ZipFile(path) as packed, packed.open(member) as file:
            self.shape, self._fortran, self.dtype = _header(file)
            self._begins = file.tell()
            info = packed.getinfo(member)
            size = info.file_size
        if self.dtype.hasobject:
            raise ArrayError(f"{member} holds Python objects, which would need pickle")
        if min(self.shape, default=0) < 0:
            raise ArrayError(f"{member} says it has the shape {self.shape}")
        if size > max(_PLENTY, _MOST_TIMES * info.compress_size):
            raise ArrayError(f"{member} unpacks to more than {_MOST_TIMES} times its size, as no images do")
        count = self.dtype.itemsize
        for side in self.shape:
            count *= side
        if count > min(size, _LARGEST):
            raise ArrayError(f"{member} says it has {count} bytes; the file holds {size}, the limit is {_LARGEST}")
        self._bytes = count

    def __len__(self) -> int:
        return self.shape[0]

    def read(self) -> NDArray[Any]:
        """The values, mapped from a temporary file that has no name.

        Raises ArrayError where they are damaged, MisreadError where there is no room for them.
        """
        with self._lock:
            if self._values is None:
                self._values = self._mapped()
            return self._values

    def png(self, number: int) -> bytes:
        """One picture of an array of them."""
        return as_png(np.ascontiguousarray(self.read()[number]))

    def _mapped(self) -> NDArray[Any]:
        if self._bytes == 0:
            return np.empty(self.shape, self.dtype)
        order: Any = "F" if self._fortran else "C"
        with tempfile.TemporaryFile(buffering=0) as room:
            try:
                with zipfile.ZipFile(self._path) as packed, packed.open(self._member) as file:
                    file.read(self._begins)
                    left = self._bytes
                    while left and (chunk := file.read(min(_CHUNK, left))):
                        _put(room, chunk)
                        left -= len(chunk)
                    if left or file.read(1):
                        raise ArrayError(f"{self._member} is not as long as it says")
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
                raise ArrayError(f"{self._member} is damaged: {error}") from None
            return np.memmap(room, self.dtype, "r", shape=self.shape, order=order)


def _put(room: Any, chunk: bytes) -> None:
    rest = memoryview(chunk)
    with refusals_told(f"{tempfile.gettempdir()} (TMPDIR)"):
        while rest:
            rest = rest[room.write(rest) :]


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise ArrayError(f"an array of version {version} is not read")
    shape, fortran, dtype = read(file)
    return tuple(int(side) for side in shape), fortran, dtype


def arrays_of(path: Path) -> dict[str, Array]:
    """The arrays of a .npz file by name. Raises ArrayError where it is none, or holds objects."""
    try:
        with zipfile.ZipFile(path) as packed, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers written by old versions
            members = [name for name in packed.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): Array(path, name) for name in members}
    except ArrayError:
        raise
    except Exception as error:  # noqa: BLE001 - numpy's parser of damaged headers raises whatever it pleases
        raise ArrayError(f"this is no whole .npz file: {str(error).partition(chr(10))[0]}") from None
