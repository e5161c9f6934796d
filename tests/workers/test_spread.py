"""Vectors that stay in the processes of Ray: the same rows, sums and audits as on one machine."""

import gc
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from misread import spill
from misread.discover import ClassModel, ClassRows, search
from misread.discover.discriminant import Moments
from misread.library import Store
from misread.schemas.errors import MisreadError
from misread.spill import Spilled, Vectors, chosen, climbed, folded, joined, mapped, scores_of, spread_of, total
from misread.threads import in_order
from misread.workers import Workers, spread, workers
from misread.workers.spread import UNITS, Crew, Spread, dealt, places
from stores import planted_store

spreading = import_module("misread.workers.spread")


@pytest.fixture(scope="module")
def two() -> Iterator[Workers]:
    """Processes of Ray; those that hold vectors end with the vectors."""
    if find_spec("ray") is None:
        pytest.skip("vectors are spread by Ray")
    with workers("local") as found:
        assert found is not None
        yield found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # Ray does not wait for the processes that it stops
        gc.collect()


@pytest.fixture(autouse=True)
def _three_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many cores there are; one of them works on two parts at a time."""
    monkeypatch.setattr(spreading, "places", lambda: [(places()[0][0], threads) for threads in (1, 2, 1)])


@pytest.fixture
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "PART_ROWS", 512)
    monkeypatch.setattr(spill, "HELD_BYTES", 1000)


def spread_rows(rows: np.ndarray) -> Spread:
    """The rows, in processes of their own."""
    done: list[int] = []
    found = spread(rows.shape, np.asarray, lambda part: rows[part], done.append)
    assert sum(done) == len(rows)
    return found


def alive(pids: np.ndarray) -> list[int]:
    return [pid for pid in np.unique(pids).tolist() if Path(f"/proc/{pid}").exists()]


def both(rows: np.ndarray) -> tuple[Vectors, Vectors]:
    here = Spilled(rows.shape[1])
    here.append(rows)
    return here, spread_rows(rows)


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 8, 13, 64, 100])
@pytest.mark.parametrize("processes", [1, 2, 5, 16])
def test_what_parts_give_is_joined_in_the_same_pairs_wherever_they_lie(parts: int, processes: int) -> None:
    """However parts are dealt out, or cut anywhere: in order, the same pairs, and few results of each process."""

    def join(given: list[str]) -> str:
        return f"({'+'.join(given)})"

    every = [(number, 1, str(number)) for number in range(parts)]
    expected = joined(every, join)
    assert [int(n) for n in expected.replace("(", "").replace(")", "").split("+")] == list(range(parts))
    firsts = dealt(parts, processes)
    assert firsts[0] == 0
    assert firsts[-1] == parts
    assert len(firsts) - 1 == min(parts, processes)
    some = [climbed(every[low:high], join) for low, high in pairwise(firsts)]
    assert joined([node for nodes in some for node in nodes], join) == expected
    assert max(len(nodes) for nodes in some) <= UNITS + np.log2(parts)
    assert sum(len(nodes) for nodes in some) <= 2 * UNITS * processes
    sizes = np.diff(firsts)
    assert sizes.min() > 0
    assert sizes.max() <= 2 * parts / len(sizes) + 1
    anywhere = np.sort(np.random.default_rng(parts).integers(0, parts + 1, 3)).tolist()
    some = [climbed(every[low:high], join) for low, high in pairwise([0, *anywhere, parts])]
    assert joined([node for nodes in some for node in nodes], join) == expected


@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("seed", [0, 1])
def test_rows_in_other_processes_are_the_rows_on_disk(seed: int, two: Workers) -> None:
    """Slices, masks, numbers in any order, rows chosen again and again, sums and scores: the same to the digit."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((int(rng.integers(4_000, 9_000)), 7))
    n = len(rows)
    here, there = both(rows)
    assert there.shape == rows.shape
    for _ in range(2):
        numbers = np.append(rng.integers(0, n, 500), [0, 0, n - 1])
        mask = rng.random(n) < 0.3
        for some in (numbers, mask, np.zeros(n, bool), slice(100, n - 900), slice(5, 2), slice(None, None, 7)):
            assert (there[some] == here[some]).all()
        weights, group = rng.random(n), rng.integers(-1, 3, n)
        for vectors in (here, there):
            assert isinstance(vectors, spill.Parted)
        found = [folded(v, lambda part, weight: part.T @ weight, total, weights) for v in (here, there)]
        assert (found[0] == found[1]).all()
        one, other = (Moments.by_group(v, group, 3) for v in (here, there))
        for a, b in zip(one, other, strict=True):
            assert a.rows == b.rows
            assert (a.total == b.total).all()
            assert (a.squares == b.squares).all()
        assert (spread_of(here) == spread_of(there)).all()
        assert (scores_of(here, rows[0]) == scores_of(there, rows[0])).all()
        kept = [mapped(v, lambda part, mine: part[mine], mask) for v in (here, there)]
        assert (kept[0] == kept[1]).all()
        again = np.sort(rng.integers(0, n, 2 * n // 3))  # some more than once
        here, there = chosen(here, again), chosen(there, again)
        n = len(again)
        assert (there[:] == here[:]).all()
    assert isinstance(chosen(there, np.arange(3)), np.ndarray)


@pytest.mark.usefixtures("_small_parts")
def test_rows_that_nobody_asks_for_are_given_up(two: Workers) -> None:
    """A process keeps no table that was chosen and dropped beyond the next one that is chosen."""
    rows = np.random.default_rng(0).standard_normal((4_000, 5))
    there = spread_rows(rows)
    for _ in range(3):
        some = there.chosen(np.arange(0, 4_000, 2))
        assert isinstance(some, Spread)
        del some
    assert len(there.crew.gone) == 1


class Asked(Crew):
    """A crew without processes, which notes what it is asked."""

    def __init__(self) -> None:
        super().__init__([])
        self.asked: list[Sequence[Any]] = []

    def each(self, method: str, given: Iterable[Sequence[Any]]) -> Iterator[Any]:
        self.asked += given
        return iter(())


def test_every_table_is_given_up_once_however_many_choose_at_once() -> None:
    """Rows chosen in several threads: each table that nobody asks for is told to the processes, by one of them."""
    crew = Asked()
    there = Spread(crew, np.array([0, 5]), columns=10**7)  # no rows are there; as many numbers do not fit an array
    given_up = range(100, 200_100)
    crew.gone.extend(given_up)
    kept = list(in_order(there.chosen, [np.arange(5)] * 32, 16))
    told = [key for _, _, _, gone in crew.asked for key in gone]
    assert sorted(told) == list(given_up)
    assert len(kept) == len(crew.asked)


@pytest.mark.slow
@pytest.mark.usefixtures("_small_parts")
@pytest.mark.parametrize("kind", ["errors", "losses"])
def test_a_search_over_processes_is_the_search_on_disk(kind: str, two: Workers) -> None:
    """The same rules to the digit, of errors and of losses."""
    rng = np.random.default_rng(2)
    n = 12_000
    vectors = rng.standard_normal((n, 12))
    member = rng.random(n) < 0.08
    vectors[member, :2] += 2.2
    losses = rng.random(n) < np.where(member, 0.6, 0.15)
    values = losses if kind == "errors" else rng.exponential(1.0, n) + 2.0 * losses
    rules = [
        search(ClassRows(1, v, values, np.arange(n) // 2, ClassModel(np.zeros(12), 0.0)), smallest=10, most=2)
        for v in both(vectors)
    ]
    assert len(rules[0]) > 0
    for one, other in zip(*rules, strict=True):
        assert (one.direction == other.direction).all()
        assert (one.cut, one.statistic) == (other.cut, other.statistic)


@pytest.mark.slow
@pytest.mark.parametrize("losses", [False, True])
def test_an_audit_over_ray_is_the_audit_of_one_machine(
    losses: bool, two: Workers, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Audit id, slices, members, phrases and examples: the same to the digit, of vectors too large to be held."""
    monkeypatch.setattr(spill, "HELD_BYTES", 1_000)
    monkeypatch.setattr(spill, "PART_ROWS", 100)
    kept = []
    for name, beside in (("here", None), ("there", two)):
        store = planted_store(tmp_path_factory.mktemp("spread") / name, samples=800, per_patient=2)
        frame = store.scan().filter("view = 'PA' OR age > 20").fuse().discover(permutations=19, stability=2).describe()
        audit = frame.sink(workers=beside)
        opened = Store.open(store.location)
        tables = ("slices", "memberships", "phrases", "examples", "contrast_words", "audit_targets")
        kept.append([audit, *(opened.sql(f"SELECT * FROM {name} ORDER BY ALL") for name in tables)])
    assert kept[0][0] == kept[1][0]
    assert kept[0][2].height > 50
    for one, other in zip(kept[0][1:], kept[1][1:], strict=True):
        assert_frame_equal(one, other, check_exact=True)


@pytest.mark.slow
def test_an_audit_that_loses_a_process_leaves_nothing(
    two: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed in the middle of the search: an error in words, and the store is as it was; the next audit works."""
    monkeypatch.setattr(spill, "HELD_BYTES", 1_000)
    monkeypatch.setattr(spill, "PART_ROWS", 100)
    store = planted_store(tmp_path / "store", samples=600)
    before = store.manifest
    killed: list[int] = []

    def kill(done: int, _: int, what: str) -> None:
        if what == "searching for slices" and done == 2 and not killed:
            killed.append(holders()[0])
            os.kill(killed[0], signal.SIGKILL)

    frame = store.scan().fuse().discover(permutations=19, stability=2)
    with pytest.raises(MisreadError, match="a Ray process that held vectors is gone: "):
        frame.sink(progress=kill, workers=two)
    assert len(killed) == 1
    assert Store.open(store.location).manifest == before
    assert Store.open(store.location).scan().fuse().discover(permutations=19, stability=2).sink(workers=two)


@pytest.mark.slow
def test_ray_is_started_without_a_warning_and_what_it_puts_on_disk_is_for_its_owner_alone() -> None:
    """Also where Ray was imported before. Lance warns of every fork, once a store was read: Ray's programs are forked
    and are others at once, which is nobody's concern. Ray's folder is open to everybody: what does not fit into its
    memory, and what it logs, is not."""
    code = """
import lance, os, pathlib, ray, time
from importlib import import_module
tasks = import_module("misread.workers.tasks")
tasks.SHARED_MEMORY = 80 << 20
os.umask(0o022)
with tasks.workers("local") as found:
    assert found.cpus
    held = [ray.put(bytes(12 << 20)) for _ in range(12)]
    folder = pathlib.Path(ray._private.worker._global_node.get_session_dir_path())
    for _ in range(100):
        files = [file for file in folder.rglob("*") if file.is_file()]
        spilled = [file for file in files if "ray_spilled_objects" in str(file)]
        if spilled:
            break
        time.sleep(0.1)
    print(len(spilled) > 0, [str(file) for file in files if file.stat().st_mode & 0o077])
    assert os.umask(0o022) == 0o022
"""
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "True []", "")


def holders() -> list[int]:
    """The processes that hold vectors."""
    commands = ((path.parent.name, path.read_bytes()) for path in Path("/proc").glob("[0-9]*/cmdline"))
    return [int(pid) for pid, command in commands if command.startswith(b"ray::Holder")]


def test_machines_with_another_misread_are_told(two: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same version everywhere is no error; another one is told with its machine, before any work."""
    tasks = import_module("misread.workers.tasks")
    tasks.check_versions()
    monkeypatch.setattr(tasks, "version", lambda _name: "99.0")
    with pytest.raises(MisreadError, match=r"other versions of misread than this one, 99\.0: \S+ at \d"):
        tasks.check_versions()


@pytest.mark.usefixtures("_small_parts")
def test_a_process_that_is_killed_is_told_in_words(two: Workers) -> None:
    """Vectors that are gone are an error that says so, and what to do; errors of a process come as they are."""
    rows = np.random.default_rng(0).standard_normal((4_000, 5))
    there = spread_rows(rows)
    with pytest.raises(MisreadError, match=r"a Ray worker failed: .*ValueError"):
        folded(there, lambda part: part.reshape(3, 1_000_000), total)
    pids = mapped(there, lambda part: np.array([os.getpid()]))
    os.kill(int(pids[-1]), signal.SIGKILL)
    with pytest.raises(MisreadError, match="a Ray process that held vectors is gone: ") as raised:
        folded(there, partial(np.sum, axis=0), total)
    assert "run the same command again" in str(raised.value.hint)
    del there, raised  # what was raised knows them, too
    gc.collect()
    until = time.monotonic() + 60
    while alive(pids) and time.monotonic() < until:
        time.sleep(0.2)
    assert not alive(pids)
