"""Work that DuckDB did not stop: it goes on beside, until it ends by itself or with the process."""

import atexit
import faulthandler
import os
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

from misread.schemas.errors import QueryError

PATIENCE_SECONDS: Final = 10.0
"""How long DuckDB is told to stop before its work is left behind, and how long it may hold up the end of Python."""
_left: list[Future[Any]] = []


def leave(work: Future[Any]) -> None:
    """Leaves work to itself."""
    _left.append(work)
    atexit.register(_end_in_time)  # before DuckDB's own end, which was registered earlier


def is_left() -> bool:
    """Whether work that was left still goes on."""
    return not all(work.done() for work in _left)


def unstopped(stopped: QueryError) -> QueryError:
    """The error of a question that was to be stopped, where it could not be."""
    return QueryError(
        f"{stopped.message}, and DuckDB had not stopped it {PATIENCE_SECONDS:g} s later",
        f"it may take up a core until this process ends; {stopped.hint}",
    )


def _end_in_time() -> None:
    """DuckDB's end waits for the work, holding Python: faulthandler's watchdog, which needs none, then ends all.

    It ends with status 1, whatever the script would have ended with, which nobody knows yet where this is called.
    """
    if is_left():
        faulthandler.dump_traceback_later(PATIENCE_SECONDS, exit=True, file=Path(os.devnull).open("w"))  # noqa: SIM115
