"""Functions of SQL that Python works out, handed in by whoever opens a session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

import pyarrow as pa

from misread.schemas.errors import MisreadError

from .catalogue import BACKED
from .interrupts import Watch

Work = Callable[..., pa.Array]


@dataclass(frozen=True)
class BackedFunction:
    """`work(check, *columns)` gives one value a row. `columns` are Arrow arrays of up to 2,048 rows, NULLs among them.

    `check()` raises once the question is to stop: long work calls it now and then. `takes` and `gives` are DuckDB's
    names of types. What `work` raises as a MisreadError reaches whoever asked.
    """

    name: str
    takes: Sequence[str]
    gives: str
    work: Work


class Backing:
    """The backed functions of one session: which question they work for, and what they raised."""

    def __init__(self) -> None:
        self.watch: Watch | None = None
        self.raised: MisreadError | None = None

    def begin(self, watch: Watch) -> None:
        self.watch, self.raised = watch, None

    def define(self, connection: Any, function: BackedFunction) -> None:
        """Makes the function known to DuckDB. Called before the connection is locked."""
        import duckdb
        from duckdb.func import FunctionNullHandling, PythonUDFType

        call = self._guarded(function.work)
        # DuckDB counts the parameters of what it is given
        names = [Parameter(f"column_{place}", Parameter.POSITIONAL_ONLY) for place in range(len(function.takes))]
        call.__signature__ = Signature(names)  # type: ignore[attr-defined]
        connection.create_function(
            BACKED + function.name,
            call,
            [duckdb.type(kind) for kind in function.takes],
            duckdb.type(function.gives),
            type=PythonUDFType.ARROW,
            null_handling=FunctionNullHandling.SPECIAL,
        )

    def _guarded(self, work: Work) -> Callable[..., pa.ChunkedArray]:
        def run(*columns: pa.ChunkedArray) -> pa.ChunkedArray:
            try:
                whole = [column.combine_chunks() for column in columns]
                return pa.chunked_array([work(self._check, *whole)])
            except MisreadError as error:
                self.raised = error
                raise

        return run

    def _check(self) -> None:
        if self.watch:
            self.watch.check()
