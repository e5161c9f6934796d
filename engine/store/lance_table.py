"""One Lance table at one version: with `columns`, `nearest` and `unnamed` the only module that knows Lance."""

import contextlib
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads

from misread.refused import refusals_told
from misread.schemas.errors import StoreError
from misread.schemas.tables import CHECKSUM, PICTURE, VECTOR, TableContract

from .checksums import fingerprint
from .columns import as_text, is_dictionary, lance_batch, lance_schema, plain_schema, text_schema
from .manifest import TableEntry

os.environ.setdefault("LANCE_LOG", "error")

BATCH_ROWS = 8192
PICTURE_ROWS = 256
KEYS_AT_ONCE = 500


def _lance() -> Any:
    import lance

    return lance


def _opened(uri: str, contract: TableContract, version: int) -> Any:
    try:
        return _lance().dataset(uri, version=version)
    except (ValueError, OSError) as error:
        raise StoreError(
            f"table {contract.name!r} cannot be read at version {version}: {error}",
            "open the store again, as deleting a patient removes all older states; where that does not help, its files "
            "were changed or removed by something other than misread: restore them from a copy",
        ) from error


def quoted(text: str) -> str:
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
        self._dataset = _opened(uri, contract, version)

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
        names = [n for n in self.schema.names if n != PICTURE] if columns is None else list(columns)
        part = {} if rows is None else {"offset": rows[0], "limit": rows[1] - rows[0]}
        scanner = self._dataset.scanner(columns=names, filter=predicate, batch_size=batch_rows, **part)
        yield from map(as_text, scanner.to_batches())

    def read(self, columns: Sequence[str] | None = None, predicate: str | None = None) -> pa.Table:
        names = [n for n in self.schema.names if n != PICTURE] if columns is None else list(columns)
        rows = self._dataset.to_table(columns=names, filter=predicate)
        return rows.cast(text_schema(rows.schema))

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

    def located(
        self, columns: Sequence[str], where: str | None, *, with_locator: bool, batch_rows: int = BATCH_ROWS
    ) -> Iterator[tuple[pa.RecordBatch, pa.Array | None]]:
        """Batches of the named columns, pictures too, with the number that `fetch` finds each row by, if asked for."""
        light = [name for name in columns if name != PICTURE]
        numbered = with_locator or not light or PICTURE in columns
        rows = PICTURE_ROWS if PICTURE in columns else batch_rows
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
        rows = self._dataset._take_rows(wanted.to_pylist(), columns=light) if light and len(wanted) else None
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

    def _pictures(self, found: pa.Array) -> pa.Array:
        """The encoded pictures of these rows; NULL where there is none."""
        numbers = found.to_pylist()
        digests = self._dataset._take_rows(numbers, columns=["sha256"])["sha256"].to_pylist() if numbers else []
        there = [number for number, digest in zip(numbers, digests, strict=True) if digest]
        blobs = (bytes(content) for _, content in self._dataset.read_blobs(PICTURE, ids=there)) if there else iter(())
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
        return pa.schema([self._dataset.schema.field(name) for name in self._names])

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


class LanceWriter:
    """Writes one table. Every call makes Lance versions that nobody sees until a manifest names them.

    Rows that break the table's contract are refused with MisreadError before anything is written.
    """

    def __init__(self, uri: str, contract: TableContract, version: int | None) -> None:
        self._uri = uri
        self._contract = contract
        self._written = False
        self._dataset = None if version is None else _opened(uri, contract, version)

    @property
    def schema(self) -> pa.Schema | None:
        return None if self._dataset is None else text_schema(self._dataset.schema)

    def append(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, replacing: bool = False) -> None:
        """Adds rows, streaming; creates the table where there is none yet. `replacing`: all rows that were."""
        dataset = self._newest()
        new = dataset is None or replacing
        with self._reader(batches, schema, None if new else dataset.schema) as reader:
            options: Mapping[str, Any] = {"enable_stable_row_ids": True, "data_storage_version": "2.2"}
            target, mode = (self._uri, "overwrite") if new else (dataset, "append")
            with self._telling():
                self._wrote(_lance().write_dataset(reader, target, mode=mode, **options))

    def upsert(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Adds rows whose key is new and replaces those whose key is there. A NULL in a key equals a NULL.

        Raises StoreError if two of the rows have the same key.
        """
        rows = pa.Table.from_batches(list(batches), schema)
        self._contract.check(schema)
        keys = rows.select(list(self._contract.key))
        if keys.group_by(keys.column_names).aggregate([]).num_rows != keys.num_rows:
            raise StoreError(f"two rows for table {self._contract.name!r} have the same key")
        whole = _all_valid(keys)
        dataset = self._newest()
        if dataset is None:
            self.append(rows.to_batches(), schema)
            return
        if any(whole):
            with self._reader(rows.filter(pa.array(whole)).to_batches(), schema, dataset.schema) as reader:
                merge = dataset.merge_insert(list(self._contract.key))
                with self._telling():
                    merge.when_matched_update_all().when_not_matched_insert_all().execute(reader)
                    self._wrote(_lance().dataset(self._uri))
        if not all(whole):  # merge_insert takes no NULL to equal another
            partly = pa.array([not valid for valid in whole])
            self._delete_keys(keys.filter(partly))
            self.append(rows.filter(partly).to_batches(), schema)

    def delete(self, predicate: str) -> None:
        dataset = self._newest()
        if dataset is not None:
            with self._telling():
                dataset.delete(predicate)
                self._wrote(_lance().dataset(self._uri))

    def rewrite(self, predicate: str) -> None:
        """Writes some rows anew as they are: values that their columns had before go with the next `compact`."""
        dataset = self._newest()
        if dataset is not None:
            with self._telling():
                key = self._contract.key[0]
                dataset.update({key: f"`{key}`"}, where=predicate)
                self._wrote(_lance().dataset(self._uri))

    def compact(self) -> None:
        """Writes the rows that are left anew wherever rows were deleted, so that nothing holds the deleted ones.

        Nor does the newest version tell the predicate by which they were.
        """
        dataset = self._newest()
        if dataset is not None:
            with self._telling():
                dataset.optimize.compact_files(materialize_deletions=True, materialize_deletions_threshold=0.0)
                compacted = _lance().dataset(self._uri)
                if compacted.version == dataset.version:  # else compaction was the last that was done
                    compacted.restore()
                self._wrote(_lance().dataset(self._uri))

    def count(self) -> int:
        return 0 if self._dataset is None else int(self._dataset.count_rows())

    def set_columns(self, rows: pa.Table, key: str) -> None:
        """Adds or replaces whole columns, given for every row by `key`."""
        dataset = self._newest()
        assert dataset is not None
        there = [name for name in rows.column_names if name != key and name in dataset.schema.names]
        with self._telling():
            if there:
                dataset.drop_columns(there)
            dataset.merge(rows, key)
            self._wrote(_lance().dataset(self._uri))

    def entry(self) -> TableEntry | None:
        """What the manifest will say of the table; None if nothing was written."""
        if not self._written or self._dataset is None:
            return None
        self._contract.check(plain_schema(text_schema(self._dataset.schema)))
        return LanceTable(self._uri, self._contract, self._dataset.version).entry()

    def _newest(self) -> Any:
        """The dataset, ready to be written: without what a killed writer left on top of it."""
        there = self._dataset
        if not self._written and there is not None and there.latest_version != there.version:
            with self._telling():
                there.restore()
                self._dataset = _lance().dataset(self._uri)
        return self._dataset

    def _telling(self) -> contextlib.AbstractContextManager[None]:
        """Within it what the disk refuses is raised as StoreError; `_reader` raises what the rows' source refused."""
        return refusals_told(f"the table {self._uri}", StoreError)

    def _wrote(self, dataset: Any) -> None:
        self._dataset, self._written = dataset, True

    def _delete_keys(self, keys: pa.Table) -> None:
        for start in range(0, keys.num_rows, KEYS_AT_ONCE):
            some = keys.slice(start, KEYS_AT_ONCE).to_pylist()
            self.delete(" OR ".join(f"({' AND '.join(map(_equals, key, key.values()))})" for key in some))

    @contextlib.contextmanager
    def _reader(
        self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, there: pa.Schema | None
    ) -> Iterator[pa.RecordBatchReader]:
        """The batches as Lance takes them, repeated text as in the table that is `there`.

        Lance wraps what they raise: that is raised as it was.
        """
        self._contract.check(schema)
        repeated = self._contract.repeated if there is None else [f.name for f in there if is_dictionary(f)]
        stored = lance_schema(schema, repeated)
        raised: list[BaseException] = []

        def watched() -> Iterator[pa.RecordBatch]:
            try:
                for batch in batches:
                    yield lance_batch(batch, stored)
            except GeneratorExit:
                raise
            except BaseException as error:
                raised.append(error)
                raise

        try:
            yield pa.RecordBatchReader.from_batches(stored, watched())
        except (OSError, ValueError, RuntimeError, StoreError):
            if raised:
                raise raised[0] from None
            raise


def _equals(column: str, value: str | None) -> str:
    return f"`{column}` IS NULL" if value is None else f"`{column}` = {quoted(value)}"


def _all_valid(keys: pa.Table) -> list[bool]:
    """For each row, whether none of its values is NULL."""
    columns = [column.is_valid().to_pylist() for column in keys.columns]
    return [all(row) for row in zip(*columns, strict=True)]
