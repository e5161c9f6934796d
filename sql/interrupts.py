"""Stopping a question: DuckDB works beside the main thread, which an interruption or a limit reaches at once."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import Any, Final, TypeVar

from misread.schemas.errors import QueryError

from .exhausted import too_much_memory
from .growth import bounded_growth, resident_bytes
from .left import PATIENCE_SECONDS, leave, unstopped
from .limits import Limits

T = TypeVar("T")

TIME_SETTING: Final = "max_execution_time"
_TIME_HINT: Final = "ask for less at once, or allow more time: --time-limit, or time_limit= in Python"
_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 1.0
"""How long the time limit is DuckDB's own affair, before it is interrupted."""
_LONGEST_SECONDS = 1e9
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
    """Watches one question. `check` is for Python functions that DuckDB calls: it raises once time is up.

    `left`: the work, where it could not be stopped and goes on.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._resident = resident_bytes()
        self.stopped: QueryError | None = None
        self.left: Future[Any] | None = None

    def check(self, grace: float = 0.0) -> None:
        """Raises QueryError if the question is to stop; for its time, `grace` seconds after that is up."""
        if stopped := self.excess(grace):
            raise stopped

    def excess(self, grace: float = 0.0) -> QueryError | None:
        """What `check` would raise."""
        self.stopped = self.stopped or self._excess(grace)
        return self.stopped

    def stop(self, reason: str) -> None:
        self.stopped = self.stopped or QueryError(reason)

    def milliseconds(self) -> int | None:
        """What is left of the time limit, at least 1, rounded up; None where there is no limit."""
        seconds = self._limits.seconds
        if seconds is None:
            return None
        return max(int(min(seconds - (time.monotonic() - self._began), _LONGEST_SECONDS) * 1000), 0) + 1

    def _excess(self, grace: float) -> QueryError | None:
        seconds = self._limits.seconds
        if seconds is not None and time.monotonic() - self._began > seconds + grace:
            return QueryError(f"the question took longer than {seconds:g} s", _TIME_HINT)
        now = resident_bytes()
        if now is not None and self._resident is not None and now - self._resident > self._limits.process_bytes:
            return too_much_memory()
        return None


def interruptible(connection: Any, work: Callable[[], T], watch: Watch, limits: Limits) -> T:
    """The result of `work`, done beside this thread; an interruption or a limit stops it.

    Raises the watch's QueryError where a limit was reached, whatever `work` made of being stopped. DuckDB may not stop:
    it interrupts no single call of a function, and DuckDB 2.0 can lose an interruption between two steps of a
    recursion, and then waits for ever. After PATIENCE_SECONDS the work is left behind as `watch.left`, on a thread that
    does not keep the process, and its connection is of no more use.
    """
    answer: Future[T] = Future()
    try:
        with bounded_growth(limits.process_bytes):
            try:
                threading.Thread(target=_work, args=(work, answer), daemon=True).start()
                return _awaited(answer, watch)
            except KeyboardInterrupt:
                watch.stop("the question was interrupted")
                raise
            finally:
                if not _ended(answer, connection, time.monotonic() + PATIENCE_SECONDS):
                    watch.left = answer
                    leave(answer)
    except MemoryError:
        raise too_much_memory() from None
    except QueryError as stopped:
        raise (unstopped(stopped) if watch.left else stopped) from None
    except Exception:
        if excess := watch.excess():
            raise excess from None
        raise


@contextlib.contextmanager
def own_deadline(connection: Any, watch: Watch) -> Iterator[None]:
    """Inside, DuckDB ends a statement by itself once the watch's time is up: that it never loses.

    The connection's configuration has to allow TIME_SETTING.
    """
    left = watch.milliseconds()
    if left is None:
        yield
        return
    connection.execute(f"SET {TIME_SETTING} = {left}")
    try:
        yield
    finally:
        connection.execute(f"RESET {TIME_SETTING}")


def _work(work: Callable[[], T], answer: Future[T]) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - raised again where the answer is awaited
        answer.set_exception(error)
    else:
        answer.set_result(result)


def _ended(answer: Future[T], connection: Any, until: float) -> bool:
    """Waits until the work is over: whether it was by then.

    DuckDB forgets an interruption as a statement begins: it is told until it stops.
    """
    try:
        answer.cancel()  # if it has not begun
        while not answer.done() and time.monotonic() < until:
            connection.interrupt()
            wait([answer], _LOOK_SECONDS)
        return answer.done()
    except KeyboardInterrupt:  # again: it is being stopped
        return _ended(answer, connection, until)


def _awaited(answer: Future[T], watch: Watch) -> T:
    while True:
        try:
            return answer.result(_LOOK_SECONDS)
        except TimeoutError:
            if answer.done():  # with a TimeoutError of its own, or since the wait was over
                return answer.result()
            if _interrupted.is_set():
                raise KeyboardInterrupt from None
            watch.check(_GRACE_SECONDS)
