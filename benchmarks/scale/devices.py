"""Which device works out the products of an audit, and what they cost on every device there is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from unittest.mock import patch

import numpy as np
from rich.table import Table

from benchmarks.scale.archive import DIMENSION, ENCODERS
from misread.execute import fusing
from misread.fitting import COMPONENTS
from misread.fuse import AT_ONCE
from misread.products import Products, products_for
from misread.threads import one_thread

PROCESSOR, NO_GPU = "processor", "no GPU here (torch finds no CUDA): not run on one"
TIMES = 10


@contextlib.contextmanager
def chosen() -> Iterator[list[Products]]:
    """What the audits that are run meanwhile have their products worked out by."""
    made: list[Products] = []

    def noted(count: float) -> Products:
        made.append(products_for(count))
        return made[-1]

    with patch.object(fusing, "products_for", noted):
        yield made


def gpu() -> str | None:
    """The name of the GPU that torch finds."""
    if find_spec("torch") is None:
        return None
    import torch

    return str(torch.cuda.get_device_name()) if torch.cuda.is_available() else None


def by_device() -> Table:
    """The two products of an audit, of as many rows as it has at a time: by one processor, and by a GPU if there is."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((AT_ONCE, len(ENCODERS) * (DIMENSION + 1))).astype(np.float32)
    one, weights = np.ascontiguousarray(rows[:, :DIMENSION]), rng.standard_normal((DIMENSION, 2 * COMPONENTS))
    center = one.mean(axis=0, dtype=float)
    jobs: dict[str, tuple[float, Callable[[Products], np.ndarray]]] = {
        "sums to fit": (len(rows) * rows.shape[1] ** 2 / 2, lambda by: by.gram(rows)),
        "fusing": (one.size * weights.shape[1], lambda by: by.centered(one, center, weights)),
    }
    table = Table("products", "device", "ms", "10^9 a second", "off by, of the largest", title=f"of {AT_ONCE:,} rows")
    name = gpu()
    for job, (count, work) in jobs.items():
        exactly, seconds = timed(work, Products())
        table.add_row(job, PROCESSOR, f"{seconds * 1e3:.1f}", f"{count / seconds / 1e9:.1f}", "")
        if name is None:
            table.add_row(job, NO_GPU)
            continue
        found, seconds = timed(work, Products("cuda"))
        off = np.abs(found - exactly).max() / np.abs(exactly).max()
        table.add_row(job, name, f"{seconds * 1e3:.1f}", f"{count / seconds / 1e9:.1f}", f"{off:.1e}")
    return table


def timed(work: Callable[[Products], np.ndarray], by: Products) -> tuple[np.ndarray, float]:
    """What it gives, and seconds: of a processor, or of the wall where a GPU works."""
    clock = time.perf_counter if by.device else time.process_time
    with one_thread():
        found = work(by)
        began = clock()
        for _ in range(TIMES):
            work(by)
        return found, (clock() - began) / TIMES
