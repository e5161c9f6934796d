"""Ctrl-C during a question: DuckDB works in native code, where Python's signals do not arrive."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def interruptible(connection: Any, work: Callable[[], T]) -> T:
    """The result of `work`, done beside this thread, which an interruption stops."""
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(work)
        try:
            return answer.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise
