"""Embeds a row of stores, each time killing itself (SIGKILL) before a later step.

python killed_embedding.py STORE...: for the n-th store, at the n-th step. Forks, so that only one process imports.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import lance  # noqa: F401 - imported once, before the forks
import PIL.Image  # noqa: F401 - imported once, before the forks
import skimage.feature  # noqa: F401 - imported once, before the forks
import sklearn.feature_extraction.text
import sklearn.utils.extmath  # noqa: F401 - imported once, before the forks

from misread.encode import embed, inputs
from misread.encode.hog import HogEncoder
from misread.encode.tfidf import TfidfEncoder
from misread.store import TableStore
from misread.store.files import StoreFiles
from misread.store.lance_writer import LanceWriter

STEPS: tuple[tuple[Any, str], ...] = (
    (HogEncoder, "encode"),
    (TfidfEncoder, "encode"),
    (LanceWriter, "append"),
    (LanceWriter, "delete"),
    (LanceWriter, "entry"),
    (StoreFiles, "replace"),
)


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

    inputs.PICTURES_AT_ONCE = inputs.TEXTS_AT_ONCE = 1
    for owner, name in STEPS:
        setattr(owner, name, around(getattr(owner, name), step))
    embed(TableStore.open(location))


def around(inner: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def stepping(*arguments: Any, **options: Any) -> Any:
        step()
        return inner(*arguments, **options)

    return stepping


if __name__ == "__main__":
    main(sys.argv[1:])
