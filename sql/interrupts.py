"""Stopping a question: DuckDB works beside the main thread, which an interruption reaches at once."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

_LOOK_SECONDS = 0.2
_interrupted = threading.Event()


def remember_interruptions() -> None:
    """Makes an interruption (Ctrl-C) count even where it is raised in code that swallows exceptions.

    Python raises KeyboardInterrupt wherever the main thread is, which may be a callback from DuckDB or Arrow.
    For programs that own their process, such as the command line; call it from the main thread.
    """
    _interrupted.clear()
    signal.signal(signal.SIGINT, _remember)


def was_interrupted() -> bool:
    """Whether an interruption came since they are remembered."""
    return _interrupted.is_set()


def _remember(_number: int, _frame: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


def interruptible(connection: Any, work: Callable[[], T]) -> T:
    """The result of `work`, done beside this thread, which an interruption stops."""
    with ThreadPoolExecutor(1) as beside:
        answer = beside.submit(work)
        try:
            while True:
                try:
                    return answer.result(_LOOK_SECONDS)
                except TimeoutError:
                    if answer.done():
                        raise
                    if _interrupted.is_set():
                        raise KeyboardInterrupt from None
        except KeyboardInterrupt:
            connection.interrupt()
            raise
