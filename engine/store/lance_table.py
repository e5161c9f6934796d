"""One Lance table at one version: the only module that knows Lance."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
from misread.schemas.errors import StoreError
from misread.schemas.tables import CHECKSUM, PICTURE, TableContract

from .checksums import fingerprint
from .manifest import TableEntry

os.environ.setdefault("LANCE_LOG", "error")

BATCH_ROWS = 8192
PICTURE_ROWS = 256


def _lance() -> Any:
    import lance

    return lance


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def in_list(column: str, values: Iterable[str]) -> str:
    """The predicate `column IN (...)` over text values."""
    return f"`{column}` IN ({', '.join(_quoted(value) for value in values)})"


class LanceTable:
    """A table of the store at the version its manifest names. Reads only; `Commit` writes."""

    def __init__(self, uri: str, contract: TableContract, version: int) -> None:
        self.contract = contract
        self.version = version
        try:
            self._dataset = _lance().dataset(uri, version=version)
        except (ValueError, OSError) as error:
            raise StoreError(
                f"table {contract.name!r} cannot be read at version {version}: {error}",
                "the store's files were changed or removed by something other than misread; restore them from a copy",
            ) from error

    @property
    def schema(self) -> pa.Schema:
        return self._dataset.schema

    @property
    def shown(self) -> list[str]:
        """The columns that SQL and frames may see."""
        return [name for name in self.schema.names if name not in self.contract.hidden]

    def count(self, predicate: str | None = None) -> int:
        return int(self._dataset.count_rows(filter=predicate))

    def batches(
        self, columns: Sequence[str] | None = None, predicate: str | None = None, batch_rows: int = BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """Batches of the named columns (default: all but pictures), in stored order."""
        names = [n for n in self.schema.names if n != PICTURE] if columns is None else list(columns)
        scanner = self._dataset.scanner(columns=names, filter=predicate, batch_size=batch_rows)
        yield from scanner.to_batches()

    def read(self, columns: Sequence[str] | None = None, predicate: str | None = None) -> pa.Table:
        names = [n for n in self.schema.names if n != PICTURE] if columns is None else list(columns)
        return self._dataset.to_table(columns=names, filter=predicate)

    def pictures(self, batch_rows: int = PICTURE_ROWS) -> Iterator[tuple[list[str], list[bytes]]]:
        """(sample ids, encoded pictures) a batch, for the samples that have a picture, in stored order."""
        row = 0
        for batch in self.batches(["sample_id", "sha256"], batch_rows=batch_rows):
            present = [row + i for i, digest in enumerate(batch.column("sha256").to_pylist()) if digest]
            ids = batch.column("sample_id").to_pylist()
            if present:
                blobs = self._dataset.read_blobs(PICTURE, indices=present)
                # (position, bytes) pairs come back in the order asked for
                yield [ids[i - row] for i in present], [bytes(content) for _, content in blobs]
            row += batch.num_rows

    def entry(self) -> TableEntry:
        return TableEntry(self.version, self.count(), fingerprint(self.batches([CHECKSUM])))

    def as_dataset(self) -> pads.Dataset:
        """The shown columns as a pyarrow dataset, for engines that push projections and filters down."""
        return ShownColumns(self._dataset, self.shown)


class ShownColumns(pads.Dataset):  # type: ignore[misc]
    """A pyarrow dataset over a Lance dataset that offers some of its columns."""

    def __init__(self, dataset: Any, names: Sequence[str]) -> None:
        self._dataset = dataset
        self._names = list(names)

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([self._dataset.schema.field(name) for name in self._names])

    def scanner(self, columns: Sequence[str] | None = None, filter: Any = None, **options: Any) -> Any:  # noqa: A002 - pyarrow's name
        names = self._names if columns is None else list(columns)
        return self._dataset.scanner(columns=names, filter=filter, **options)

    def count_rows(self, filter: Any = None, **_: Any) -> int:  # noqa: A002 - pyarrow's name
        return int(self._dataset.count_rows(filter=filter))


class LanceWriter:
    """Writes one table. Every call makes Lance versions that nobody sees until a manifest names them."""

    def __init__(self, uri: str, contract: TableContract, version: int | None) -> None:
        self._uri = uri
        self._contract = contract
        self._dataset = None
        if version is not None:
            dataset = _lance().dataset(uri, version=version)
            if dataset.latest_version != version:  # what a killed writer left behind
                dataset.restore()
                dataset = _lance().dataset(uri)
            self._dataset = dataset

    @property
    def schema(self) -> pa.Schema | None:
        return None if self._dataset is None else self._dataset.schema

    def append(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Adds rows, streaming; creates the table where there is none yet."""
        stored = _lance_schema(schema)
        reader = pa.RecordBatchReader.from_batches(stored, (_lance_batch(b, stored) for b in batches))
        options: Mapping[str, Any] = {"enable_stable_row_ids": True, "data_storage_version": "2.2"}
        mode = "overwrite" if self._dataset is None else "append"
        target = self._uri if self._dataset is None else self._dataset
        self._dataset = _lance().write_dataset(reader, target, mode=mode, **options)

    def upsert(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Adds rows whose key is new and replaces those whose key is there."""
        if self._dataset is None:
            self.append(batches, schema)
            return
        stored = _lance_schema(schema)
        reader = pa.RecordBatchReader.from_batches(stored, (_lance_batch(b, stored) for b in batches))
        merge = self._dataset.merge_insert(list(self._contract.key))
        merge.when_matched_update_all().when_not_matched_insert_all().execute(reader)
        self._dataset = _lance().dataset(self._uri)

    def delete(self, predicate: str) -> None:
        if self._dataset is not None:
            self._dataset.delete(predicate)
            self._dataset = _lance().dataset(self._uri)

    def set_columns(self, rows: pa.Table, key: str) -> None:
        """Adds or replaces whole columns, given for every row by `key`."""
        assert self._dataset is not None
        there = [name for name in rows.column_names if name != key and name in self._dataset.schema.names]
        if there:
            self._dataset.drop_columns(there)
        self._dataset.merge(rows, key)
        self._dataset = _lance().dataset(self._uri)

    def entry(self) -> TableEntry:
        assert self._dataset is not None
        self._contract.check(_plain_schema(self._dataset.schema))
        return LanceTable(self._uri, self._contract, self._dataset.version).entry()


def _lance_schema(schema: pa.Schema) -> pa.Schema:
    """Our schema with pictures as Lance blobs."""
    return pa.schema([_lance().blob_field(f.name) if f.name == PICTURE else f for f in schema])


def _plain_schema(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(f.name, pa.large_binary()) if f.name == PICTURE else f for f in schema])


def _lance_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        _lance().blob_array(batch.column(f.name).to_pylist()) if f.name == PICTURE else batch.column(f.name)
        for f in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
