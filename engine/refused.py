"""What a disk or an object store refuses to a writer, in words."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from typing import Final

from misread.schemas.errors import MisreadError, first_line

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED: Final = (errno.EROFS, errno.EACCES, errno.EPERM)
_LANCE_CODE: Final = re.compile(r"\(os error (\d+)\)")


@contextlib.contextmanager
def refusals_told(place: str, kind: type[MisreadError] = MisreadError) -> Iterator[None]:
    """Raises `kind` for an OSError of what is written within: what could not be, why, and what to do.

    `place` is told as it is given: "the store /data/cxr". Nothing but writing belongs within, as any other OSError
    would be told as one of writing.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"{place} cannot be written: {_reason(error)}", _hint(_code(error))) from error


def is_full(error: OSError) -> bool:
    """Whether there was no room: on the disk, in the quota, or within the limit of file sizes."""
    return _code(error) in _FULL


def _code(error: OSError) -> int | None:
    """The system's number of the error; Lance tells it in its text alone."""
    told = _LANCE_CODE.search(str(error))
    return int(told[1]) if error.errno is None and told else error.errno


def _reason(error: OSError) -> str:
    code = _code(error)
    return os.strerror(code) if code is not None else first_line(error)


def _hint(code: int | None) -> str:
    if code in _FULL:
        return "make room there, or have the limit raised, and run the same command again; nothing half-done counts"
    if code in _CLOSED:
        return "the folder is to be yours to write, on a disk that is not read-only"
    return "check the path or URI, its permissions and credentials"
