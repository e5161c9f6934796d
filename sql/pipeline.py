"""Rows through DuckDB, a batch at a time: what runs the row steps of a plan."""

import os
import weakref
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as pads

from misread.schemas.errors import QueryError, first_line

from .exhausted import ran_out_of_memory, ran_out_of_room, too_little_room
from .interrupts import Watch, interruptible
from .limits import Limits
from .locked import end, lock
from .streams import unread
from .temporary import TemporaryFolder

BATCH_ROWS: Final = 8192
LEAST_MEMORY: Final = 128 << 20
"""Fewest bytes in which rows can be sorted and joined."""
_BESIDE: Final = 80 << 20
"""What DuckDB's own limit does not count: batches on their way, Lance's reading (measured: 45 to 65 MB)."""
_A_THREAD: Final = 64 << 20
"""What a thread of DuckDB pins while it spills; with less it gives up (measured)."""
_MEMORY_HINT: Final = "choose fewer rows or columns, or allow more: memory= of collect, stream and sink_parquet"


class Pipeline:
    """One statement over named sources. Close it, or use it in a `with`; what it has put on disk goes then.

    `sources`: datasets or tables by the names that the statement reads. `memory`: what it may hold in all, in bytes
    (at least LEAST_MEMORY); sorting and joining spill beyond it.
    """

    def __init__(self, sources: Mapping[str, pads.Dataset | pa.Table], memory: int) -> None:
        import duckdb

        self._limits = Limits(seconds=None, memory=f"{max(memory // 1000, 1)}KB")
        self._spill = TemporaryFolder("rows")
        self._connection: Any = duckdb.connect(":memory:")
        self.close = weakref.finalize(self, end, self._connection, list(sources), self._spill)
        for name, source in sources.items():
            self._connection.register(name, source)
        own = memory - _BESIDE
        threads = max(min(own // _A_THREAD, os.cpu_count() or 1), 1)
        lock(self._connection, temp_directory=self._spill.path, memory_limit=f"{own}B", threads=str(threads))

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def batches(self, statement: str, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """The answer in order, at most `batch_rows` rows a batch. Raises QueryError where it needs too much memory."""
        reader = self._stopping(lambda: self._connection.sql(statement).to_arrow_reader(batch_rows))
        with reader:
            while (batch := self._stopping(lambda: next(reader, None))) is not None:
                yield batch

    def _stopping(self, work: Any) -> Any:
        """The result of `work`, which an interruption stops."""
        import duckdb

        try:
            return interruptible(self._connection, work, Watch(self._limits), self._limits)
        except (duckdb.Error, OSError) as error:  # OSError: an error of DuckDB's on its way through Arrow
            if ran_out_of_room(error):
                raise too_little_room("the plan", _MEMORY_HINT) from None
            if ran_out_of_memory(error):
                raise QueryError("the rows need more memory than they may use", _MEMORY_HINT) from None
            if lost := unread(error):
                raise lost from error
            raise QueryError(f"the rows cannot be worked out: {first_line(error)}") from error
