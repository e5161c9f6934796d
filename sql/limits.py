"""What one question may use: time, memory, and what it may show of few patients."""

import re
from dataclasses import dataclass
from typing import Final

from misread.schemas.arguments import checked_methods
from misread.schemas.errors import QueryError

SECONDS: Final = 60.0
MEMORY: Final = "4GB"
SMALLEST_CELL: Final = 11
"""Numbers of patients below this are suppressed: the cell size policy of the US Medicare and Medicaid services."""
ALLOWANCE: Final = 1 << 30
"""What the process may take beyond twice DuckDB's memory: threads, batches in flight, Python's own objects."""

_LEAST: Final = 10**6
_UNITS: Final = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
_MEMORY: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMG]i?B)\s*", re.IGNORECASE)


@checked_methods
@dataclass(frozen=True)
class Limits:
    """`seconds` (None: no limit) and `memory` (such as '4GB') of a question; `allow_small_cells`: functions show
    numbers of fewer than 11 patients. Raises QueryError for what is no limit."""

    seconds: float | None = SECONDS
    memory: str = MEMORY
    allow_small_cells: bool = False

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise QueryError(f"a time limit of {self.seconds:g} seconds is none", "give more than 0 seconds")
        if not self.bytes:
            raise QueryError(f"{self.memory!r} is no amount of memory", "write it as in 500MB or 4GB")
        if self.bytes < _LEAST:
            raise QueryError(f"no question can be read in {self.memory}", "allow 1MB or more")

    @property
    def bytes(self) -> int:
        """The memory limit in bytes; 0 where it cannot be read."""
        found = _MEMORY.fullmatch(self.memory)
        return int(float(found[1]) * _UNITS[found[2].upper()]) if found else 0

    @property
    def process_bytes(self) -> int:
        """How far the process may grow while a question runs."""
        return 2 * self.bytes + ALLOWANCE

    @property
    def smallest_cell(self) -> int:
        return 0 if self.allow_small_cells else SMALLEST_CELL
