"""How every DuckDB connection is set, nothing outside in reach and one time zone everywhere, and how it ends."""

import contextlib
from collections.abc import Iterable
from typing import Any, Final

from .temporary import TemporaryFolder

_SETTINGS: Final = {
    "TimeZone": "UTC",  # else dates and hours of a moment are those of the machine that is asked
    "enable_progress_bar": False,  # it would write into standard output
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "enable_external_access": False,
    "lock_configuration": True,
}


def lock(connection: Any, **settings: str) -> None:
    """Sets a connection (`settings`: its own, by DuckDB's names), and locks it against everything else."""
    for name, value in (settings | _SETTINGS).items():
        connection.execute(f"SET {name} = '{value}'")


def end(connection: Any, names: Iterable[str], spill: TemporaryFolder) -> None:
    """Closes a connection: it lets go of the sources with those names, and the folder it spilled into goes.

    One that is at work is left to it: DuckDB refuses to close that.
    """
    import duckdb

    for name in names:
        with contextlib.suppress(duckdb.Error):
            connection.unregister(name)
    with contextlib.suppress(duckdb.Error):
        connection.close()
    spill.remove()
