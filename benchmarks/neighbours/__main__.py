"""`python -m benchmarks.neighbours`: the ways to neighbours side by side, and HDBSCAN on a graph of them.

HDBSCAN itself runs beside it. Points are the local coordinates that discovery clusters: one mass with tails and six
groups at its rim, on its first principal directions, at length 1. Every measurement is a process of its own. Where
there is CUDA, also the exact 16 nearest neighbours of 377,000 rows of 256 numbers, as a share of the rate at which the
device multiplies matrices.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.neighbours.trees import agreement, nodes_of
from benchmarks.timing import peak
from misread.discover.tree import local_coordinates
from misread.neighbours import WAYS, nearest
from misread.threads import one_thread

COUNT, SMALLEST, DENSITY = 16, 20, 5
GPU_ROWS, GPU_DIMENSION = 377_000, 256
ASKED = 500
"""Rows whose neighbours are held against those of comparing all."""
Result = dict[str, float]


def points(rows: int, dimension: int) -> np.ndarray:
    """(rows, dimension) float64."""
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((rows, max(100, dimension))) / np.sqrt(1 + np.arange(max(100, dimension)))
    for group in range(6):
        hidden[rng.integers(0, 60, rows) == 0, 3 * group : 3 * group + 3] += 3 / np.sqrt(1 + 3 * group)
    return local_coordinates(hidden, dimension)


def by_way(way: str, rows: int, dimension: int, device: str = "cpu") -> Result:
    """What the neighbours cost, and which share of the true ones they are; seconds of processors unless on a GPU.

    `device`: where tiles are worked out; the other ways have none.
    """
    made = points(rows, dimension)
    nearest(made[:500], COUNT, way=way, device=device)  # type: ignore[arg-type]  # what is loaded is not measured
    rate = multiplied(device) if way == "tiles" else float("nan")
    before = peak(fresh=True)
    began, worked = time.perf_counter(), time.process_time()
    found = nearest(made, COUNT, way=way, device=device)  # type: ignore[arg-type]
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    spent = seconds if device == "cuda" else cpu
    share = 2 * rows**2 * dimension / spent / rate
    return {"seconds": seconds, "cpu": cpu, "peak": peak() - before, "recall": recall(made, found.rows), "share": share}


def recall(made: np.ndarray, rows: np.ndarray) -> float:
    """The share of the true neighbours of some rows that were found."""
    shared = 0
    for one in np.linspace(0, len(made) - 1, ASKED).astype(int):
        squares = np.square(made - made[one]).sum(axis=1)
        squares[one] = np.inf
        shared += len(np.intersect1d(np.argpartition(squares, COUNT)[:COUNT], rows[one]))
    return shared / ASKED / COUNT


def multiplied(device: str) -> float:
    """Floating-point operations a second of a large float32 product: of one processor, or of the GPU."""
    import torch

    size, times = (8192, 20) if device == "cuda" else (2048, 5)
    one = torch.randn(size, size, device=device)
    clock: Callable[[], float] = time.perf_counter if device == "cuda" else time.process_time
    with one_thread():
        (one @ one).sum().item()
        began = clock()
        for _ in range(times):
            other = one @ one
        other.sum().item()  # waits for the device
    return 2.0 * size**3 * times / (clock() - began)


def by_tree(method: str, rows: int, dimension: int) -> Result:
    """What a tree costs beside exact HDBSCAN in the same process, and how well the two agree.

    `method`: `graph`, `fast_hdbscan`, or `shuffled`: hdbscan itself, of the same rows in another order.
    """
    warnings.simplefilter("ignore")
    made = points(rows, dimension)
    for each in (method, "hdbscan"):
        nodes_of(each, made[:300], SMALLEST, DENSITY)  # what is loaded and compiled is not what is measured
    with one_thread():
        began = time.process_time()
        theirs = nodes_of(method, made, SMALLEST, DENSITY)
        cpu = time.process_time() - began
        began = time.process_time()
        exactly = nodes_of("hdbscan", made, SMALLEST, DENSITY)
        reference = time.process_time() - began
    return {"cpu": cpu, "of hdbscan": cpu / reference, "hdbscan": reference, **agreement(exactly, theirs, rows)}


def measured(*job: str) -> Result:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.neighbours", "--job", *job]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: Result = json.loads(done.stdout)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.job:
        kind, name, rows, dimension, *device = asked.job
        run = (
            by_way(name, int(rows), int(dimension), *device)
            if kind == "way"
            else by_tree(name, int(rows), int(dimension))
        )
        print(json.dumps(run))
        return
    console = Console(width=120)
    sizes = (
        [(8192, 6), (8192, 64)]
        if asked.quick
        else [(20_000, 6), (20_000, 24), (20_000, 64), (20_000, 256), (100_000, 6), (60_000, 64)]
    )
    table = Table(
        "rows",
        "numbers",
        "way",
        "CPU s",
        "of exact",
        "recall",
        "GB",
        "of the matmul rate",
        title=f"{COUNT} nearest neighbours, all by the processor",
    )
    for rows, dimension in sizes:
        found = {way: measured("way", way, str(rows), str(dimension)) for way in WAYS}
        for way, one in found.items():
            share = f"{one['share']:.2f}" if way == "tiles" else ""
            ratio = f"{one['cpu'] / found['exact']['cpu']:.2f}"
            table.add_row(
                f"{rows:,}",
                f"{dimension}",
                way,
                f"{one['cpu']:.2f}",
                ratio,
                f"{one['recall']:.4f}",
                f"{one['peak']:.2f}",
                share,
            )
    console.print(table)
    sizes = [(4096, 6)] if asked.quick else [(8192, 6), (32_768, 6), (100_000, 6), (8192, 64), (32_768, 64)]
    table = Table(
        "rows",
        "numbers",
        "tree",
        "CPU s",
        "of hdbscan",
        "ARI eom",
        "ARI leaf",
        "nodes",
        "Jaccard, mean",
        "over .9",
        title="a tree beside exact hdbscan",
    )
    for rows, dimension in sizes:
        for method in ("graph", "shuffled", "fast_hdbscan"):
            one = measured("tree", method, str(rows), str(dimension))
            table.add_row(
                f"{rows:,}",
                f"{dimension}",
                method,
                f"{one['cpu']:.2f}",
                f"{one['of hdbscan']:.2f}",
                *(f"{one[n]:.3f}" for n in ("eom", "leaf")),
                f"{one['nodes']:.0f}",
                f"{one['mean']:.3f}",
                f"{one['alike']:.2f}",
            )
    console.print(table)
    on_gpu(console)


def on_gpu(console: Console) -> None:
    import torch

    if not torch.cuda.is_available():
        console.print(f"no GPU here (torch finds no CUDA): {GPU_ROWS:,} x {GPU_DIMENSION} was not run on one")
        return
    one = measured("way", "tiles", str(GPU_ROWS), str(GPU_DIMENSION), "cuda")
    told = f"{one['seconds']:.1f} s, {one['share']:.2f} of the matmul rate, recall {one['recall']:.4f}"
    console.print(f"{torch.cuda.get_device_name()}: {COUNT} nearest of {GPU_ROWS:,} x {GPU_DIMENSION}: {told}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.neighbours", description=__doc__)
    made.add_argument("--quick", action="store_true", help="a few thousand rows")
    made.add_argument("--job", nargs="+", help=argparse.SUPPRESS)
    return made


if __name__ == "__main__":
    main()
