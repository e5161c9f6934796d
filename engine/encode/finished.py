"""Vectors of a job that is not done yet: kept beside the tables, so that a killed job goes on where it was."""

import io
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from misread.store.checksums import vectors_of
from misread.store.files import StoreFiles

from .registry import Vectors

FOLDER: Final = "unfinished"
ROWS_A_FILE: Final = 1024


class Finished:
    """What one encoder has encoded so far, in files that are whole or not there, each named by its content.

    `name` is the encoder's, `key` names what its vectors depend on. Files of another key are never read. Several
    processes may add files at once. A file whose bytes changed is left out: its rows are encoded again.
    """

    def __init__(self, files: StoreFiles, name: str, key: str) -> None:
        self._files, self._name, self._prefix = files, name, f"{FOLDER}/{name}.{key}."

    def keep(self, checksums: Sequence[str], vectors: Vectors) -> None:
        """Keeps (n, d) vectors by the checksum of what each was made from."""
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
        rows = pa.record_batch([pa.array(checksums, pa.string()), column], names=["input_checksum", "vector"])
        buffer = io.BytesIO()
        with pa.ipc.new_file(buffer, rows.schema) as writer:
            writer.write_batch(rows)
        content = buffer.getvalue()
        self._files.replace(f"{self._prefix}{_digest(content)}.arrow", content)

    def checksums(self) -> set[str]:
        """Of everything that is encoded."""
        return {checksum for checksums, _ in self.batches() for checksum in checksums}

    def batches(self) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """(checksums, (n, d) vectors), file by file, by their names."""
        for file in self._files.names(FOLDER):
            if file.startswith(self._prefix):
                content = self._files.read(file)
                if file.endswith(f".{_digest(content)}.arrow"):
                    rows = pa.ipc.open_file(content).read_all()
                    yield rows["input_checksum"].to_pylist(), vectors_of(rows["vector"])

    def discard(self) -> None:
        """Removes what this encoder kept, under other keys too: work that was given up."""
        for file in self._files.names(FOLDER):
            if file.startswith(f"{FOLDER}/{self._name}."):
                self._files.remove(file)


def _digest(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()
