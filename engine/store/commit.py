"""Writing to a store: everything in one commit becomes visible at once, or not at all."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from misread.schemas.errors import StoreError
from misread.schemas.tables import CHECKSUM, CONTRACTS, EMBEDDINGS_PREFIX, TableContract, contract_of

from .checksums import with_checksums
from .files import StoreFiles
from .lance_table import LanceTable
from .lance_writer import LanceWriter
from .manifest import EncoderEntry, Manifest, State
from .newest import Newest, swapped

MODELS = "models"


def table_uri(files: StoreFiles, name: str) -> str:
    return files.uri(f"{name}.lance")


def table_in(folder: str) -> str | None:
    """The name of the table that a folder of this name holds; None where it is no folder of a table."""
    name = folder.removesuffix(".lance")
    is_one = name != folder and (name in CONTRACTS or name.startswith(EMBEDDINGS_PREFIX))
    return name if is_one else None


@dataclass
class Commit:
    """Changes to a store on top of what was the newest when it began (None: there was no store).

    Made by `TableStore.commit`, which holds the writer's lock.
    """

    files: StoreFiles
    newest: Newest | None
    command: str
    _writers: dict[str, LanceWriter] = field(default_factory=dict)
    _encoders: dict[str, EncoderEntry] = field(default_factory=dict)
    forgets_older: bool = False

    @property
    def manifest(self) -> Manifest:
        """The manifest before this commit."""
        return self.newest.manifest if self.newest else Manifest()

    def has(self, name: str) -> bool:
        return name in self.manifest.tables

    def table(self, name: str) -> LanceTable:
        """The table as it stood before this commit."""
        entry = self.manifest.tables[name]
        return LanceTable(table_uri(self.files, name), contract_of(name), entry.version)

    def moment(self, name: str, column: str) -> datetime:
        """Now, or just after the newest moment in a column of a table: a clock that was set back changes no order."""
        now = datetime.now(UTC)
        newest = pc.max(self.table(name).read([column])[column]).as_py() if self.has(name) else None
        return now if newest is None or newest < now else newest + timedelta(microseconds=1)

    def writer(self, name: str, contract: TableContract | None = None) -> LanceWriter:
        """The writer of one table; the same one however often it is asked for."""
        if name not in self._writers:
            entry = self.manifest.tables.get(name)
            self._writers[name] = LanceWriter(
                table_uri(self.files, name), contract or contract_of(name), entry.version if entry else None
            )
        return self._writers[name]

    def append(self, name: str, rows: pa.Table) -> None:
        """Adds rows of the table's contract, with their checksums; creates the table if it is new."""
        self.append_batches(name, [rows], _without_checksum(rows.schema))

    def append_batches(
        self, name: str, tables: Iterable[pa.Table], schema: pa.Schema, *, replacing: bool = False
    ) -> None:
        """The same, streaming: each table of `tables` is checksummed and written in turn.

        `replacing`: the table holds these rows alone afterwards, and may have another schema.
        """
        full = with_checksums(schema.empty_table()).schema
        batches = (b for rows in tables for b in with_checksums(rows).to_batches())
        self.writer(name).append(batches, full, replacing=replacing)

    def upsert(self, name: str, rows: pa.Table) -> None:
        """Adds rows, replacing those with the same key."""
        summed = with_checksums(rows)
        self.writer(name).upsert(summed.to_batches(), summed.schema)

    def put_model(self, name: str, arrays: Mapping[str, np.ndarray]) -> str:
        """Keeps a fitted model's arrays (no objects) in a file named by its content; returns that name."""
        return put_model(self.files, name, arrays)

    def set_encoder(self, name: str, entry: EncoderEntry) -> None:
        self._encoders[name] = entry

    def forget_older_states(self) -> None:
        """The manifest will name the tables of this state alone; what older ones held goes from the disk."""
        self.forgets_older = True

    def follow(self, state: int) -> None:
        """What is written was read from that state. Raises StoreError if it is forgotten: it may hold deleted rows."""
        if self.manifest.forgets(state):
            raise StoreError(
                f"patients were deleted from the store {self.files.location} meanwhile",
                "run the same command again; nothing of this one is visible",
            )

    @property
    def next_state(self) -> int:
        return self.manifest.state + 1

    def finish(self) -> Newest | None:
        """Names the new versions in the manifest: the moment the commit happens. No change, no new state.

        Raises StoreError where another commit happened since this one began; then nothing of this one is visible.
        """
        tables = ((name, writer.entry()) for name, writer in sorted(self._writers.items()))
        changed = {name: entry for name, entry in tables if entry and entry != self.manifest.tables.get(name)}
        if not changed and not self._encoders and not self.forgets_older:
            return self.newest
        at = datetime.now(UTC).isoformat(timespec="seconds")
        encoders = dict(sorted(self._encoders.items()))
        if self.forgets_older:
            changed = {**self.manifest.tables, **changed}
        state = State(self.next_state, at, self.command, changed, encoders)
        manifest = self.manifest.alone(state) if self.forgets_older else self.manifest.with_state(state)
        was_closed = self.newest is not None and self.newest.closed
        return swapped(self.files, self.newest, manifest, closed=self.forgets_older or was_closed)


def put_model(files: StoreFiles, name: str, arrays: Mapping[str, np.ndarray]) -> str:
    """Keeps a fitted model's arrays (no objects) in a file named by its content; returns that name."""
    file = model_file(name, arrays)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **dict(sorted(arrays.items())))
    if not files.exists(file):
        files.replace(file, buffer.getvalue())
    return file


def model_file(name: str, arrays: Mapping[str, np.ndarray]) -> str:
    """The file a model is kept in: named by its content."""
    digest = sha256()
    for key, array in sorted(arrays.items()):
        digest.update(f"{key}{array.dtype.str}{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return f"{MODELS}/{name}-{digest.hexdigest()[:16]}.npz"


def _without_checksum(schema: pa.Schema) -> pa.Schema:
    return pa.schema([f for f in schema if f.name != CHECKSUM])
