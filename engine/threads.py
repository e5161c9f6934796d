"""Threads: one alone for linear algebra, several for work whose results come in order.

Sums in one order give the same answer on two cores and on sixteen; and for the small matrices of a search one thread is
many times faster than two that wait for each other.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import count, takewhile
from typing import Any, TypeVar

A = TypeVar("A")
B = TypeVar("B")

_mine = threading.local()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def cores() -> int:
    """How many cores this thread may use: all that the process may, or its share of them (see `in_order`)."""
    own: int | None = getattr(_mine, "cores", None)
    return own or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))


def in_order(
    work: Callable[[A], B], items: Iterable[A], workers: int | None = None, *, waiting: int = 1
) -> Generator[B, None, None]:
    """The results of `work` in the order of `items`, worked out beside each other (default: as many as `cores`).

    A few items are taken ahead of what is used, so that what they hold stays bounded: as many as there are workers,
    and `waiting` more, so that no worker waits while a result is used; 0 where results are large. `work` must not
    depend on what other items do; the first error is raised in its place, and no later item is begun. Where it works
    in order itself, it has an equal share of the cores for that; with one core, no thread of its own is begun.
    """
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    all_cores = cores()
    beside = workers or all_cores
    if beside == 1 and workers is None:
        yield from map(work, items)
        return
    share = max(all_cores // beside, 1)

    def shared(item: A) -> B:
        _mine.cores = share
        return work(item)

    begun: deque[Future[B]] = deque()
    with ThreadPoolExecutor(beside) as pool:
        try:
            for item in items:
                begun.append(pool.submit(shared, item))
                if len(begun) >= beside + waiting:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()


def ahead(items: Iterable[A]) -> Iterator[A]:
    """The items, taken by a thread of their own while the last one is used: at most two wait. An error of theirs is
    raised in its place; where the taker stops early, so does the thread."""
    iterator, end = iter(items), object()
    taken: Generator[Any, None, None] = in_order(lambda _: next(iterator, end), count(), 1, waiting=2)
    with contextlib.closing(taken):
        yield from takewhile(lambda item: item is not end, taken)
