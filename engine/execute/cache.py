"""Answers kept beside a store's tables, by what they are the answer to."""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from hashlib import blake2b, sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa

from misread.plan import Assign, Node, Scan, Score, optimise, tree
from misread.store import TableStore

from .identity import METHOD, fingerprint_of

FOLDER: Final = "cache"
MOST_BYTES: Final = 2 << 30
"""What a store's cache may hold; the answers unused for longest go first."""
_HALF_WRITTEN: Final = ".answer-"
_HEADER: Final = 64
"""Bytes before the Arrow file: a SHA-256 of it, and as many zeros, so that its buffers stay aligned."""


@dataclass(frozen=True)
class Kept:
    """One answer: the key it is found by, its size, when it was last used (seconds since 1970), and its plan."""

    key: str
    bytes: int
    used: float
    plan: str


class Cache:
    """The answers kept for one store. Stores that cannot be written, and object stores, keep none.

    An answer lies in the store's own folder, as private as its tables. It is found by its plan, by the content of the
    tables it was read from, and by the version and method of misread; a damaged one is worked out again.
    """

    def __init__(self, store: TableStore) -> None:
        self._store = store
        self._folder = Path(store.location) / FOLDER if store.files.is_local else None

    def answer(self, plan: Node, work: Callable[[], pa.Table]) -> pa.Table:
        """The answer kept for a plan, else that of `work`, which is kept."""
        key = key_of(self._store, plan)
        known = self._read(key)
        if known is not None:
            return known
        table = work()
        self._keep(key, plan, table)
        return table

    def kept(self) -> list[Kept]:
        """Every answer, the one used last first."""
        found = []
        for path in self._paths():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append(Kept(path.stem, status.st_size, status.st_mtime, _plan_of(path)))
        return sorted(found, key=lambda kept: (-kept.used, kept.key))

    def clear(self) -> int:
        """Removes every answer, and what was half written of others; returns how many answers there were.

        Raises StoreError for a store that cannot be written.
        """
        paths = self._paths()
        with self._store.files.written():
            for path in [*paths, *self._paths(f"{_HALF_WRITTEN}*")]:
                path.unlink(missing_ok=True)
        return len(paths)

    def _paths(self, names: str = "*.arrow") -> list[Path]:
        return sorted(self._folder.glob(names)) if self._folder and self._folder.is_dir() else []

    def _read(self, key: str) -> pa.Table | None:
        if self._folder is None:
            return None
        path = self._folder / f"{key}.arrow"
        try:
            content = pa.memory_map(str(path)).read_buffer()
            body = content.slice(_HEADER)
            if sha256(body).digest() != content.slice(0, sha256().digest_size).to_pybytes():
                return None
            table = pa.ipc.open_file(body).read_all()
            now = time.time_ns()  # the clock that files are stamped by steps in milliseconds
            os.utime(path, ns=(now, now))
        except (OSError, ValueError):
            return None
        return table.replace_schema_metadata(None)

    def _keep(self, key: str, plan: Node, table: pa.Table) -> None:
        if self._folder is None or table.nbytes > MOST_BYTES // 2:
            return
        with contextlib.suppress(OSError):  # a store that cannot be written is still read
            self._make_room(table.nbytes)
            path = self._folder / f"{key}.arrow"
            _write(path, table.replace_schema_metadata({"plan": tree(plan)}))
            if self._store.is_forgotten():  # a deletion meanwhile had nothing to clear yet
                path.unlink(missing_ok=True)

    def _make_room(self, more: int) -> None:
        held = self.kept()
        total = sum(kept.bytes for kept in held) + more
        while held and total > MOST_BYTES:
            oldest = held.pop()
            assert self._folder is not None
            (self._folder / f"{oldest.key}.arrow").unlink(missing_ok=True)
            total -= oldest.bytes


def key_of(store: TableStore, plan: Node) -> str:
    """32 hex digits that name a plan's answer: what is asked, of which content, of which version and method."""
    document = json.dumps([version("misread"), METHOD, _canonical(optimise(plan), store)], sort_keys=True, default=str)
    return blake2b(document.encode(), digest_size=16).hexdigest()


def _canonical(value: Any, store: TableStore) -> Any:
    """A plan as JSON: every field that decides what it gives, and of a step that reads tables their content."""
    if not isinstance(value, Node):
        return value
    hidden = ("location", "state", *(("version", "stored") if isinstance(value, Scan) else ()))
    told = {f.name: _canonical(getattr(value, f.name), store) for f in fields(value) if f.name not in hidden}
    return {"step": type(value).__name__, **told, "content": _content(value, store)}


def _content(step: Node, store: TableStore) -> Any:
    """What a step reads of the store itself: a scan its table, assign and score what the audit read, at their state."""
    if isinstance(step, Scan):
        return fingerprint_of(store, step)
    if isinstance(step, Assign | Score):
        return {name: entry.fingerprint for name, entry in store.manifest.at(step.state).tables.items()}
    return None


def _plan_of(path: Path) -> str:
    try:
        schema = pa.ipc.open_file(pa.memory_map(str(path)).read_buffer().slice(_HEADER)).schema
    except (OSError, ValueError):
        return "damaged"
    told: bytes = (schema.metadata or {}).get(b"plan", b"")
    return told.decode()


class _Hashed:
    """A file that is written and hashed at once."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.digest, self.closed = file, sha256(), False

    def write(self, content: Any) -> int:
        self.digest.update(content)
        return self._file.write(content)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.closed = True


def _write(path: Path, table: pa.Table) -> None:
    """Writes an answer whole or not at all, for its owner alone."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=_HALF_WRITTEN)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(bytes(_HEADER))
            hashed = _Hashed(file)
            with pa.ipc.new_file(pa.PythonFile(hashed, mode="w"), table.schema) as writer:
                writer.write_table(table)
            file.seek(0)
            file.write(hashed.digest.digest())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
