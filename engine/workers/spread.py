"""Vectors that stay in the processes that made them, each of which works on the parts it holds."""

from __future__ import annotations

import contextlib
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count, pairwise
from operator import itemgetter
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from misread.memory import give_back, map_large
from misread.spill import Floats, Node, Parted, Places, Spilled, Vectors, are_held, cuts_of, joined
from misread.threads import in_order, one_thread

from .tasks import AHEAD, result_of, told

A = TypeVar("A")
R = TypeVar("R")
Numbers = NDArray[np.intp]
Join = Callable[[Iterable[R]], R]
Work = tuple[Callable[..., R], Join[R]]

UNITS: Final = 4
"""Parts are dealt out in units of 1, 2, 4, ... of them, the largest of which every process still gets 4 of.

Else what two processes hold could seldom be joined before it travels.
"""
PROCESSES: Final = 4
"""Processes of a machine, at most; they share its cores, as what threads of one process give is joined before it
travels."""


class Holder:
    """One of the processes: the tables it holds rows of, each on its own disk, by key.

    `first`: the number of the first part it holds; `threads`: how many parts it works on at a time.
    """

    def __init__(self, first: int, threads: int) -> None:
        self._first, self._threads = first, threads
        self._tables: dict[int, Spilled] = {}
        map_large()

    def ask(self, method: str, *given: Any) -> tuple[Any, tuple[str, str] | None]:
        with one_thread():
            return told(partial(getattr(self, method), *given))

    def begin(self, key: int, columns: int, cuts: Numbers) -> None:
        self._tables[key] = Spilled(columns, cuts)

    def add(self, key: int, work: Callable[[A], Floats], items: Sequence[A]) -> int:
        table = self._tables[key]
        before = len(table)
        for rows in in_order(work, items, self._threads):
            table.append(rows)
        give_back()
        return len(table) - before

    def choose(self, key: int, chosen: int, numbers: Numbers, gone: Sequence[int]) -> None:
        for one in gone:
            self._tables.pop(one, None)
        self._tables[chosen] = self._tables[key].copied(numbers)

    def rows(self, key: int, numbers: Numbers) -> Floats:
        return self._tables[key][numbers]

    def nodes(self, key: int, work: Work[R], *aligned: NDArray[Any]) -> list[Node[R]]:
        return self._tables[key].nodes(*work, aligned, first=self._first, beside=self._threads)


class Crew:
    """All of these processes, which end with the last table they hold, or with Ray."""

    def __init__(self, handles: Sequence[Any]) -> None:
        self._handles, self._keys = handles, count()
        self.gone: deque[int] = deque()
        """Tables that nobody asks any more; their rows are given up when others are chosen."""

    def __len__(self) -> int:
        return len(self._handles)

    def new_key(self) -> int:
        return next(self._keys)

    def begin(self, number: int, method: str, *given: Any) -> Any:
        return self._handles[number].ask.remote(method, *given)

    def each(self, method: str, given: Iterable[Sequence[Any]]) -> Iterator[Any]:
        """The answers of all, in their order; `given`: what each of them is asked with."""
        asked = deque(self.begin(number, method, *one) for number, one in enumerate(given))
        while asked:
            yield result_of(asked.popleft())


class Spread(Parted):
    """Rows (n, k) float64 held by a crew: `ends` (c + 1,) says which rows are whose.

    Only what is asked for travels: rows by number, what parts give, joined as far as a process can, and of `aligned`
    arrays everybody's own rows. Chosen rows stay where they are, unless they are few enough for an array.
    """

    def __init__(self, crew: Crew, ends: Numbers, columns: int) -> None:
        self.crew, self._ends, self.key = crew, ends, crew.new_key()
        self.shape = int(ends[-1]), columns
        weakref.finalize(self, crew.gone.append, self.key).atexit = False

    def __getitem__(self, rows: slice | Places) -> Floats:
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        owners = np.searchsorted(self._ends[1:], numbers, side="right")
        order = np.argsort(owners, kind="stable")
        asked = [(o, numbers[order[owners[order] == o]] - self._ends[o]) for o in np.unique(owners).tolist()]
        answers = deque(self.crew.begin(owner, "rows", self.key, own) for owner, own in asked)
        found, done = np.empty((len(numbers), self.shape[1])), 0
        while answers:
            part = result_of(answers.popleft())
            found[order[done : done + len(part)]] = part
            done += len(part)
        return found

    def folded(self, work: Callable[..., R], join: Join[R], *aligned: NDArray[Any]) -> R:
        import ray

        shared = ray.put((work, join))
        given = ((self.key, shared, *(array[own] for array in aligned)) for own in self._own())
        nodes: Iterator[Node[R]] = (node for some in self.crew.each("nodes", given) for node in some)
        return joined(nodes, join)

    def chosen(self, numbers: Numbers) -> Vectors:
        if are_held(len(numbers), self.shape[1]):
            return self[numbers]
        ends = np.searchsorted(numbers, self._ends)
        some = Spread(self.crew, ends, self.shape[1])
        gone: list[int] = []
        with contextlib.suppress(IndexError):  # resamples are chosen beside each other: others take from it, too
            while True:
                gone.append(self.crew.gone.popleft())
        own = (numbers[low:high] - start for low, high, start in zip(ends, ends[1:], self._ends, strict=False))
        for _ in self.crew.each("choose", ((self.key, some.key, mine, gone) for mine in own)):
            pass
        return some

    def _own(self) -> Iterator[slice]:
        return (slice(int(low), int(high)) for low, high in zip(self._ends, self._ends[1:], strict=False))


def spread(
    shape: tuple[int, int],
    work: Callable[[A], Floats],
    item_of: Callable[[slice], A],
    tick: Callable[[int], None],
) -> Spread:
    """Rows of that shape: of each part what `work(item_of(its rows))` gives, made by the process that then holds it.

    Ray has been reached (see `workers`). The processes are those of `places`, as far as there are parts for them, and
    hold as many rows each. `work` is a function of a module, items can be pickled; `tick(rows)` is called for every few
    parts. Raises MisreadError where a process fails or is killed, then and whenever the rows are used.
    """
    import ray

    cuts, found = cuts_of(shape[0]), places()
    firsts = dealt(len(cuts) - 1, len(found))
    crew = Crew([_started(first, *place) for first, place in zip(firsts[:-1], found, strict=False)])
    vectors = Spread(crew, cuts[firsts], shape[1])
    each = ((vectors.key, shape[1], cuts[low : high + 1] - cuts[low]) for low, high in pairwise(firsts))
    list(crew.each("begin", each))
    waiting: deque[Any] = deque()
    shared = ray.put(work)
    for owner, parts in _in_turn(firsts, [threads for _, threads in found]):
        items = [item_of(slice(*cuts[part : part + 2].tolist())) for part in parts]
        waiting.append(crew.begin(owner, "add", vectors.key, shared, items))
        if len(waiting) >= AHEAD * len(crew):
            tick(result_of(waiting.popleft()))
    while waiting:
        tick(result_of(waiting.popleft()))
    return vectors


def dealt(parts: int, processes: int) -> list[int]:
    """The number of the first part of every process that gets some, and of all parts: consecutive ones, in order."""
    unit = 1
    while 2 * unit * UNITS * processes <= parts:
        unit *= 2
    units = -(-parts // unit)
    busy = min(processes, units)
    return [min(number * units // busy * unit, parts) for number in range(busy + 1)]


def places() -> list[tuple[str, int]]:
    """A machine, by Ray's name for it, and a number of threads for each process: all cores of all machines.

    The first of every machine, then the second ones. A machine without cores for work has none, unless none has any.
    """
    import ray

    cores = {node["NodeID"]: int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]}
    least = 0 if any(cores.values()) else 1
    shares = sorted(
        (number, node, max(most // processes, 1))
        for node, most in cores.items()
        for processes in [min(max(most, least), PROCESSES)]
        for number in range(processes)
    )
    return [(node, threads) for _, node, threads in shares]


def _in_turn(firsts: Sequence[int], threads: Sequence[int]) -> Iterator[tuple[int, range]]:
    """Every process and some parts, for a thread each: the first of all processes, then the second ones."""
    owned = (
        (turn, owner, range(low, high)[turn * many : (turn + 1) * many])
        for owner, ((low, high), many) in enumerate(zip(pairwise(firsts), threads, strict=False))
        for turn in range(-(-(high - low) // many))
    )
    return ((owner, parts) for _, owner, parts in sorted(owned, key=itemgetter(0, 1)))


def _started(first: int, node: str, threads: int) -> Any:
    """A process there. It reserves no cores: tasks that are run while vectors are held would wait for ever."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.remote(Holder).options(num_cpus=0, scheduling_strategy=there).remote(first, threads)
