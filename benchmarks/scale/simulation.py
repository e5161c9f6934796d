"""What a large archive costs beside its vectors, run for real; and one process that adds up the sums of many.

Those are of made-up numbers: hundreds of processes of Ray do not fit on one machine, what one of them takes in does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.scale.apart import Limit, apart
from benchmarks.scale.archive import DIMENSION, ENCODERS, write
from benchmarks.scale.forecast import audits_of, forecast, rates
from benchmarks.scale.jobs import Result
from misread.fitting import COMPONENTS
from misread.plan import Discover
from misread.threads import in_order

NARROW = 16
"""Numbers of a vector where vectors are not what is measured."""
TENTH = 10
WIDTH = len(ENCODERS) * (DIMENSION + 1)
FUSED = len(ENCODERS) * (COMPONENTS + 1)
FOLDS, CLASSES, CANDIDATES, BINS = 5, 2, 100, 2048
MACHINES = (64, 256)
WORKERS = 2


@dataclass(frozen=True)
class Sum:
    """Numbers that every machine gives and one adds up: their shape, and how often in an audit."""

    name: str
    shape: tuple[int, ...]
    times: int


SUMS = (
    Sum("moments of the vectors", (WIDTH, WIDTH), 1),
    Sum("moments of the classes and folds", (CLASSES, 2 * FOLDS + 2, FUSED, FUSED), 1),
    Sum("counts in bins of 100 candidates", (CANDIDATES, BINS, 2), CLASSES * Discover.most),
)
"""A slice that is taken asks for one more reading of the counts, at most five of each class."""


def narrow(place: Path, rows: int, seconds: float) -> dict[int, Result]:
    """Audits of an archive of many rows and of a tenth of them, with vectors of 16 + 16 numbers, by their rows."""
    found = {}
    for size in (rows // TENTH, rows):
        location = place / f"narrow-{size}"
        if not (location / "manifest.json").exists():
            write(location, size, dimension=NARROW)
        found[size] = apart("audit", location, Limit(seconds))
    return {size: one for size, one in found.items() if "skipped" not in one}


def beside(audits: Mapping[int, Mapping[str, Any]], results: Mapping[tuple[int, str], Mapping[str, Any]]) -> Table:
    """What ids, labels, patients and memberships took beside what is forecast of whole audits, a row and in all."""
    table = Table(
        "rows", "audit", "processor s", "microseconds a row", "peak GB", "bytes held a row", "GB scratch",
        title=f"vectors of {NARROW} + {NARROW} numbers, run; of {DIMENSION} + {DIMENSION}, worked out",
    )  # fmt: skip
    for rows, one in audits.items():
        table.add_row(f"{rows:,}", "narrow, run", *_told(one["cpu"], one["peak"], rates(audits), one["scratch"]))
    if len(measured := audits_of(results)) > 1:
        for rows in audits:
            ahead = forecast(rows, 1, 1, a_row := rates(measured))
            told = _told(rows * a_row.seconds, ahead.held / 2**30, a_row, ahead.scratch)
            table.add_row(f"{rows:,}", "whole, worked out", *told)
    return table


def _told(cpu: float, peak: float, a_row: Any, scratch: float) -> tuple[str, ...]:
    return (
        f"{cpu:.1f}", f"{a_row.seconds * 1e6:.1f}", f"{peak:.2f}", f"{a_row.held:.0f}", f"{scratch / 1e9:.2f}",
    )  # fmt: skip


def given(machine: int, shape: Sequence[int]) -> NDArray[np.float64]:
    """What one machine sends: numbers of which one knows the sum."""
    return np.full(shape, float(machine))


@dataclass(frozen=True, eq=False)
class Added:
    """What adding up took this process: seconds, those of a processor, and bytes that came in."""

    total: NDArray[np.float64]
    seconds: float
    cpu: float
    received: int


def added_up(machines: int, shape: Sequence[int]) -> Added:
    """Every machine's numbers come from a process other than this one, and are added in the order of the machines."""
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as others:
        list(others.map(given, range(WORKERS), [(1,)] * WORKERS))  # until they are there
        began, worked = time.perf_counter(), time.process_time()
        total = np.zeros(shape)
        for numbers in in_order(
            lambda machine: others.submit(given, machine, shape).result(), range(machines), WORKERS
        ):
            total += numbers
        return Added(total, time.perf_counter() - began, time.process_time() - worked, machines * total.nbytes)


def sums(counts: Sequence[int] = MACHINES) -> Table:
    """Every sum of an audit, added up once by one process from 64 and from 256 others."""
    table = Table(
        "sum", "MB a machine", "machines", "GB in all", "s", "processor s", "times an audit", "s an audit",
        title="what one process adds up",
    )  # fmt: skip
    for one in SUMS:
        for machines in counts:
            added = added_up(machines, one.shape)
            whole = (f"{added.received / 1e9:.2f}", f"{added.seconds:.1f}", f"{added.cpu:.1f}")
            size = f"{added.total.nbytes / 1e6:.1f}"
            table.add_row(one.name, size, str(machines), *whole, str(one.times), f"{added.seconds * one.times:.1f}")
    return table
