"""Everything that is no result, to standard error: notices, faults and errors, with their exit status."""

import contextlib
import functools
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Final, ParamSpec, TypeVar

import pyarrow as pa
import typer

from misread.refused import is_full
from misread.schemas.errors import Fault, InputFaultsError, MisreadError
from misread.sql.interrupts import was_interrupted

from .cells import harmless
from .tables import DRAWN_ROWS, write_table

DEBUG: Final = "MISREAD_DEBUG"
BAD_INPUT: Final = 1
INTERRUPTED: Final = 130
_SHOWN: Final = 10

P = ParamSpec("P")
R = TypeVar("R")


def note(text: str) -> None:
    """One notice, on a line of its own or several."""
    sys.stderr.write(f"{harmless(text)}\n")


def tell(notices: Iterable[str]) -> None:
    """Notices, one a line."""
    for notice in notices:
        note(notice)


def show_faults(faults: Sequence[Fault]) -> None:
    """Faults as a table: all, but at a terminal the first of each column where it would scroll past reading."""
    shown = _first_of_columns(faults) if sys.stderr.isatty() and len(faults) > DRAWN_ROWS else faults
    _show(shown)
    if len(shown) < len(faults):
        note(f"… and {len(faults) - len(shown):,} more like these; all are told to a file: 2> faults.txt")


def _first_of_columns(faults: Iterable[Fault]) -> list[Fault]:
    """The first few faults of every column of every file, in their order."""
    seen: Counter[tuple[str, str | None]] = Counter()
    shown = []
    for fault in faults:
        seen[fault.file, fault.column] += 1
        if seen[fault.file, fault.column] <= _SHOWN:
            shown.append(fault)
    return shown


def _show(faults: Iterable[Fault]) -> None:
    schema = pa.schema({"file": pa.string(), "row": pa.int64(), "column": pa.string(), "reason": pa.string()})
    write_table(pa.Table.from_pylist([asdict(fault) for fault in faults], schema), sys.stderr)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """The command, its errors told in words and turned into exit statuses."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except (typer.Exit, typer.BadParameter):
            raise
        except BaseException as error:  # noqa: BLE001 - each is told, none is swallowed
            raise typer.Exit(told(error)) from None

    return run


def told(error: BaseException) -> int:
    """Tells an error on standard error; returns the exit status."""
    if isinstance(error, KeyboardInterrupt) or was_interrupted():  # DuckDB may turn one into an error of its own
        note("Interrupted. Nothing half-done is visible in the store.")
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _hush()
        return 0
    if not isinstance(error, Exception):
        raise error
    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    elif isinstance(error, MisreadError):
        _tell(error)
    elif isinstance(error, OSError) and is_full(error):
        note(f"Error: what is written does not fit: {error.strerror or error}")
        note("make room where it goes, and run the same command again; nothing half-done is visible in a store")
    else:
        first = str(error).strip().partition("\n")[0]
        note(f"Error: {type(error).__name__}: {first}")
        note(f"This is a fault of misread itself; {DEBUG}=1 shows where it happened.")
    return BAD_INPUT


def _tell(error: MisreadError) -> None:
    if isinstance(error, InputFaultsError):
        show_faults(error.faults)
        count = len(error.faults)
        note(f"Error: {count} fault{'s' if count != 1 else ''} in the input.")
    else:
        note(f"Error: {error.message}")
    if error.hint:
        note(error.hint)


@contextlib.contextmanager
def for_who_may_leave() -> Iterator[None]:
    """Within it a reader who has gone is no error, and ends nothing that comes after it."""
    try:
        yield
    except BrokenPipeError:
        _hush()


def _hush() -> None:
    """Whoever reads has gone: what is still buffered goes nowhere, quietly."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
