"""One Lance table at one version. Beside it `columns`, `lance_writer`, `nearest`, `newest` and `unnamed` know Lance."""

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads

from misread.schemas.errors import unreadable
from misread.schemas.tables import CHECKSUM, PICTURE, VECTOR, TableContract

from .checksums import fingerprint
from .columns import as_text, plain_schema, text_schema
from .manifest import TableEntry

os.environ.setdefault("LANCE_LOG", "error")

BATCH_ROWS = 8192
PICTURE_ROWS = 256


def opened(uri: str, contract: TableContract, version: int) -> Any:
    """The Lance dataset of a table at a version. Raises StoreError if it cannot be read."""
    import lance

    with _reading(contract):
        return lance.dataset(uri, version=version)


@contextmanager
def _reading(contract: TableContract) -> Iterator[None]:
    """What Lance cannot read is told as a StoreError: a deletion takes the files of older states under way."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise unreadable(f"table {contract.name!r}", str(error)) from error


def quoted(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def in_list(column: str, values: Iterable[str]) -> str:
    """The predicate `column IN (...)` over text values."""
    return f"`{column}` IN ({', '.join(quoted(value) for value in values)})"


class LanceTable:
    """A table of the store at the version its manifest names. Reads only; `Commit` writes."""

    def __init__(self, uri: str, contract: TableContract, version: int) -> None:
        self.contract = contract
        self.version = version
        self._uri = uri
        self._dataset = opened(uri, contract, version)

    def __reduce__(self) -> tuple[type["LanceTable"], tuple[str, TableContract, int]]:
        """Other processes open the table for themselves."""
        return LanceTable, (self._uri, self.contract, self.version)

    @property
    def schema(self) -> pa.Schema:
        """The columns as Lance has them, but for repeated text, which is text."""
        return text_schema(self._dataset.schema)

    @property
    def shown(self) -> list[str]:
        """The columns that SQL and frames may see."""
        return [name for name in self.schema.names if name not in self.contract.hidden]

    def count(self, predicate: str | None = None) -> int:
        with _reading(self.contract):
            return int(self._dataset.count_rows(filter=predicate))

    def stored_bytes(self, columns: Iterable[str]) -> int:
        """Bytes that whole columns take on disk, by what Lance's files say of themselves; 0 for those not there."""
        wanted, ids = set(columns), set()
        waiting = [field for field in self._dataset.lance_schema.fields() if field.name() in wanted]
        while waiting:
            field = waiting.pop()
            ids.add(field.id())
            waiting += field.children()
        known = self._dataset.stats.data_stats().fields
        return sum(int(one.bytes_on_disk) for one in known if one.id in ids)

    def batches(
        self,
        columns: Sequence[str] | None = None,
        predicate: str | None = None,
        batch_rows: int = BATCH_ROWS,
        rows: tuple[int, int] | None = None,
    ) -> Iterator[pa.RecordBatch]:
        """Batches of the named columns (default: all but pictures), in stored order; `rows`: from one to before one."""
        part = {} if rows is None else {"offset": rows[0], "limit": rows[1] - rows[0]}
        with _reading(self.contract):
            scanner = self._dataset.scanner(
                columns=self._named(columns), filter=predicate, batch_size=batch_rows, **part
            )
            yield from map(as_text, scanner.to_batches())

    def read(self, columns: Sequence[str] | None = None, predicate: str | None = None) -> pa.Table:
        """The same as one table."""
        with _reading(self.contract):
            rows = self._dataset.to_table(columns=self._named(columns), filter=predicate)
        return rows.cast(text_schema(rows.schema))

    def _named(self, columns: Sequence[str] | None) -> list[str]:
        return [name for name in self.schema.names if name != PICTURE] if columns is None else list(columns)

    def pictures(
        self, batch_rows: int = PICTURE_ROWS, only: Container[str] | None = None
    ) -> Iterator[tuple[list[str], list[bytes]]]:
        """(sample ids, encoded pictures) a batch, for the samples that have a picture, in stored order.

        `only`: the samples wanted; the bytes of others are not read.
        """
        row = 0
        for batch in self.batches(["sample_id", "sha256"], batch_rows=batch_rows):
            ids = batch.column("sample_id").to_pylist()
            digests = batch.column("sha256").to_pylist()
            present = [i for i, digest in enumerate(digests) if digest and (only is None or ids[i] in only)]
            if present:
                with _reading(self.contract):
                    blobs = self._dataset.read_blobs(PICTURE, indices=[row + i for i in present])
                # (position, bytes) pairs come back in the order asked for
                yield [ids[i] for i in present], [bytes(content) for _, content in blobs]
            row += batch.num_rows

    @property
    def readable(self) -> pa.Schema:
        """The columns that a plan may read: those shown, vectors, and pictures as bytes."""
        heavy = [f.name for f in self.contract.fields if f.name in (PICTURE, VECTOR)]
        kept = {*self.shown, *heavy}
        return pa.schema([field for field in plain_schema(self.schema) if field.name in kept])

    @property
    def dimension(self) -> int:
        """How many numbers each of the table's vectors has."""
        return int(self._dataset.schema.field(VECTOR).type.list_size)

    def located(
        self, columns: Sequence[str], where: str | None, *, with_locator: bool
    ) -> Iterator[tuple[pa.RecordBatch, pa.Array | None]]:
        """Batches of the named columns, pictures too, with the number that `fetch` finds each row by, if asked for."""
        light = [name for name in columns if name != PICTURE]
        numbered = with_locator or not light or PICTURE in columns
        rows = PICTURE_ROWS if PICTURE in columns else BATCH_ROWS
        with _reading(self.contract):
            scanner = self._dataset.scanner(columns=light, filter=where, batch_size=rows, with_row_id=numbered)
            for batch in map(as_text, scanner.to_batches()):
                found = batch.column("_rowid") if numbered else None
                kept = {name: batch.column(name) for name in light}
                if PICTURE in columns:
                    kept[PICTURE] = self._pictures(found)
                yield pa.RecordBatch.from_pydict(kept), found

    def fetch(self, found: pa.Array, columns: Sequence[str]) -> dict[str, pa.Array]:
        """Columns of the rows with these numbers (from `located`), in that order; all NULL for a NULL."""
        wanted = found.drop_null()
        light = [name for name in columns if name != PICTURE]
        rows = self._taken(wanted.to_pylist(), light) if light and len(wanted) else None
        rows = rows.cast(text_schema(rows.schema)) if rows else None
        fetched = {name: rows[name].combine_chunks() for name in light} if rows else {}
        if PICTURE in columns:
            fetched[PICTURE] = self._pictures(wanted)
        if len(wanted) == len(found):
            return fetched or {name: pa.array([], self.readable.field(name).type) for name in columns}
        place = iter(range(len(found)))
        places = pa.array([next(place) if there else None for there in found.is_valid().to_pylist()], pa.int64())
        empty = {name: pa.nulls(len(found), self.readable.field(name).type) for name in columns}
        return {name: fetched[name].take(places) for name in fetched} if fetched else empty

    def _taken(self, numbers: list[int], columns: list[str]) -> pa.Table:
        with _reading(self.contract):
            return self._dataset._take_rows(numbers, columns=columns)

    def _pictures(self, found: pa.Array) -> pa.Array:
        """The encoded pictures of these rows; NULL where there is none."""
        numbers = found.to_pylist()
        digests = self._taken(numbers, ["sha256"])["sha256"].to_pylist() if numbers else []
        there = [number for number, digest in zip(numbers, digests, strict=True) if digest]
        with _reading(self.contract):
            read = self._dataset.read_blobs(PICTURE, ids=there) if there else []
        blobs = (bytes(content) for _, content in read)
        return pa.array([next(blobs) if digest else None for digest in digests], pa.large_binary())

    def entry(self) -> TableEntry:
        return TableEntry(self.version, self.count(), fingerprint(self.batches([CHECKSUM])))

    def as_dataset(self) -> pads.Dataset:
        """The shown columns as a pyarrow dataset, for engines that push projections and filters down."""
        return ShownColumns(self._dataset, self.shown)


class ShownColumns(pads.Dataset):  # type: ignore[misc]
    """A pyarrow dataset over a Lance dataset that offers some of its columns; repeated text comes as a dictionary."""

    def __init__(self, dataset: Any, names: Sequence[str]) -> None:
        self._dataset = dataset
        self._names = list(names)

    @property
    def schema(self) -> pa.Schema:
        whole = self._dataset.schema  # made anew each time it is asked for
        return pa.schema([whole.field(name) for name in self._names])

    def scanner(self, columns: Sequence[str] | None = None, filter: Any = None, **options: Any) -> Any:  # noqa: A002 - pyarrow's name
        names = self._names if columns is None else list(columns)
        text = text_schema(self._dataset.schema)
        if filter is None or text == self._dataset.schema:
            return self._dataset.scanner(columns=names, filter=filter, **options)
        return _filtered(self._dataset, names, filter, text, options)

    def count_rows(self, filter: Any = None, **_: Any) -> int:  # noqa: A002 - pyarrow's name
        return int(self._dataset.count_rows() if filter is None else self.scanner([], filter).count_rows())


def _filtered(dataset: Any, names: list[str], expression: Any, text: pa.Schema, options: Mapping[str, Any]) -> Any:
    """A scanner of the rows for which an expression over the columns as text is true.

    pyarrow cannot write down how text compares with a dictionary; Lance, told of text, knows.
    """
    from lance.dataset import ScannerBuilder
    from pyarrow.substrait import serialize_expressions

    builder: Any = ScannerBuilder(dataset).columns(names).with_row_id(not names).apply_defaults(dict(options))
    builder._substrait_filter = bytes(serialize_expressions([expression], ["filter"], text))
    return builder.to_scanner()
