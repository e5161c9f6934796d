"""Stopping a question: DuckDB works beside the main thread, which an interruption or a limit reaches at once."""

import signal
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from misread.schemas.errors import QueryError

from .limits import Limits, bounded_growth, resident_bytes

T = TypeVar("T")

_LOOK_SECONDS = 0.1
_interrupted = threading.Event()


def remember_interruptions() -> None:
    """Makes an interruption (Ctrl-C) count even where it is raised in code that swallows exceptions.

    Python raises KeyboardInterrupt wherever the main thread is, which may be a callback from DuckDB or Arrow.
    For programs that own their process, such as the command line; call it from the main thread.
    """
    _interrupted.clear()
    signal.signal(signal.SIGINT, _remember)


def forget_interruptions() -> None:
    """Begins anew: for a prompt, where an interruption ends one question and not the program."""
    _interrupted.clear()


def was_interrupted() -> bool:
    """Whether an interruption came since they are remembered."""
    return _interrupted.is_set()


def _remember(_number: int, _frame: object) -> None:
    _interrupted.set()
    raise KeyboardInterrupt


class Watch:
    """Watches one question. `check` is for Python functions that DuckDB calls: it raises once time is up."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._resident = resident_bytes()
        self.stopped: QueryError | None = None

    def check(self) -> None:
        """Raises QueryError if the question is to stop."""
        self.stopped = self.stopped or self._excess()
        if self.stopped:
            raise self.stopped

    def stop(self, reason: str) -> None:
        self.stopped = self.stopped or QueryError(reason)

    def _excess(self) -> QueryError | None:
        seconds = self._limits.seconds
        if seconds is not None and time.monotonic() - self._began > seconds:
            return QueryError(f"the question took longer than {seconds:g} s and was stopped", TIME_HINT)
        now = resident_bytes()
        if now is not None and self._resident is not None and now - self._resident > self._limits.process_bytes:
            return too_much_memory()
        return None


TIME_HINT = "ask for less at once, or allow more time: --time-limit, or time_limit= in Python"


MEMORY_HINT = "ask for fewer rows or columns at once, or allow more: --memory-limit, or memory_limit= in Python"


def too_much_memory() -> QueryError:
    return QueryError("the question needs more memory than it may use", MEMORY_HINT)


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether DuckDB's memory limit was reached; on their way through Arrow its errors are OSErrors."""
    return type(error).__name__ == "OutOfMemoryException" or str(error).startswith("Out of Memory Error")


def ran_out_of_room(error: BaseException) -> bool:
    """Whether what DuckDB put aside on disk found no more room there; it writes nothing else."""
    return any(text in str(error) for text in ("Could not write file", "max_temp_directory_size"))


def too_little_room(what: str, otherwise: str) -> QueryError:
    """`what` is worked out; `otherwise`: what helps beside more room."""
    return QueryError(
        f"{what} needs more room on disk than it may take in {tempfile.gettempdir()}",
        f"free disk space there, or name another folder in TMPDIR; else {otherwise}",
    )


def interruptible(connection: Any, work: Callable[[], T], watch: Watch, limits: Limits) -> T:
    """The result of `work`, done beside this thread; an interruption or a limit stops it.

    Raises the watch's QueryError where a limit was reached, whatever `work` made of being stopped.
    """
    answer: Future[T] = Future()
    with bounded_growth(limits.process_bytes):
        try:
            threading.Thread(target=_work, args=(work, answer)).start()
            return _awaited(answer, connection, watch)
        except KeyboardInterrupt:
            watch.stop("the question was interrupted")
            raise
        except MemoryError:
            raise too_much_memory() from None
        except Exception:
            if watch.stopped:
                raise watch.stopped from None
            raise
        finally:
            _end(answer, connection)


def _work(work: Callable[[], T], answer: Future[T]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
        answer.set_exception(error)
    else:
        answer.set_result(result)


def _end(answer: Future[T], connection: Any) -> None:
    """Waits until the work is over. DuckDB forgets an interruption as a statement begins: it is told until it stops."""
    try:
        answer.cancel()  # if it has not begun
        while not answer.done():
            connection.interrupt()
            wait([answer], _LOOK_SECONDS)
    except KeyboardInterrupt:  # again: it is being stopped
        _end(answer, connection)


def _awaited(answer: Future[T], connection: Any, watch: Watch) -> T:
    while True:
        try:
            return answer.result(_LOOK_SECONDS)
        except TimeoutError:
            if answer.done():  # with a TimeoutError of its own, or since the wait was over
                return answer.result()
            _look(connection, watch)


def _look(connection: Any, watch: Watch) -> None:
    if _interrupted.is_set():
        raise KeyboardInterrupt
    try:
        watch.check()
    except QueryError:
        connection.interrupt()
