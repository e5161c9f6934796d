"""One thread for linear algebra: sums in one order give the same answer on two cores and on sixteen.

For the small matrices of a search it is also many times faster than two threads that wait for each other.
"""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield
