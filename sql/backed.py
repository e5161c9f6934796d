"""Functions of SQL that Python works out: their types here, their work handed in by whoever opens a session."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, Signature
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from misread.schemas.errors import MisreadError, QueryError

from .catalogue import BACKED
from .exhausted import too_much_memory
from .interrupts import Watch

Work = Callable[..., pa.Array]
"""`work(check, *columns)` gives one value a row, of the type that `BACKED_FUNCTIONS` says.

`columns` are Arrow arrays of up to 2,048 rows, NULLs among them. `check()` raises once the question is to stop: long
work calls it now and then. What is raised as a MisreadError reaches whoever asked.
"""


@dataclass(frozen=True)
class BackedType:
    """What a function takes and gives, in DuckDB's names of types."""

    takes: Sequence[str]
    gives: str


BACKED_FUNCTIONS: Final[Mapping[str, BackedType]] = MappingProxyType(
    {
        "subgroups": BackedType(
            (
                "VARCHAR[][]",
                "VARCHAR[]",
                "VARCHAR[]",
                "STRUCT(model VARCHAR, target VARCHAR, samples VARCHAR[], errors BOOLEAN[], labels TINYINT[], "
                "halves VARCHAR[])[]",
                "STRUCT(model VARCHAR, target VARCHAR, true_class BIGINT, min_size BIGINT, most_terms BIGINT, "
                "top BIGINT, smallest_cell BIGINT, audit VARCHAR)",
            ),
            "STRUCT(model VARCHAR, target VARCHAR, rank BIGINT, error_kind VARCHAR, terms VARCHAR[], rows BIGINT, "
            "patients BIGINT, errors BIGINT, error_rate DOUBLE, error_rate_low DOUBLE, error_rate_high DOUBLE, "
            "baseline_rate DOUBLE, lift DOUBLE, p_value DOUBLE, q_value DOUBLE, confirmed BOOLEAN, "
            "scan_statistic DOUBLE)[]",
        ),
        "rate_interval": BackedType(("BIGINT[]", "BIGINT[]", "DOUBLE"), "STRUCT(low DOUBLE, high DOUBLE)"),
        "more_often": BackedType(("BIGINT[]", "BIGINT[]", "BIGINT[]", "BIGINT[]", "BIGINT[]"), "DOUBLE"),
        "vector_of": BackedType(("VARCHAR", "VARCHAR"), "FLOAT[]"),
        "nearest_samples": BackedType(
            ("VARCHAR", "BIGINT", "VARCHAR"), "STRUCT(rank BIGINT, sample_id VARCHAR, similarity DOUBLE)[]"
        ),
        "likely_copies": BackedType(
            ("VARCHAR", "DOUBLE"),
            "STRUCT(sample_id VARCHAR, other_sample_id VARCHAR, similarity DOUBLE, distance_ratio DOUBLE)[]",
        ),
        "nearest_phrase": BackedType(("FLOAT[]",), "VARCHAR"),
    }
)


class Backing:
    """The backed functions of one session: which question they work for, and what they raised."""

    def __init__(self, works: Mapping[str, Work]) -> None:
        self._works = works
        self._watch: Watch | None = None
        self.raised: MisreadError | None = None

    def begin(self, watch: Watch) -> None:
        self._watch, self.raised = watch, None

    def define(self, connection: Any) -> None:
        """Makes the functions known to DuckDB. Called before the connection is locked."""
        import duckdb
        from duckdb.func import FunctionNullHandling, PythonUDFType

        for name, kind in BACKED_FUNCTIONS.items():
            call = self._guarded(self._works.get(name) or _without(name))
            # DuckDB counts the parameters of what it is given
            names = [Parameter(f"column_{place}", Parameter.POSITIONAL_ONLY) for place in range(len(kind.takes))]
            call.__signature__ = Signature(names)  # type: ignore[attr-defined]
            connection.create_function(
                BACKED + name,
                call,
                [duckdb.type(taken) for taken in kind.takes],
                duckdb.type(kind.gives),
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
            except MemoryError:
                self.raised = too_much_memory()
                raise

        return run

    def _check(self) -> None:
        if self._watch:
            self._watch.check()


def _without(name: str) -> Work:
    def refuse(*_: object) -> pa.Array:
        told = f"{name} needs a store's own vectors and names, and this session is over tables alone"
        raise QueryError(told, "ask a store: misread.open(STORE).sql(…)")

    return refuse
