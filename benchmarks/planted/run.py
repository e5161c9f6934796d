"""Running methods on settings, in this process or in several."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.peers import Audit, method
from misread.plan import Discover
from misread.threads import one_thread

from .measures import Booleans, measure
from .null import null_rows
from .planting import Planted, plant
from .rows import Row, fingerprint, surroundings
from .setting import Setting
from .sources import load

Task = tuple[Setting, tuple[str, ...]]
NEEDS_METADATA = ("sliceline",)
AUDIT = "audit"
"""The whole audit of misread, run where there is nothing to find."""


def fits(setting: Setting, name: str) -> bool:
    """Whether a method can take part: some read metadata only, and null settings take whole audits."""
    if (setting.scenario == "null") != (name.split(":", maxsplit=1)[0] == AUDIT):
        return False
    return not name.startswith(NEEDS_METADATA) or "metadata" in setting.modalities


def run_all(tasks: Sequence[Task], cache: Path, films: int, workers: int) -> Iterator[list[Row]]:
    """The rows of every task, as they are done; tasks of one draw stay in one process."""
    groups: dict[Setting, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task[0].drawn, []).append(task)
    if workers == 1 or len(groups) == 1:
        for group in groups.values():
            yield run_group(group, cache, films)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(run_group, group, cache, films) for group in groups.values()]):
            yield future.result()


def run_group(tasks: Sequence[Task], cache: Path, films: int) -> list[Row]:
    """The rows of the settings of one draw."""
    with one_thread():
        return [row for setting, names in tasks for row in run_setting(setting, names, cache, films)]


@lru_cache(maxsize=2)
def _planted(drawn: Setting, cache: Path, films: int) -> Planted:
    return plant(drawn, load(drawn.source, cache, films))


def run_setting(setting: Setting, names: Sequence[str], cache: Path, films: int) -> list[Row]:
    """One row a method; a setting that cannot be drawn gives rows that say so."""
    about = {"key": setting.key, "cell": setting.cell, "setting": asdict(setting), "seed": setting.seed, "films": films}
    if setting.scenario == "null":
        return [{**about, **surroundings(), **_null(setting, name, cache, films)} for name in names]
    try:
        planted = _planted(setting.drawn, cache, films)
    except LookupError as error:
        return [{**about, "method": name, "code": fingerprint(name), "failed": str(error)} for name in names]
    fitting, scored, truth = planted.audits(setting.modalities)
    about |= {"details": dict(planted.details), **surroundings()}
    return [
        {**about, "method": name, "code": fingerprint(name), **run_method(name, fitting, scored, truth, setting.seed)}
        for name in names
    ]


def _null(setting: Setting, name: str, cache: Path, films: int) -> Row:
    asked = name.partition(":permutations=")[2]
    permutations = int(asked) if asked else Discover.permutations
    row = {"method": name, "code": fingerprint(name)}
    try:
        return {**row, **null_rows(setting, load(setting.source, cache, films), permutations)}
    except Exception:  # noqa: BLE001 - one audit's failure must not end the others' run
        return {**row, "failed": traceback.format_exc(limit=4)}


def run_method(name: str, fitting: Audit, scored: Audit, truth: Booleans, seed: int) -> Row:
    """Measures of one method, with and without the labels of the scored rows; what went wrong, if it did."""
    chosen = method(name)
    fresh, fresh_scored = fitting.take(np.ones(len(fitting), bool)), scored.take(np.ones(len(scored), bool))
    began = time.perf_counter()
    try:
        fitted = chosen.fit(fresh, seed % 2**31)
        found = {True: fitted.score(fresh_scored, True)}
        seconds = time.perf_counter() - began
        found[False] = fitted.score(fresh_scored, False)
        members = {known: fitted.members(fresh_scored, known) for known in (True, False)}
    except Exception:  # noqa: BLE001 - one method's failure must not end the others' run
        return {"failed": traceback.format_exc(limit=4)}
    chances = {known: chance(scored, truth, known) for known in (True, False)}
    return {
        "configuration": repr(chosen),
        "found": found[True].shape[1],
        "seconds": round(seconds, 4),
        "with_labels": measure(found[True], members[True], truth, chances[True]),
        "without_labels": measure(found[False], members[False], truth, chances[False]),
    }


def chance(scored: Audit, truth: Booleans, with_labels: bool) -> np.ndarray:
    """(t,) what random ranking gives: the slice's share of the rows, of its class where labels are known."""
    shares = []
    for inside in truth.T:
        classes = np.unique(scored.label[inside])
        known = with_labels and len(classes) == 1
        shares.append(inside[scored.label == classes[0]].mean() if known else inside.mean())
    return np.array(shares)
