"""Whether a state of a store still holds what was written: every row, vector, picture and fitted model."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256

import pyarrow as pa

from misread.progress import Progress, silent
from misread.schemas.errors import StoreError, first_line
from misread.schemas.tables import CHECKSUM, IMAGES, PICTURE, VECTOR
from misread.store import TableStore
from misread.store.checksums import with_checksums
from misread.store.lance_table import LanceTable


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written. `row` is the row's key, None where the whole table or file is meant."""

    table: str
    row: str | None
    reason: str


def verify(store: TableStore, progress: Progress = silent) -> list[Damage]:
    """Everything of the open state that is missing or not as written, tables by name, rows as stored.

    Rows are held against their checksums (vectors included), pictures against their SHA-256, tables against the number
    of rows and the fingerprint in the manifest, fitted models against the digests in their names. What the files of a
    table hold beside the rows of the state is not looked at; what lies beside the tables is told by `strays`.
    """
    found: list[Damage] = []
    for name in store.tables:
        found += _whole(name, lambda name=name: _of_table(store, name, progress))  # type: ignore[misc]
    for file in sorted(_models(store)):
        found += _whole(file, lambda file=file: _of_model(store, file))  # type: ignore[misc]
    return found


def _whole(name: str, look: Callable[[], list[Damage]]) -> list[Damage]:
    """What `look` finds; where it cannot look, that."""
    try:
        return look()
    except BaseException as error:  # a panic inside Lance is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit | MemoryError):
            raise
        return [Damage(name, None, f"cannot be read: {first_line(error.__cause__ or error)}")]


def _of_table(store: TableStore, name: str, progress: Progress) -> list[Damage]:
    table, entry = store.table(name), store.manifest.tables[name]
    found: list[Damage] = []
    total = 0
    for batch in table.batches():
        found += _of_rows(table, batch)
        total += batch.num_rows
        progress(total, entry.rows, f"rows of {name} verified")
    if total != entry.rows:
        found.append(Damage(name, None, f"it has {total} rows; {entry.rows} were written"))
    elif table.entry().fingerprint != entry.fingerprint:
        found.append(Damage(name, None, "its rows are not those that were written"))
    if name == IMAGES.name:
        found += _whole(f"{name}.{PICTURE}", lambda: list(_of_pictures(table, progress)))
    return found


def _of_rows(table: LanceTable, batch: pa.RecordBatch) -> Iterator[Damage]:
    rows = pa.Table.from_batches([batch])
    written, now = rows[CHECKSUM].to_pylist(), with_checksums(rows)[CHECKSUM].to_pylist()
    wrong = [at for at, (old, new) in enumerate(zip(written, now, strict=True)) if old != new]
    what = "the row or its vector" if VECTOR in rows.column_names else "the row"
    for at in wrong:
        key = ", ".join(str(rows[column][at].as_py()) for column in table.contract.key)
        yield Damage(table.contract.name, key, f"{what} is not as written")


def _of_pictures(table: LanceTable, progress: Progress) -> Iterator[Damage]:
    rows = table.read(["sample_id", "sha256"])
    digests = dict(zip(rows["sample_id"].to_pylist(), rows["sha256"].to_pylist(), strict=True))
    done, total = 0, sum(digest is not None for digest in digests.values())
    for samples, pictures in table.pictures():
        for sample, content in zip(samples, pictures, strict=True):
            if sha256(content).hexdigest() != digests.get(sample):
                yield Damage(f"{IMAGES.name}.{PICTURE}", sample, "the image is not as written")
        done += len(samples)
        progress(done, total, "images verified")


def _models(store: TableStore) -> set[str]:
    """The files of fitted models that the state names."""
    files = {entry.model for entry in store.encoders.values() if entry.model is not None}
    if store.has("audits"):
        try:
            files |= set(store.table("audits").read(["fusion"])["fusion"].drop_null().to_pylist())
        except (StoreError, OSError, ValueError, RuntimeError):
            return files  # told where the table is looked at
    return {file for file in files if file}


def _of_model(store: TableStore, file: str) -> list[Damage]:
    try:
        store.read_model(file)
    except StoreError as error:
        return [Damage(file, None, error.message)]
    return []
