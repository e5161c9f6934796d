"""Ingests one input into a row of stores, each time killing itself (SIGKILL) at a later moment of writing.

python killed.py FOLDER STORE...: for the n-th store, at the n-th of MOMENTS. Forks, so that only one process imports.
"""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import lance  # noqa: F401 - imported once, before the forks
import PIL.Image  # noqa: F401 - imported once, before the forks
import pyarrow as pa

from misread.ingest import Sources, ingest
from misread.store import TableStore
from misread.store.lance_writer import LanceWriter

MOMENTS = ("streaming images", "images written", "reports written", "manifest written")


def main(folder: Path, stores: list[str]) -> None:
    for moment, store in zip(MOMENTS, stores, strict=True):
        child = os.fork()
        if not child:
            run(folder, store, moment)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)


def run(folder: Path, store: str, moment: str) -> None:
    append, replace = LanceWriter.append, Path.replace

    def stop(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def then_stop(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from batches
        stop()

    def watched(self: LanceWriter, batches: Iterable[pa.RecordBatch], *rest: Any, **options: Any) -> None:
        table = self._contract.name
        append(self, then_stop(batches) if moment == f"streaming {table}" else batches, *rest, **options)
        if moment == f"{table} written":
            stop()

    LanceWriter.append = watched  # type: ignore[assignment]
    Path.replace = stop if moment == "manifest written" else replace  # type: ignore[assignment]
    sources = Sources(folder / "metadata.csv", None, folder / "reports.csv", folder / "predictions.csv")
    ingest(TableStore.open(store), sources)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
