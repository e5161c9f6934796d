"""How long work tells how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Called as work goes on: `done` of `total` units of `what`. Never called from two threads at once."""

    def __call__(self, done: int, total: int, what: str) -> None: ...


def silent(done: int, total: int, what: str) -> None:
    """Progress that nobody watches."""
