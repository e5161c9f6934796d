"""`python -m benchmarks.timing`: what an audit costs beside the Domino mixture, on the same vectors in the same run.

Every measurement is a process of its own, for its peak memory; the two methods take turns.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.audits import audited
from benchmarks.peers import Audit, method
from misread.fuse import Block
from misread.schemas.values import CONFIRMATION, DISCOVERY
from misread.threads import one_thread

IMAGE, REPORT = 512, 384
LATENT = 100
SHUFFLES = 19
Measured = dict[str, float]
JOBS = ("audit", "calibrated", "domino")


def rows(n: int, seed: int) -> tuple[Audit, np.ndarray]:
    """`n` rows of two modalities with a falling spectrum, one slice in each class, and the half of each row."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((n, LATENT)) / np.sqrt(1 + np.arange(LATENT))
    blocks = {}
    for name, dimension in (("image", IMAGE), ("report", REPORT)):
        mixed = hidden @ rng.standard_normal((LATENT, dimension)) + 0.3 * rng.standard_normal((n, dimension))
        blocks[name] = Block(mixed.astype(np.float32), np.ones(n, bool))
    label = (rng.random(n) < 0.4).astype(np.intp)
    inside = np.where(label == 1, hidden[:, 5] > 0.6, hidden[:, 9] > 0.5)
    error = rng.random(n) < np.where(inside, 0.6, 0.15)
    sure = 0.5 + 0.5 * rng.random(n)
    score = np.where((label == 1) != error, sure, 1 - sure)
    half = np.where(np.arange(n) % 2 == 0, DISCOVERY, CONFIRMATION)
    predicted = (score >= 0.5).astype(np.intp)
    return Audit(blocks, pl.DataFrame(), label, score, predicted, predicted != label, np.arange(n)), half


def once(job: str, n: int, seed: int) -> Measured:
    """Seconds and GB (beyond the vectors themselves) of one job."""
    import hdbscan  # noqa: F401 - reading code from disk is not what is measured
    import scipy.special  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    audit, half = rows(n, seed)
    fitting, scored = audit.take(half == DISCOVERY), audit.take(half == CONFIRMATION)
    before = peak(fresh=True)
    began = time.perf_counter()
    with one_thread():
        if job == "domino":
            found = method("domino").fit(fitting, seed).score(scored, True).shape[1]
        else:
            shuffles = SHUFFLES if job == "calibrated" else 0
            taken = (audit.patients, half, audit.label, audit.score)
            found = len(audited(audit.blocks, *taken, seed=seed, permutations=shuffles))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "gigabytes": peak() - before, "found": found}


def peak(*, fresh: bool = False) -> float:
    """GB this process has held at most, since `fresh` was last asked for; NaN but on Linux."""
    if not Path("/proc/self/clear_refs").exists():
        return float("nan")
    if fresh:
        Path("/proc/self/clear_refs").write_text("5")
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 2**20


def measured(job: str, n: int, seed: int) -> Measured:
    command = [sys.executable, "-m", "benchmarks.timing", "--job", job, "--rows", str(n), "--seed", str(seed)]
    result: Measured = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return result


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.job:
        print(json.dumps(once(asked.job, asked.rows[0], asked.seed)))
        return
    console = Console()
    todo = [(n, seed, job) for n in asked.rows for seed in range(asked.rounds) for job in JOBS]
    results = {task: measured(task[2], task[0], task[1]) for task in track(todo, "measuring", console=console)}
    console.print(compared(results, asked.rows, asked.rounds))


def compared(results: Mapping[tuple[int, int, str], Measured], sizes: Sequence[int], rounds: int) -> Table:
    """Medians, and every round's time over that round's Domino."""
    title = f"an audit of n x ({IMAGE} + {REPORT}), median of {rounds}"
    table = Table("rows", "job", "seconds", "of Domino's", "GB", "slices", title=title)
    for n in sizes:
        typical = {job: median([results[n, seed, job] for seed in range(rounds)]) for job in JOBS}
        for job, mine in typical.items():
            ratios = [results[n, s, job]["seconds"] / results[n, s, "domino"]["seconds"] for s in range(rounds)]
            ratio = f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            texts = (f"{mine['seconds']:.2f}", ratio, f"{mine['gigabytes']:.2f}", f"{mine['found']:.0f}")
            table.add_row(f"{n:,}", job, *texts)
        extra = typical["calibrated"]["seconds"] / typical["audit"]["seconds"] - 1
        table.add_row(f"{n:,}", f"{SHUFFLES} shuffles", "", f"{extra:.1f} times the audit", end_section=True)
    return table


def median(found: Sequence[Measured]) -> Measured:
    return {name: float(np.median([one[name] for one in found])) for name in found[0]}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.timing", description=__doc__)
    made.add_argument("--rows", type=int, nargs="+", default=[20_000, 60_000], help="how many rows (20000 60000)")
    made.add_argument("--rounds", type=int, default=3, help="how often each is measured (3)")
    made.add_argument("--seed", type=int, default=0, help=argparse.SUPPRESS)
    made.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    return made


if __name__ == "__main__":
    main()
