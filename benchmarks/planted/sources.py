"""Every source by its name, loaded once a process."""

from functools import lru_cache
from pathlib import Path

from misread.progress import Progress, silent

from .demo import FILMS, demo
from .public import indiana, nih
from .source import Source

SOURCES = ("demo", "indiana", "nih")


@lru_cache
def load(name: str, cache: Path, films: int = FILMS) -> Source:
    """One source; `films` counts for the demo only."""
    if name == "demo":
        return demo(cache, films)
    return {"indiana": indiana, "nih": nih}[name](cache)


def ready(names: set[str], cache: Path, films: int, workers: int, progress: Progress = silent) -> None:
    """Makes what is slow to make, before processes share it."""
    if "demo" in names:
        demo(cache, films, workers, progress)
    for name in sorted(names - {"demo"}):
        load(name, cache)
