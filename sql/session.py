"""DuckDB over the tables of one store state: read-only, and locked against everything else."""

import shutil
import weakref
from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Any, Final

import pyarrow as pa
import pyarrow.dataset as pads

from misread.schemas.errors import QueryError
from misread.schemas.tables import CONTRACTS, TableContract
from misread.schemas.values import SIGNIFICANCE

from .backed import Backing, Work
from .catalogue import NARROW, STORED
from .definitions import Definitions
from .gate import admit, asks_for_tables
from .interrupts import Watch, interruptible, too_much_memory
from .limits import SMALLEST_CELL, Limits
from .locked import end, lock
from .predicate import check_predicate, no_truth
from .refusals import PREPARING, refusal
from .temporary import TemporaryFolder
from .tree import Tree

ANSWER_ROWS: Final = 100_000
"""Rows of an answer fetched at once: between two of them its size is looked at."""
SPILL_MEMORIES: Final = 10
"""How many times its memory a question may put on disk."""
EMPTY: Final = "_empty"


class Session:
    """A place to ask questions of the tables of one store state. Close it, or use it in a `with`.

    `tables` maps names of stored tables to datasets of their columns; tables that are absent stand as empty
    ones, and columns that a table lacks as NULL, so that every view is always there. `backed` has the work of the
    functions that Python does (`BACKED_FUNCTIONS`); those left out raise QueryError when they are called. `limits`
    hold for every question by itself.
    """

    def __init__(
        self,
        tables: Mapping[str, pads.Dataset],
        *,
        backed: Mapping[str, Work] = MappingProxyType({}),
        limits: Limits | None = None,
    ) -> None:
        import duckdb

        self.limits = limits or Limits()
        self._backing = Backing(backed)
        self._spill = TemporaryFolder("sql")
        try:
            self._connection: Any = duckdb.connect(":memory:")
            names = [STORED + name + part for name in CONTRACTS for part in ("", NARROW, EMPTY)]
            # an Arrow object still registered when Python ends makes DuckDB's bindings report a leak
            self.close = weakref.finalize(self, end, self._connection, names, self._spill)
            self._register(tables)
            self._backing.define(self._connection)
            self._connection.execute("SET VARIABLE smallest_cell = ?", [self.limits.smallest_cell])
            self._connection.execute("SET VARIABLE few_patients = ?", [SMALLEST_CELL])
            self._connection.execute("SET VARIABLE significance = ?", [SIGNIFICANCE])
            self._columns = Definitions(self._connection)
            lock(
                self._connection,
                temp_directory=self._spill.path,
                max_temp_directory_size=f"{self._spill_bytes()}B",
                memory_limit=self.limits.memory,
            )
        except BaseException:
            if hasattr(self, "close"):
                self.close()
            self._spill.remove()
            raise

    def __enter__(self) -> "Session":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns of every view."""
        return {name: list(columns) for name, columns in self._columns.items()}

    @property
    def connection(self) -> Any:
        """The plain DuckDB connection, with every view and function, and locked.

        What is asked of it directly passes no gate and has no time limit; it ends with the session.
        """
        self._columns.make_all()
        return self._connection

    def prepare(self, text: str) -> None:
        """Raises what `query` would raise of a question's shape and names, without asking it."""
        import duckdb

        tree = admit(self._connection, text, self._columns)
        try:
            self._columns.make(tree.names())
            self._connection.execute(PREPARING + text)
            self._connection.execute("DEALLOCATE asked")
        except duckdb.ParserException:  # SHOW, DESCRIBE and EXPLAIN are SQL, but cannot be prepared
            return
        except duckdb.Error as error:
            raise refusal(error, tree, self._columns, self._connection) from None

    def query(self, text: str, parameters: Mapping[str, object] | Sequence[object] | None = None) -> pa.Table:
        """The answer to one question, its columns named apart; intervals of time come as text.

        `parameters` fill $names, or ? in order. Raises QueryError for what is refused or does not run, and
        UnknownNameError for tables, columns and functions that do not exist.
        """
        import duckdb

        if not self.close.alive:
            raise QueryError("this session has been closed", "open another one")
        tree = admit(self._connection, text, self._columns)
        asked = f"SELECT unnest({sorted(self._columns)}) AS name" if asks_for_tables(tree) else text
        watch = Watch(self.limits)
        self._backing.begin(watch)
        try:
            answer = interruptible(self._connection, lambda: self._answer(asked, parameters, tree), watch, self.limits)
        except (duckdb.Error, pa.ArrowException, OSError, ValueError) as error:
            told = self._backing.raised or refusal(error, tree, self._columns, self._connection)
            raise told from None
        return answer.rename_columns(_apart(answer.column_names))

    def _answer(self, text: str, parameters: Mapping[str, object] | Sequence[object] | None, tree: Tree) -> pa.Table:
        self._columns.make(tree.names())
        asked = self._connection.sql(text, params=parameters or None)
        names, kinds = asked.columns, [str(kind) for kind in asked.types]
        if "INTERVAL" in kinds:  # neither polars, pandas nor Parquet has a type for it
            asked = asked.project(
                ", ".join(f"#{place}" + "::VARCHAR" * (kind == "INTERVAL") for place, kind in enumerate(kinds, 1))
            )
        reader = asked.to_arrow_reader(ANSWER_ROWS)
        batches, size = [], 0
        with reader:  # left open, it would keep the connection from the next question
            for batch in reader:
                batches.append(batch)
                size += batch.nbytes
                if size > self.limits.bytes:
                    raise too_much_memory()
            return pa.Table.from_batches(batches, reader.schema).rename_columns(names)

    def check_predicate(self, text: str, view: str) -> None:
        """Raises unless `text` is one steady true-or-false expression over the columns of `view`."""
        check_predicate(self._connection, text, view, self._columns)
        asked = f"FROM {view} SELECT (\n{text}\n) AS chosen"
        kind = self.query(f"DESCRIBE {asked}")["column_type"][0].as_py()
        if kind != "BOOLEAN":
            raise no_truth(text, kind)
        self.query(f"EXPLAIN FROM {view} SELECT 1 WHERE (\n{text}\n)")

    def _register(self, tables: Mapping[str, pads.Dataset]) -> None:
        for name, contract in CONTRACTS.items():
            shown = _empty(contract)
            table = tables.get(name, shown)
            missing = set(shown.column_names) - set(table.schema.names)
            hidden = [column for column in contract.hidden if column in table.schema.names]
            self._connection.register(STORED + name + (NARROW if missing or hidden else ""), table)
            if missing or hidden:
                self._connection.register(STORED + name + EMPTY, shown)
                kept = f"SELECT * EXCLUDE ({', '.join(hidden)})" if hidden else "SELECT *"
                # written before the contract had them: NULL
                both = f"{kept} FROM {STORED}{name}{NARROW} UNION ALL BY NAME FROM {STORED}{name}{EMPTY}"
                self._connection.execute(f"CREATE TEMP VIEW {STORED}{name} AS {both}")

    def _spill_bytes(self) -> int:
        """Sorting may spill, but no question fills the disk."""
        return min(SPILL_MEMORIES * self.limits.bytes, shutil.disk_usage(self._spill.path).free // 2)


def _empty(contract: TableContract) -> pa.Table:
    return pa.schema([field for field in contract.fields if field.name not in contract.hidden]).empty_table()


def _apart(names: Sequence[str]) -> list[str]:
    """The names, those given twice told apart by a number."""
    taken: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(1, len(names) + 1))
        taken.append(name if name not in taken else next(n for n in numbered if n not in taken and n not in names))
    return taken
