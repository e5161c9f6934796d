"""`python -m benchmarks.plans`: what plans cost over stores of up to a million samples with vectors of 512 numbers.

Each way to ask a question runs in a process of its own: seconds, bytes read by system calls, peak memory of the whole
process. Then fused vectors of a filtered scan against a loop written by hand, over stores of three sizes, in turns;
and a plan's second `collect`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import side_by_side
from benchmarks.plans.store import bytes_of, write
from benchmarks.plans.ways import CHOSEN, QUESTIONS, WAYS

SIZES = (100_000, 300_000, 1_000_000)
SECONDS = 1800
LOADED = ("duckdb", "lance", "misread.execute", "misread.frame", "polars", "pyarrow.dataset", "scipy.linalg")
Cost = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plans", description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="samples of each store, the largest last")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--within", metavar="FOLDER", help="keep the stores here, and use those that are there")
    parser.add_argument("--way", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.way:
        print(json.dumps(measured(asked.way, Path(asked.within))))
        return
    sizes = [int(size) for size in asked.sizes.split(",")]
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as place:
        stores = {size: Path(asked.within or place) / f"samples-{size}" for size in sizes}
        for size, location in stores.items():
            if not (location / "manifest.json").exists():
                write(location, size)
        show(stores, asked.repeats)


def measured(way: str, location: Path) -> Cost:
    """The cost of one way, in this process."""
    if way == "again":
        return again(location)
    for name in LOADED:  # what every way loads is no part of its cost
        importlib.import_module(name)
    before, held = _read_bytes(), psutil.Process().memory_info().rss / 2**20
    run = side_by_side.measured(lambda: WAYS[way](location))
    assert isinstance(run.answer, int)
    read = (_read_bytes() - before) / 1e6
    return {"rows": run.answer, "seconds": run.seconds, "megabytes": read, "peak": held + run.megabytes}


def again(location: Path) -> Cost:
    """Seconds of the first and of the second collect of the same plan."""
    import misread as mr
    from misread.execute.cache import Cache

    frame = mr.open(location).scan().filter(CHOSEN).fuse(modalities=["image"])
    Cache(frame.store).clear()
    times = []
    for _ in range(2):
        began = time.perf_counter()
        rows = frame.collect().height
        times.append(time.perf_counter() - began)
    Cache(frame.store).clear()
    return {"rows": rows, "first": times[0], "second": times[1]}


def _read_bytes() -> int:
    counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return int(counted["rchar"])


def apart(way: str, location: Path) -> Cost | None:
    """The same in a process of its own; None where it fails or takes too long."""
    command = [sys.executable, "-m", "benchmarks.plans", "--way", way, "--within", str(location)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        print(f"{way}: {str(getattr(error, 'stderr', '') or error)[-300:]}", file=sys.stderr)
        return None
    found: Cost = json.loads(done.stdout.splitlines()[-1])
    return found


def show(stores: dict[int, Path], repeats: int) -> None:
    console = Console(width=120)
    size, largest = max(stores.items())
    total = bytes_of(largest) / 1e6
    table = Table("question", "way", "median s", "MB read", "of the store", "peak MB", title=f"{size:,} samples")
    for question, ways in QUESTIONS.items():
        runs: dict[str, list[Cost]] = {name: [] for name in ways}
        for _ in range(repeats):  # in turns: the machine's mood is shared
            for name in ways:
                run = apart(f"{question} | {name}", largest)
                runs[name] += [run] if run else []
        for name, found in runs.items():
            table.add_row(question if name == "misread" else "", name, *_told(found, total))
    console.print(table)
    table = Table("samples", "plan s", "by hand s", "ratio", "plan peak MB", "by hand peak MB", title="fused vectors")
    for count, location in stores.items():
        pairs = [(apart("fused", location), apart("fused by hand", location)) for _ in range(repeats)]
        whole = [(ours, hand) for ours, hand in pairs if ours and hand]
        ratio = median(ours["seconds"] / hand["seconds"] for ours, hand in whole)
        seconds = [f"{median(pair[k]['seconds'] for pair in whole):.1f}" for k in (0, 1)]
        peaks = [f"{max(pair[k]['peak'] for pair in whole):.0f}" for k in (0, 1)]
        table.add_row(f"{count:,}", *seconds, f"{ratio:.2f}", *peaks)
    console.print(table)
    twice = apart("again", largest)
    if twice:
        told = f"{twice['first']:.1f} s, then {twice['second']:.2f} s ({twice['rows']:,.0f} fused vectors)"
        console.print(f"The same plan collected twice: {told}, {twice['first'] / twice['second']:.0f} times faster.")


def _told(runs: Sequence[Cost], total: float) -> list[str]:
    if not runs:
        return ["failed", "", "", ""]
    read = median(run["megabytes"] for run in runs)
    seconds, peak = median(run["seconds"] for run in runs), max(run["peak"] for run in runs)
    return [f"{seconds:.2f}", f"{read:.1f}", f"{read / total:.2%}", f"{peak:.0f}"]


if __name__ == "__main__":
    main()
