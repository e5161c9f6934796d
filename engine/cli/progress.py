"""Progress on standard error: as a bar where someone is watching, else as a line now and then."""

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from misread.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@contextlib.contextmanager
def watched() -> Iterator[Progress]:
    """A progress that draws bars while it lasts, or one that writes lines where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich import progress
    from rich.console import Console

    bars = progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("{task.fields[rate]}", markup=False),
        progress.TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )
    with bars:
        yield _Watch(bars)


class Lines:
    """A line a minute for each kind of work that lasts so long: how far it is, its rate, and the time left."""

    def __init__(self, every: float = 60.0) -> None:
        self._every = every
        self._began: dict[str, tuple[float, int]] = {}
        self._told: dict[str, float] = {}

    def __call__(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        began, start = self._began.setdefault(what, (now, done))
        if now - self._told.setdefault(what, now) < self._every or done <= start:
            return
        self._told[what] = now
        rate = (done - start) / (now - began)
        left = f", {_duration((total - done) / rate)} left" if total > done else ""
        sys.stderr.write(f"{done:,} of {total:,} {what}, {rate:,.1f} a second{left}\n")
        sys.stderr.flush()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "under a minute"
    )


class _Watch:
    """One bar for each kind of work, in the order they begin."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, done: int, total: int, what: str) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, rate="")
        number = self._tasks[what]
        speed = next(task.speed for task in self._bars.tasks if task.id == number)
        self._bars.update(number, completed=done, total=total or None, rate=f"{speed:,.0f}/s" if speed else "")
