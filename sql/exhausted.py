"""Memory or room on disk that did not suffice: told from DuckDB's other errors, and put in words."""

import tempfile
from typing import Final

from misread.schemas.errors import QueryError

MEMORY_HINT: Final = "ask for fewer rows or columns at once, or allow more: --memory-limit, or memory_limit= in Python"


def too_much_memory() -> QueryError:
    return QueryError("the question needs more memory than it may use", MEMORY_HINT)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB's memory limit was reached; on their way through Arrow its errors are OSErrors."""
    return type(error).__name__ == "OutOfMemoryException" or str(error).startswith("Out of Memory Error")


def ran_out_of_room(error: BaseException) -> bool:
    """Whether what DuckDB put aside on disk found no more room there; it writes nothing else."""
    return any(text in str(error) for text in ("Could not write file", "max_temp_directory_size"))


def too_little_room(what: str, otherwise: str) -> QueryError:
    """`what` is worked out; `otherwise`: what helps beside more room."""
    return QueryError(
        f"{what} needs more room on disk than it may take in {tempfile.gettempdir()}",
        f"free disk space there, or name another folder in TMPDIR; else {otherwise}",
    )
