"""The command `misread`."""

import contextlib
import os
import sys
from typing import Annotated

import typer

from misread.sql.interrupts import remember_interruptions
from misread.sql.left import is_left

from .asking import info, slices
from .assigning import assign
from .caching import cache
from .caring import delete, verify
from .demonstrating import demo
from .discovering import discover
from .embedding import embed, encoders
from .judging import verdict
from .messages import INTERRUPTED, guarded, told
from .querying import sql
from .reporting import report
from .streams import give_streams
from .subgrouping import subgroups
from .working import ingest

OWNER_ONLY = 0o077

app = typer.Typer(
    name="misread",
    help="Find the slices of data that a medical image classifier misreads.",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
VERBS = (
    demo, ingest, encoders, embed, discover, slices, assign, sql, subgroups, report, verdict, info, cache, verify,
    delete,
)  # fmt: skip
for command in VERBS:
    app.command()(command)


@app.callback()
@guarded
def misread(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.", is_eager=True)] = False,
) -> None:
    """Find the slices of data that a medical image classifier misreads."""
    if version:
        from importlib.metadata import version as version_of

        typer.echo(f"misread {version_of('misread')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run() -> None:
    """The entry point: everything written is for its owner alone, and no error shows a bare traceback."""
    os.umask(OWNER_ONLY)
    give_streams()
    status: str | int | None = 0
    try:
        remember_interruptions()
        app()
    except SystemExit as end:
        status = end.code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can tell it
        status = told(error)
    if status == INTERRUPTED or is_left():
        _end_at_once(status)
    raise SystemExit(status)


def _end_at_once(status: str | int | None) -> None:
    """Without Python's own end: a thread of Lance's that was writing and calls back meanwhile would abort it, and
    DuckDB's end waits for what DuckDB did not stop. A text is told, and is status 1, as Python has it."""
    if isinstance(status, str):
        sys.stderr.write(f"{status}\n")
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):  # whoever reads may have gone
            stream.flush()
    os._exit(1 if isinstance(status, str) else status or 0)
