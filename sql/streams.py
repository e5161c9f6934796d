"""Tables that DuckDB could not read to their end, told as errors of the store."""

import re
from typing import Final

from misread.schemas.errors import StoreError, unreadable

from .catalogue import NARROW, STORED

_UNREAD: Final = (
    re.compile(r"table '(?P<name>\w+)' cannot be read: (?P<reason>.+)"),  # the store's own, on its way through DuckDB
    re.compile(rf"reading the stream registered as '(?:{STORED})?(?P<name>\w+?)(?:{NARROW})?' failed: (?P<reason>.+)"),
)


def unread(error: Exception) -> StoreError | None:
    """The error for a table whose rows did not come; None for any other error of DuckDB's."""
    found = next((found for pattern in _UNREAD if (found := pattern.search(str(error)))), None)
    return unreadable(f"table {found['name']!r}", found["reason"]) if found else None
