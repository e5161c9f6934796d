"""Commits to a row of stores, each time killing itself (SIGKILL) before a later step.

python killed.py STORE...: for the n-th store, at the n-th step. Forks, so that only one process imports.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import lance  # noqa: F401 - imported once, before the forks
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from store.store_rows import images, reports

from misread.store import EncoderEntry, TableStore
from misread.store import files as store_files
from misread.store.lance_writer import LanceWriter

SAMPLES = [f"s{i}" for i in range(40)]


def fill(location: str) -> None:
    """Two commits: the first makes the store, the second changes all that can change."""
    store = TableStore.open_or_new(location)
    if store.state == 0:
        with store.commit("first") as commit:
            commit.append("images", images(SAMPLES))
            commit.append("reports", reports(*((s, None, "clear") for s in SAMPLES)))
    if store.state == 1:
        with store.commit("second") as commit:
            commit.upsert("reports", reports(("s1", None, "effusion"), ("new", None, "new")))
            commit.writer("images").delete("sample_id = 's3'")
            commit.append("images", images(["s3", "t"], round_=1))
            file = commit.put_model("m", {"a": np.arange(9)})
            commit.set_encoder("e", EncoderEntry("report", 1, "built-in", commit.next_state, file))


def main(stores: list[str]) -> None:
    for last, location in enumerate(stores, 1):
        child = os.fork()
        if not child:
            run(location, last)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", flush=True)
        if not os.WIFSIGNALED(status):
            return


def run(location: str, last: int) -> None:
    steps = count(1)

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("append", "upsert", "delete", "entry"):
        setattr(LanceWriter, name, around(getattr(LanceWriter, name), step))
    for owner, name in ((os, "fsync"), (Path, "replace"), (store_files.StoreFiles, "create_root")):
        setattr(owner, name, around(getattr(owner, name), step))
    fill(location)


def around(inner: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def stepping(*arguments: Any, **options: Any) -> Any:
        step()
        return inner(*arguments, **options)

    return stepping


if __name__ == "__main__":
    main(sys.argv[1:])
