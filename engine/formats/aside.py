"""Pictures that cost much to make, put aside from their check until they are stored."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from threading import Lock
from typing import Final

from misread.ingest.sources import Read

_FREE_SHARE: Final = 0.5


class Aside:
    """Reads pictures as `read` does, each once: further calls for a name give the same bytes.

    They lie in a file without a name in the folder for temporary files (TMPDIR): nobody else can open it, and it is
    gone with the process. It takes at most half of the disk that is free there; a picture that finds no room is made
    again. Threads may call it at once.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._file, path = tempfile.mkstemp(prefix="misread-")
        Path(path).unlink()
        weakref.finalize(self, os.close, self._file)
        self._room = int(_FREE_SHARE * shutil.disk_usage(tempfile.gettempdir()).free)
        self._end = 0
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = Lock()

    def __call__(self, name: str) -> bytes:
        if name in self._places:
            size, start = self._places[name]
            return os.pread(self._file, size, start)
        content = self._read(name)
        self._put(name, content)
        return content

    def _put(self, name: str, content: bytes) -> None:
        with self._lock:
            start = self._end
            if start + len(content) > self._room:
                return
            self._end += len(content)
        try:
            if os.pwrite(self._file, content, start) == len(content):
                self._places[name] = len(content), start
        except OSError:  # the disk filled up meanwhile
            self._room = 0
