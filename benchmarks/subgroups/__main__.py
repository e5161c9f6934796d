"""`python -m benchmarks.subgroups`: 50,000 rows of 30 categorical columns, by misread and by the SliceLine package.

Both with SliceLine's score, in turns, each in a process of its own, and whether the top ten are the same.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.side_by_side import Run, apart, measured

ROWS, COLUMNS, TOP = 50_000, 30, 10
ALPHA = 0.95
SETTINGS = ((2, 500), (3, 5000), (3, 2500))
"""Most terms and fewest rows. Three terms of 500 rows (one in a hundred) ask 56 GiB of the package's matrix product."""
SECONDS = 600
WAYS = ("misread", "sliceline")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subgroups", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--terms", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.only:
        print(json.dumps(asdict(run(asked.only, asked.terms, asked.size, asked.seed))))
        return
    table = Table("terms", "fewest rows", "misread s", "sliceline s", "ratio", "misread MB", "sliceline MB", "top ten")
    for terms, size in SETTINGS:
        table.add_row(str(terms), str(size), *compared(terms, size, asked.repeats, asked.seed))
    Console(width=120).print(table)


def compared(terms: int, size: int, repeats: int, seed: int) -> list[str]:
    """The cells of one setting: medians of seconds, their ratio, most memory, and whether the answers agree."""
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            options = ("--only", way, "--terms", str(terms), "--size", str(size), "--seed", str(seed))
            done = apart("benchmarks.subgroups", *options, seconds=SECONDS)
            if done is None:
                return ["", "", f"{way} did not finish", "", "", ""]
            runs[way].append(done)
    ours, theirs = (float(np.median([one.seconds for one in runs[way]])) for way in WAYS)
    memory = [f"{max(one.megabytes for one in runs[way]):.0f}" for way in WAYS]
    answers = (runs[way][0].answer for way in WAYS)
    return [f"{ours:.2f}", f"{theirs:.2f}", f"{theirs / ours:.0f}", *memory, agreement(*answers)]


def agreement(ours: object, theirs: object) -> str:
    """Whether the top ten are the same; or how many of ours, each counted from the rows, the package has missed."""
    assert isinstance(ours, list)
    assert isinstance(theirs, list)
    if ours == theirs:
        return "the same"
    missed = [one for one in ours if one not in theirs]
    higher = all(mine[1] >= other[1] for mine, other in zip(ours, theirs, strict=False))
    return f"{len(missed)} missed by sliceline" if higher else "DIFFERENT"


def run(way: str, terms: int, size: int, seed: int) -> Run:
    """One search; its answer is the rows and score of each of the top ten."""
    codes, errors = planted(seed)
    if way == "misread":
        from misread.subgroups import SliceLineScore, best_conjunctions

        def work() -> object:
            score = SliceLineScore(int(errors.sum()), len(errors), ALPHA)
            options = {"min_size": size, "top": TOP, "most_terms": terms, "improving": False}
            best = best_conjunctions(codes, errors, score, **options)
            return [[one.rows, round(one.score, 9)] for one in best]
    else:
        from benchmarks.peers.lines import package

        finder = package()

        def work() -> object:
            model = finder(alpha=ALPHA, k=TOP, max_l=terms, min_sup=size, verbose=False).fit(
                codes, errors.astype(float)
            )
            return [[int(t["slice_size"]), round(float(t["slice_score"]), 9)] for t in model.top_slices_statistics_]

    return measured(work)


def planted(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, d) of 2 to 11 uneven categories, and errors that gather in a pair and in a triple of values."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 12, COLUMNS)
    codes = np.stack([rng.choice(size, ROWS, p=rng.dirichlet(np.full(size, 2.0))) for size in sizes], axis=1)
    pair = (codes[:, 0] == 0) & (codes[:, 1] == 1)
    triple = (codes[:, 2] == 1) & (codes[:, 3] == 1) & (codes[:, 4] == 0)
    return codes, rng.random(ROWS) < np.where(triple, 0.5, np.where(pair, 0.4, 0.1))


if __name__ == "__main__":
    main()
