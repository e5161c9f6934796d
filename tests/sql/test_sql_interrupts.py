"""How a question is waited for."""

from concurrent.futures import Future

import pytest

from misread.sql import Limits
from misread.sql.interrupts import Watch, interruptible


class DoneAsTheWaitEnds(Future[str]):
    """Work that is done after a wait for it ran out, and before anybody looks at it again."""

    def result(self, timeout: float | None = None) -> str:
        if not self.done():
            self.set_result("the answer")
            raise TimeoutError
        return super().result(timeout)


def test_an_answer_that_comes_as_a_wait_for_it_ends_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """That one wait of many ran out is no error of a question that has been answered by then."""
    monkeypatch.setattr("misread.sql.interrupts.ThreadPoolExecutor.submit", lambda *_: DoneAsTheWaitEnds())
    limits = Limits(seconds=None)
    assert interruptible(None, str, Watch(limits), limits) == "the answer"


def test_a_timeout_of_the_work_itself_is_raised() -> None:
    """Work that raises a TimeoutError has failed: it is not waited for again."""

    def work() -> str:
        raise TimeoutError("the disk does not answer")

    limits = Limits(seconds=None)
    with pytest.raises(TimeoutError, match="the disk"):
        interruptible(None, work, Watch(limits), limits)
