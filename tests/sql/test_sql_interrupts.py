"""How a question is waited for."""

import _thread
import threading
import time
from concurrent.futures import Future

import duckdb
import pytest

from misread.sql import Limits
from misread.sql.interrupts import Watch, interruptible

LONG = "SELECT count(*) FROM range(1000000000000) a WHERE hash(a) = 1"


class DoneAsTheWaitEnds(Future[str]):
    """Work that is done as the first wait for it runs out, before anybody looks at it again."""

    waits = 0

    def result(self, timeout: float | None = None) -> str:
        self.waits += 1
        answer = super().result()
        if self.waits == 1:
            raise TimeoutError
        return answer


def test_an_answer_that_comes_as_a_wait_for_it_ends_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """That one wait of many ran out is no error of a question that has been answered by then."""
    monkeypatch.setattr("misread.sql.interrupts.Future", DoneAsTheWaitEnds)
    limits = Limits(seconds=None)
    assert interruptible(None, lambda: "the answer", Watch(limits), limits) == "the answer"


class Told:
    """A connection that tells when it was first interrupted."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.first = threading.Event()

    def interrupt(self) -> None:
        self.connection.interrupt()
        self.first.set()


@pytest.mark.usefixtures("interruptions")
@pytest.mark.parametrize(("delay", "times"), [(0.0, 1), (0.3, 1), (0.3, 2)])
def test_an_interruption_before_a_statement_begins_stops_it(delay: float, times: int) -> None:
    """DuckDB forgets an interruption that comes between two statements; the question ends all the same, however
    early the first comes, and another while it is being stopped changes nothing."""
    limits = Limits(seconds=None)
    late = threading.Event()
    with duckdb.connect(":memory:") as connection:
        told = Told(connection)

        def work() -> None:
            time.sleep(delay)
            for _ in range(times):
                _thread.interrupt_main()
                assert told.first.wait(30)
            connection.execute(LONG)

        def stop() -> None:
            late.set()
            connection.interrupt()

        timer = threading.Timer(30, stop)
        timer.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                interruptible(told, work, Watch(limits), limits)
        finally:
            timer.cancel()
        assert told.first.is_set(), "it was left running"
        assert not late.is_set(), "only the test itself stopped it"
        assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_a_timeout_of_the_work_itself_is_raised() -> None:
    """Work that raises a TimeoutError has failed: it is not waited for again."""

    def work() -> str:
        raise TimeoutError("the disk does not answer")

    limits = Limits(seconds=None)
    with pytest.raises(TimeoutError, match="the disk"):
        interruptible(None, work, Watch(limits), limits)
