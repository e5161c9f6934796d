"""How every DuckDB connection is set: nothing outside in reach, one time zone everywhere."""

from typing import Any, Final

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
