"""What archives too large to be tried here would take, worked out from what was measured on smaller ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from rich.table import Table

from benchmarks.scale.archive import DIMENSION, ENCODERS
from misread.fitting import FITTED_ROWS

BYTES_A_ROW = DIMENSION * len(ENCODERS) * 4
READ_A_SECOND = 1e9
"""Bytes that one machine reads from its disk or object store."""
SEARCHING = "searching for slices"


@dataclass(frozen=True)
class Rates:
    """What a further row costs an audit: processor seconds, bytes held, bytes of scratch that lie on disk at once and
    bytes that are read of it; `fixed`: bytes of a process without any."""

    seconds: float
    held: float
    scratch: float
    scratch_read: float
    fixed: float


def rates(audits: Mapping[int, Mapping[str, Any]]) -> Rates:
    """From the smallest and the largest of the audits measured, by their rows."""
    small, large = min(audits), max(audits)

    def more(value: Mapping[int, float]) -> float:
        return (value[large] - value[small]) / (large - small)

    held = more({rows: one["peak"] * 2**30 for rows, one in audits.items()})
    read = {rows: one["stages"].get(SEARCHING, {"read": 0.0})["read"] for rows, one in audits.items()}
    on_disk = {rows: float(one["scratch"]) for rows, one in audits.items()}
    seconds = more({rows: one["cpu"] for rows, one in audits.items()})
    return Rates(seconds, held, more(on_disk), more(read), audits[large]["peak"] * 2**30 - held * large)


@dataclass(frozen=True)
class Forecast:
    """Of an archive on `machines`: what each of them does and holds, in bytes and seconds."""

    rows: int
    machines: int
    bytes_read: float
    scratch: float
    scratch_read: float
    held: float
    seconds: float
    """Reading and processors take turns; the slower decides."""


def forecast(rows: int, machines: int, cores: int, a_row: Rates) -> Forecast:
    share = ceil(rows / machines)
    fitted = min(0.5, FITTED_ROWS / rows)  # of the discovery half; every row is read to be fused
    read, again = share * BYTES_A_ROW * (1 + fitted), share * a_row.scratch_read
    seconds = max((read + again) / READ_A_SECOND, share * a_row.seconds / cores)
    return Forecast(
        rows, machines, read, share * a_row.scratch, again, a_row.fixed + share * a_row.held, seconds
    )  # fmt: skip


AHEAD = (
    (10_000_000, 1, 2),
    (10_000_000, 1, 16),
    (10_000_000, 4, 16),
    (1_000_000_000, 64, 16),
    (1_000_000_000, 256, 16),
)
"""Rows, machines and the cores of each that are worked out."""


def audits_of(results: Mapping[tuple[int, str], Mapping[str, Any]]) -> dict[int, Mapping[str, Any]]:
    return {rows: one for (rows, job), one in results.items() if job == "audit" and "skipped" not in one}


def forecasts(results: Mapping[tuple[int, str], Mapping[str, Any]]) -> Table:
    """From the smallest and the largest audit that were measured; empty with fewer than two."""
    shown = Table(
        "rows", "machines", "cores", "TB of vectors", "GB read", "GB scratch", "GB read of it", "GB held", "hours",
        title="worked out, not run: search and confirmation; of each machine",
    )  # fmt: skip
    audits = audits_of(results)
    if len(audits) < 2:
        return shown
    for rows, machines, cores in AHEAD:
        one = forecast(rows, machines, cores, rates(audits))
        sizes = (one.bytes_read, one.scratch, one.scratch_read, one.held)
        numbers = (f"{rows * BYTES_A_ROW / 1e12:.2f}", *(f"{size / 1e9:.1f}" for size in sizes))
        shown.add_row(f"{rows:,}", str(machines), str(cores), *numbers, f"{one.seconds / 3600:.2f}")
    return shown
