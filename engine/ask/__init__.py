"""What SQL asks of Python: each function here backs one of the `.sql` functions."""

from misread.sql import BackedFunction
from misread.store import TableStore

from .subgroups import subgroups_function


def backed_functions(store: TableStore) -> list[BackedFunction]:
    """Every function that a session over the store can call; nothing is read before it is called."""
    return [subgroups_function(store)]


__all__ = ["backed_functions"]
