"""One thread for linear algebra: sums in one order give the same answer on two cores and on sixteen.

For the small matrices of a search it is also many times faster than two threads that wait for each other.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


def in_order(work: Callable[[A], B], items: Iterable[A], workers: int | None = None) -> Iterator[B]:
    """The results of `work` in the order of `items`, worked out beside each other (default: as many as cores).

    A few items are taken ahead of what is used, so that what they hold stays bounded. `work` must not depend on what
    other items do; the first error is raised in its place, and no later item is begun.
    """
    from collections import deque
    from concurrent.futures import Future, ThreadPoolExecutor

    count = workers or len(os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1))
    waiting: deque[Future[B]] = deque()
    with ThreadPoolExecutor(count) as beside:
        try:
            for item in items:
                waiting.append(beside.submit(work, item))
                if len(waiting) > count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
