"""Progress as a bar on standard error, where someone is watching."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from misread.progress import Progress, silent

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@contextlib.contextmanager
def watched() -> Iterator[Progress]:
    """A progress that draws bars while it lasts, or a silent one where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield silent
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
