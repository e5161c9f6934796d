"""Drawing many films at once: on several cores, with an outcome that does not depend on how many."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from misread.progress import Progress, silent
from misread.threads import cores

from .appearance import Appearance
from .classifier import Features, film_features
from .radiograph import draw

_BATCH = 24
_FEW = 120


@dataclass(frozen=True, slots=True)
class Exposure:
    """One film to draw, and the file to keep it in (None: only the classifier looks at it)."""

    appearance: Appearance
    seed: int
    path: Path | None = None


def expose_films(
    exposures: Sequence[Exposure],
    *,
    workers: int | None = None,
    progress: Progress = silent,
) -> Features:
    """Draw every film, write those that have a path, and give the classifier's features of each.

    Args:
        workers: processes; None takes one per core, up to 8, and a single one for few films.
        progress: called as progress(done, total, what), from the caller's own thread.

    Returns:
        shape (films, 3072), float32, in the order of `exposures`; the same for any number of workers.
    """
    batches = [exposures[k : k + _BATCH] for k in range(0, len(exposures), _BATCH)]
    rows, done = [], 0
    for batch, features in zip(batches, _results(batches, _workers(workers, len(exposures))), strict=True):
        rows.append(features)
        done += len(batch)
        progress(done, len(exposures), "drawing films")
    return np.concatenate(rows) if rows else np.zeros((0, 3072), np.float32)


def _workers(wanted: int | None, films: int) -> int:
    if wanted is not None:
        return max(1, wanted)
    return 1 if films < _FEW else min(cores(), 8)


def _results(batches: Sequence[Sequence[Exposure]], workers: int) -> Iterator[Features]:
    if workers == 1:
        yield from map(_expose_batch, batches)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        with _nameless_main():
            waiting: list[Future[Features]] = [pool.submit(_expose_batch, batch) for batch in batches]
        for future in waiting:
            yield future.result()


@contextmanager
def _nameless_main() -> Iterator[None]:
    """Keep new processes from running the caller's script a second time: they need nothing of it."""
    kept = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = kept


def _expose_batch(batch: Sequence[Exposure]) -> Features:
    rows = []
    for exposure in batch:
        picture = draw(exposure.appearance, exposure.seed)
        rows.append(film_features(picture))
        if exposure.path is not None:
            Image.fromarray(picture).save(exposure.path, compress_level=1)
    return np.stack(rows)
