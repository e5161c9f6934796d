"""The standard streams as the command uses them: always there, taking any text."""

import io
import os
import sys
from typing import Any, Final

_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def give_streams() -> None:
    """Opens the streams that were closed, makes those written take any text, and standard error fail at nothing."""
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:  # else the next file, which may be the store's, got the number of the stream
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, closefd=False))
    unheard = io.BufferedWriter(_Unheard(sys.stderr.fileno(), "wb", closefd=False))
    sys.stderr = io.TextIOWrapper(unheard, sys.stderr.encoding, line_buffering=True)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


class _Unheard(io.FileIO):
    """A file that nobody may read: notices for a log that is full, or a reader that left, end no work."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            return len(memoryview(content))
