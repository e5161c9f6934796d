"""Ingests one input into a row of stores, each time killing itself (SIGKILL) before a later step.

python killed.py FOLDER STORE...: for the n-th store, at the n-th step. Forks, so that only one process imports.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import lance  # noqa: F401 - imported once, before the forks
import PIL.Image  # noqa: F401 - imported once, before the forks

from misread.ingest import Sources, ingest
from misread.store import TableStore
from misread.store.files import StoreFiles
from misread.store.lance_writer import LanceWriter

STEPS = (
    (StoreFiles, "create_root"),
    *((LanceWriter, name) for name in ("append", "upsert", "delete", "set_columns")),
    (StoreFiles, "replace"),
)


def main(folder: Path, stores: list[str]) -> None:
    for last, store in enumerate(stores, 1):
        child = os.fork()
        if not child:
            run(folder, store, last)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)
        if not os.WIFSIGNALED(status):
            return


def run(folder: Path, store: str, last: int) -> None:
    steps = count(1)

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in STEPS:
        setattr(owner, name, around(getattr(owner, name), step))
    sources = Sources(
        folder / "metadata.csv",
        folder / "pictures",
        folder / "reports.csv",
        folder / "predictions.csv",
        folder / "embeddings.parquet",
    )
    ingest(
        TableStore.open_or_new(store),
        sources,
        progress=lambda done, _, what: step() if "stored" in what else None,
    )


def around(method: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def stepping(*args: Any, **options: Any) -> Any:
        step()
        result = method(*args, **options)
        if method.__name__ == "replace":  # the manifest is swapped: the moment the commit has happened
            step()
        return result

    return stepping


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
