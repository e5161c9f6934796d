"""The rows of a Lance table as a plan scans them, for engines that read pyarrow datasets."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads

from .lance_table import LanceTable


class ScannedRows(pads.Dataset):  # type: ignore[misc]
    """A pyarrow dataset of some columns and rows of a table; what an engine asks besides is done on the way.

    `where`: predicates in Lance's SQL, all true of every row; `locator`: the name of a further column that
    `LanceTable.fetch` finds rows by, '' for none.
    """

    def __init__(self, table: LanceTable, columns: Sequence[str], where: Sequence[str], locator: str) -> None:
        self._table = table
        self._columns = list(columns)
        self._where = " AND ".join(where) or None
        self._locator = locator

    @property
    def schema(self) -> pa.Schema:
        return self._schema([*self._columns, *([self._locator] if self._locator else [])])

    def scanner(self, columns: Sequence[str] | None = None, filter: Any = None, **_: Any) -> pads.Scanner:  # noqa: A002 - pyarrow's name
        names = self.schema.names if columns is None else list(columns)
        read = names if filter is None else self.schema.names  # an expression does not tell what it looks at
        schema = self._schema(read)
        return pads.Scanner.from_batches(self._batches(read), schema=schema, columns=names, filter=filter)

    def count_rows(self, filter: Any = None, **_: Any) -> int:  # noqa: A002 - pyarrow's name
        if filter is None:
            return self._table.count(self._where)
        return int(self.scanner(filter=filter).count_rows())

    def _schema(self, names: Sequence[str]) -> pa.Schema:
        locator, readable = pa.field(self._locator, pa.uint64()), self._table.readable
        return pa.schema([locator if name == self._locator else readable.field(name) for name in names])

    def _batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        schema = self._schema(names)
        if not names:  # an engine that counts rows
            yield pa.RecordBatch.from_struct_array(pa.array([{}] * self.count_rows(), pa.struct([])))
            return
        stored = [name for name in names if name != self._locator]
        for batch, found in self._table.located(stored, self._where, with_locator=self._locator in names):
            columns = [found if name == self._locator else batch.column(name) for name in names]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
