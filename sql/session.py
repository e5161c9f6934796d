"""DuckDB over the tables of one store state: read-only, and locked against everything else."""

import shutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeVar

import pyarrow as pa
import pyarrow.dataset as pads

from misread.schemas.arguments import checked_methods
from misread.schemas.errors import QueryError
from misread.schemas.tables import CONTRACTS, TableContract
from misread.schemas.values import SIGNIFICANCE

from .backed import Backing, Work
from .catalogue import NARROW, STORED
from .definitions import Definitions
from .exhausted import too_much_memory
from .gate import admit, asks_for_tables
from .interrupts import TIME_SETTING, Watch, interruptible, own_deadline
from .limits import SMALLEST_CELL, Limits
from .locked import end, lock
from .predicate import check_predicate, no_truth
from .refusals import PREPARING, refusal
from .temporary import TemporaryFolder
from .tree import Tree

T = TypeVar("T")

ANSWER_ROWS: Final = 100_000
"""Rows of an answer fetched at once: between two of them its size is looked at."""
SPILL_MEMORIES: Final = 10
"""How many times its memory a question may put on disk."""
EMPTY: Final = "_empty"


@checked_methods
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
        self.limits = limits or Limits()
        self._tables, self._backed = tables, backed
        self._open()

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *raised: object) -> None:
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
        """Raises what `query` would raise of a question's shape and names, without asking it.

        The limits hold for this too: DuckDB works out what is the same for every row.
        """
        tree = admit(self._connection, text, self._columns)
        self._watched(lambda watch: self._prepare(text, tree, watch), tree)

    def query(self, text: str, parameters: Mapping[str, object] | Sequence[object] | None = None) -> pa.Table:
        """The answer to one question, its columns named apart; intervals of time come as text.

        `parameters` fill $names, or ? in order. Raises QueryError for what is refused or does not run, and
        UnknownNameError for tables, columns and functions that do not exist. What DuckDB does not stop at a limit, or
        when interrupted, is left behind after 10 s more, with the connection: the next question is asked of another.
        """
        if not self.close.alive:
            raise QueryError("this session has been closed", "open another one")
        tree = admit(self._connection, text, self._columns)
        asked = f"SELECT unnest({sorted(self._columns)}) AS name" if asks_for_tables(tree) else text
        answer = self._watched(lambda watch: self._answer(asked, parameters, tree, watch), tree)
        return answer.rename_columns(_apart(answer.column_names))

    def _watched(self, work: Callable[[Watch], T], tree: Tree) -> T:
        """The result of `work` for the question of that parse, within the limits."""
        import duckdb

        watch = Watch(self.limits)
        self._backing.begin(watch)
        try:
            return interruptible(self._connection, lambda: work(watch), watch, self.limits)
        except (duckdb.Error, pa.ArrowException, OSError, ValueError) as error:
            told = self._backing.raised or refusal(error, tree, self._columns, self._connection)
            raise told from None
        finally:
            if watch.left:
                self._leave(watch.left)

    def _open(self) -> None:
        import duckdb

        self._backing = Backing(self._backed)
        self._spill = TemporaryFolder("sql")
        try:
            self._connection: Any = duckdb.connect(":memory:")
        except BaseException:
            self._spill.remove()
            raise
        names = [STORED + name + part for name in CONTRACTS for part in ("", NARROW, EMPTY)]
        # an Arrow object still registered when Python ends makes DuckDB's bindings report a leak
        self._ending = partial(end, self._connection, names, self._spill)
        self.close = weakref.finalize(self, self._ending)
        try:
            self._register(self._tables)
            self._backing.define(self._connection)
            self._connection.execute("SET VARIABLE smallest_cell = ?", [self.limits.smallest_cell])
            self._connection.execute("SET VARIABLE few_patients = ?", [SMALLEST_CELL])
            self._connection.execute("SET VARIABLE significance = ?", [SIGNIFICANCE])
            self._columns = Definitions(self._connection)
            lock(
                self._connection,
                allowed_configs=f"[{TIME_SETTING}]",
                temp_directory=self._spill.path,
                max_temp_directory_size=f"{self._spill_bytes()}B",
                memory_limit=self.limits.memory,
            )
        except BaseException:
            self.close()
            raise

    def _leave(self, work: Future[Any]) -> None:
        """Another connection from now on; the one at work is closed, and what it spilled goes, when that is over."""
        ending = self._ending
        self.close.detach()  # DuckDB at work would make the folder again, where nobody finds it
        work.add_done_callback(lambda _: ending())
        self._open()

    def _prepare(self, text: str, tree: Tree, watch: Watch) -> None:
        import duckdb

        connection = self._connection
        self._columns.make(tree.names())
        watch.check()
        with own_deadline(connection, watch):
            try:
                connection.execute(PREPARING + text)
            except duckdb.ParserException:  # SHOW, DESCRIBE and EXPLAIN are SQL, but cannot be prepared
                return
            connection.execute("DEALLOCATE asked")

    def _answer(
        self, text: str, parameters: Mapping[str, object] | Sequence[object] | None, tree: Tree, watch: Watch
    ) -> pa.Table:
        connection = self._connection  # once left behind, this goes on with the old one
        self._columns.make(tree.names())
        watch.check()
        with own_deadline(connection, watch):
            given = (
                dict(parameters) if isinstance(parameters, Mapping) else list(() if parameters is None else parameters)
            )
            asked = connection.sql(text, params=given or None)
            names, kinds = asked.columns, [str(kind) for kind in asked.types]
            if "INTERVAL" in kinds:  # neither polars, pandas nor Parquet has a type for it
                asked = asked.project(
                    ", ".join(f"#{place}" + "::VARCHAR" * (kind == "INTERVAL") for place, kind in enumerate(kinds, 1))
                )
            with asked.to_arrow_reader(ANSWER_ROWS) as reader:  # left open, it would keep the connection from the next
                return _read(reader, self.limits.bytes).rename_columns(names)

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


def _read(reader: pa.RecordBatchReader, most: int) -> pa.Table:
    """All batches; raises QueryError beyond `most` bytes."""
    batches, size = [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > most:
            raise too_much_memory()
    return pa.Table.from_batches(batches, reader.schema)


def _empty(contract: TableContract) -> pa.Table:
    return pa.schema([field for field in contract.fields if field.name not in contract.hidden]).empty_table()


def _apart(names: Sequence[str]) -> list[str]:
    """The names, those given twice told apart by a number."""
    taken: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(1, len(names) + 1))
        taken.append(name if name not in taken else next(n for n in numbered if n not in taken and n not in names))
    return taken
