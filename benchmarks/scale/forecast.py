"""What archives too large to be tried here would take, worked out from what was measured on smaller ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.table import Table

from benchmarks.scale.archive import DIMENSION, ENCODERS

BYTES_A_ROW = DIMENSION * len(ENCODERS) * 4
READ_A_SECOND = 1e9
"""Bytes that one machine reads from its disk or object store."""
FUSED_A_ROW = 130 * 8
"""Bytes of a fused vector at most; of the discovery half the shaped one lies beside it."""
READINGS = 1.5
"""The discovery half is read to fit the fusion, every row to be fused."""


@dataclass(frozen=True)
class Forecast:
    """Of an archive on `machines`, each with `cores`: what each machine does and holds."""

    rows: int
    machines: int
    bytes_read: float
    scratch: float
    held: float
    seconds: float
    """Reading and processors take turns; the slower decides."""


def forecast(rows: int, machines: int, cores: int, measured: Mapping[str, float]) -> Forecast:
    """`measured`: processor seconds `a_row` of an audit, `fixed` bytes of a process, bytes `held` a row."""
    share = ceil(rows / machines)
    read = share * BYTES_A_ROW * READINGS
    seconds = max(read / READ_A_SECOND, share * measured["a_row"] / cores)
    return Forecast(
        rows, machines, read, share * FUSED_A_ROW * 1.5, measured["fixed"] + share * measured["held"], seconds
    )


def rates(small: Mapping[str, float], large: Mapping[str, float], small_rows: int, large_rows: int) -> dict[str, float]:
    """What a further row costs, from audits of two sizes (`cpu` seconds, `peak` GB)."""
    more = large_rows - small_rows
    held = (large["peak"] - small["peak"]) * 2**30 / more
    fixed = large["peak"] * 2**30 - held * large_rows
    return {"a_row": (large["cpu"] - small["cpu"]) / more, "held": held, "fixed": fixed}


AHEAD = ((10_000_000, 1), (10_000_000, 4), (1_000_000_000, 64), (1_000_000_000, 256))
"""Rows and machines that are worked out."""
CORES = 16


def forecasts(results: Mapping[tuple[int, str], Mapping[str, Any]]) -> Table:
    """From the smallest and the largest audit that were measured; empty with fewer than two."""
    shown = Table(
        "rows", "machines", "TB of vectors", "GB read, each", "GB on disk, each", "GB held, each", "hours",
        title=f"worked out, not run: search and confirmation on machines of {CORES} cores",
    )  # fmt: skip
    audits = {rows: one for (rows, job), one in results.items() if job == "audit" and "skipped" not in one}
    if len(audits) < 2:
        return shown
    small, large = min(audits), max(audits)
    measured = rates(audits[small], audits[large], small, large)
    for rows, machines in AHEAD:
        one = forecast(rows, machines, CORES, measured)
        numbers = (rows * BYTES_A_ROW / 1e12, one.bytes_read / 1e9, one.scratch / 1e9, one.held / 1e9)
        shown.add_row(f"{rows:,}", str(machines), *(f"{n:.2f}" for n in numbers), f"{one.seconds / 3600:.2f}")
    return shown
