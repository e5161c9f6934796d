"""The search held in memory and the search out of core on the same rows: P@10 of both, in pairs.

In memory: every candidate judged by its own scores of all rows, candidates sought among all errors. Out of core:
vectors on disk, four candidates judged so, the others by bins, all of them sought among at most so many errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.peers.ours import rules_of
from benchmarks.planted.measures import interval
from benchmarks.planted.run import run_setting
from benchmarks.planted.setting import settings
from benchmarks.scale.archive import PLANTS, parts
from benchmarks.scale.jobs import Known, Result, agreement, known_rows
from misread import spill
from misread.discover import MOST_ERRORS, Rule
from misread.fitting import FusionFit
from misread.fuse import Block
from misread.plan import Discover
from misread.schemas.values import CONFIRMATION, DISCOVERY
from misread.spill import put_aside
from misread.threads import one_thread

searching = import_module("misread.discover.search")
binned = import_module("misread.discover.binned")
HELD, COUNTED = "held", "counted"
CELLS = "indiana/*/report,nih/*/image,demo/*/image+report"
Pair = dict[str, float | str]


@contextmanager
def in_memory() -> Iterator[None]:
    """Nothing is sampled, judged by counts or put aside, however much it is."""
    with _limits(finalists=2**62, errors=2**62, vectors=2**62):
        yield


@contextmanager
def out_of_core(errors: int = MOST_ERRORS) -> Iterator[None]:
    """As with an archive too large to be held, however small it is; candidates are sought among so many `errors`."""
    with _limits(finalists=binned.FINALISTS, errors=errors, vectors=0):
        yield


@contextmanager
def _limits(finalists: int, errors: int, vectors: int) -> Iterator[None]:
    drawn = searching.drawn
    with ExitStack() as changed:
        changed.enter_context(patch.object(binned, "FINALISTS", finalists))
        changed.enter_context(patch.object(searching, "drawn", lambda rows, *_: drawn(rows, errors)))
        changed.enter_context(patch.object(spill, "HELD_BYTES", vectors))
        yield


def made_up(archives: int, rows: int, errors: int = MOST_ERRORS) -> Iterator[Pair]:
    """A pair for every planted slice of every archive, whose discovery half has about `rows` rows."""
    for seed in range(1, archives + 1):
        known = known_rows(2 * rows, seed)
        vectors = fused(known, seed)
        mine, held_out = known.half == DISCOVERY, known.half == CONFIRMATION
        fitting, waiting = known.of(DISCOVERY), known.of(CONFIRMATION)
        found: dict[str, dict[str, Result]] = {}
        for name, limits in ((HELD, in_memory()), (COUNTED, out_of_core(errors=errors))):
            with limits, one_thread():
                rules = rules_of(
                    put_aside(int(mine.sum()), vectors.shape[1], [vectors[mine]]), fitting, Discover.min_size
                )
            found[name] = agreements(rules, vectors[held_out], waiting)
        for one in PLANTS:
            yield {"draw": str(seed), "kind": one.name} | {n: float(told[one.name]["p10"]) for n, told in found.items()}


def fused(known: Known, seed: int) -> NDArray[np.float64]:
    """The fused vectors (n, k) of an archive's rows that is in no store; the fusion is fitted on the discovery half."""
    fit: FusionFit | None = None
    for part in parts(len(known.label), seed):
        mine = known.half[part.start : part.start + len(part.label)] == DISCOVERY
        blocks = {name: Block(rows[mine], np.ones(int(mine.sum()), bool)) for name, rows in part.vectors.items()}
        fit = fit or FusionFit(blocks)
        fit.add(blocks)
    assert fit is not None
    fusion = fit.fusion()
    every = (
        fusion.transform({name: Block(rows, np.ones(len(rows), bool)) for name, rows in part.vectors.items()})
        for part in parts(len(known.label), seed)
    )
    return np.concatenate(list(every))


def agreements(rules: Sequence[tuple[int, Rule]], vectors: NDArray[np.float64], known: Known) -> dict[str, Result]:
    """For every planted slice the found one that agrees best with it (F1) on some rows, best rows first."""
    members = []
    for true_class, rule in rules:
        scores = rule.scores(vectors)
        inside = np.flatnonzero((scores >= rule.cut) & (known.label == true_class))
        members.append((true_class, inside[np.argsort(-scores[inside], kind="stable")]))
    told = {}
    for number, one in enumerate(PLANTS):
        whole = int((known.plant == number).sum())
        seen = [agreement(known.plant[inside] == number, whole) for c, inside in members if c == one.true_class]
        told[one.name] = max(
            (s for s in seen if s["f1"]), key=lambda s: s["f1"], default=agreement(np.zeros(0, bool), 0)
        )
    return told


def real(count: int, cache: Path, films: int, cells: str = CELLS) -> Iterator[Pair]:
    """Pairs of the settings of `benchmarks.planted` (split report): both ways on `count` draws of every cell.

    Their classes have hundreds of rows, and as few errors that all of them are sought in.
    """
    for setting in settings(cells.split(","), "report", count):
        if setting.scenario == "null":
            continue
        found = {}
        for name, limits in ((HELD, in_memory()), (COUNTED, out_of_core())):
            with limits, one_thread():
                (found[name],) = run_setting(setting, ["ours:lists=0"], cache, films)
        if not any("failed" in row for row in found.values()):
            for number in range(len(found[HELD]["with_labels"])):
                p10s = {name: float(row["with_labels"][number]["p10"]) for name, row in found.items()}
                yield {"draw": setting.drawn.key, "kind": setting.source} | p10s


def paired(pairs: Sequence[Pair], title: str) -> Table:
    """Means of both, their difference with its 95 % interval (draws are resampled), and which is higher how often."""
    table = Table("planted", "pairs", "in memory", "out of core", "less in memory", "lower, equal, higher", title=title)
    for kind in (*dict.fromkeys(str(pair["kind"]) for pair in pairs), "all"):
        mine = [pair for pair in pairs if kind in (pair["kind"], "all")]
        held, counted = (np.array([float(pair[name]) for pair in mine]) for name in (HELD, COUNTED))
        less, low, high = interval(counted - held, np.array([pair["draw"] for pair in mine]), 0)
        signs = [int((np.sign(counted - held) == sign).sum()) for sign in (-1, 0, 1)]
        told = f"{less:+.3f} [{low:+.3f}, {high:+.3f}]"
        table.add_row(kind, str(len(mine)), f"{held.mean():.3f}", f"{counted.mean():.3f}", told, str(signs)[1:-1])
    return table
