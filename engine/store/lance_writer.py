"""Writing one Lance table, in versions of which nobody sees any until a manifest names it."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from misread.refused import refusals_told
from misread.schemas.errors import StoreError
from misread.schemas.tables import TableContract

from .columns import is_dictionary, lance_batch, lance_schema, plain_schema, text_schema
from .lance_table import LanceTable, opened, quoted
from .manifest import TableEntry
from .newest import changed_meanwhile

KEYS_AT_ONCE: Final = 500


class LanceWriter:
    """Writes one table. Every call makes Lance versions that nobody sees until a manifest names them.

    Each is built on this writer's own last one, or on the one that the manifest names. What another put on top, killed
    or (in an object store, which has no lock) writing too, is set aside first; where it comes in between, the call
    raises StoreError, as Lance would put rows of both into one version.

    Rows that break the table's contract are refused with MisreadError before anything is written.
    """

    def __init__(self, uri: str, contract: TableContract, version: int | None) -> None:
        self._uri = uri
        self._contract = contract
        self._written = False
        self._dataset = None if version is None else opened(uri, contract, version)

    def append(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, replacing: bool = False) -> None:
        """Adds rows, streaming; creates the table where there is none yet. `replacing`: all rows that were."""
        import lance

        dataset = None if replacing else self._widened()
        options: Mapping[str, Any] = {"enable_stable_row_ids": True, "data_storage_version": "2.2"}
        with self._reader(batches, schema, None if dataset is None else dataset.schema) as reader:
            if dataset is None:
                with self._telling(_latest(self._uri)):
                    self._wrote(lance.write_dataset(reader, self._uri, mode="overwrite", **options))
            else:
                with self._changing(dataset):
                    dataset.insert(reader, **options)

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
        dataset = self._widened()
        if dataset is None:
            self.append(rows.to_batches(), schema)
            return
        if any(whole):
            with self._reader(rows.filter(pa.array(whole)).to_batches(), schema, dataset.schema) as reader:
                merge = dataset.merge_insert(list(self._contract.key))
                with self._changing(dataset):
                    merge.when_matched_update_all().when_not_matched_insert_all().execute(reader)
        if not all(whole):  # merge_insert takes no NULL to equal another
            partly = pa.array([not valid for valid in whole])
            self._delete_keys(keys.filter(partly))
            self.append(rows.filter(partly).to_batches(), schema)

    def delete(self, predicate: str) -> None:
        dataset = self._own()
        if dataset is not None:
            with self._changing(dataset):
                dataset.delete(predicate)

    def rewrite(self, predicate: str) -> None:
        """Writes some rows anew as they are: values that their columns had before go with the next `compact`."""
        dataset = self._own()
        if dataset is not None:
            key = self._contract.key[0]
            with self._changing(dataset):
                dataset.update({key: f"`{key}`"}, where=predicate)

    def compact(self) -> None:
        """Writes the rows that are left anew wherever rows were deleted, so that nothing holds the deleted ones.

        Nor does the newest version tell the predicate by which they were.
        """
        dataset = self._own()
        if dataset is not None:
            before = dataset.version
            with self._changing(dataset, keeps_rows=True):
                dataset.optimize.compact_files(materialize_deletions=True, materialize_deletions_threshold=0.0)
                if dataset.version == before:  # else compaction was the last that was done
                    dataset.restore()

    def count(self) -> int:
        return 0 if self._dataset is None else int(self._dataset.count_rows())

    def set_columns(self, rows: pa.Table, key: str) -> None:
        """Adds or replaces whole columns, given for every row by `key`."""
        dataset = self._own()
        assert dataset is not None
        there = [name for name in rows.column_names if name != key and name in dataset.schema.names]
        if there:
            with self._changing(dataset):
                dataset.drop_columns(there)
        with self._changing(dataset):
            dataset.merge(rows, key)

    def entry(self) -> TableEntry | None:
        """What the manifest will say of the table; None if nothing was written."""
        if not self._written or self._dataset is None:
            return None
        self._contract.check(plain_schema(text_schema(self._dataset.schema)))
        return LanceTable(self._uri, self._contract, self._dataset.version).entry()

    def _own(self) -> Any:
        """The dataset, ready to be written: without what another put on top of it."""
        there = self._dataset
        if there is not None and (latest := there.latest_version) != there.version:
            with self._telling(latest):
                there.restore()
        return there

    def _widened(self) -> Any:
        """The dataset with the columns that its contract has since it was made, NULL in the rows that are there."""
        dataset = self._own()
        known = set() if dataset is None else set(dataset.schema.names)
        missing = [field for field in self._contract.fields if field.nullable and field.name not in known]
        if dataset is not None and missing:
            with self._changing(dataset):
                dataset.add_columns(lance_schema(pa.schema(missing), self._contract.repeated))
        return dataset

    @contextlib.contextmanager
    def _changing(self, dataset: Any, *, keeps_rows: bool = False) -> Iterator[None]:
        """Within it the dataset becomes its next version; several, where that `keeps_rows`.

        Raises StoreError where another wrote a version meanwhile.
        """
        before = dataset.version
        with self._telling(before):
            yield
        if dataset.version != before + 1 and not (keeps_rows and _kept_rows(dataset, before)):
            raise changed_meanwhile(f"the table {self._uri}")
        self._wrote(dataset)

    @contextlib.contextmanager
    def _telling(self, before: int) -> Iterator[None]:
        """Within it is raised as StoreError what the disk refuses, and what fails as another wrote since a version.

        `_reader` raises what the rows' source refused.
        """
        try:
            with refusals_told(f"the table {self._uri}", StoreError):
                yield
        except Exception as error:
            if _latest(self._uri) > before:
                raise changed_meanwhile(f"the table {self._uri}") from error
            raise

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


def _latest(uri: str) -> int:
    """The number of a table's latest version; 0 where none can be read."""
    import lance

    try:
        return int(lance.dataset(uri).version)
    except (OSError, ValueError):
        return 0


def _kept_rows(dataset: Any, before: int) -> bool:
    """Whether every version since one came of compaction: of two operations, to one of which Lance gives no name."""
    from lance import LanceOperation

    made = dataset.get_transactions(dataset.version - before)
    return all(type(one.operation) in (LanceOperation.Rewrite, LanceOperation.BaseOperation) for one in made)
