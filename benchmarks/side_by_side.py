"""Runs of two ways to do one thing, each in a process of its own: seconds and how far memory grew."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Run:
    """`seconds` of the work itself; `megabytes` that the process grew by at most; `answer` as JSON gives it back."""

    seconds: float
    megabytes: float
    answer: object


def measured(work: Callable[[], object]) -> Run:
    """The work, measured in this process."""
    with _Watched() as watched:
        began = time.perf_counter()
        answer = work()
        seconds = time.perf_counter() - began
    return Run(seconds, watched.grown / 2**20, answer)


class _Watched:
    """Looks at the process's memory every few milliseconds; the system's own peak counts what ran before, too."""

    EVERY = 0.005

    def __enter__(self) -> _Watched:
        process = psutil.Process()
        self.grown, self._before, self._over = 0, process.memory_info().rss, threading.Event()

        def look() -> None:
            while not self._over.wait(self.EVERY):
                self.grown = max(self.grown, process.memory_info().rss - self._before)

        self._thread = threading.Thread(target=look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def apart(module: str, *arguments: str, seconds: float) -> Run | None:
    """The same in a process of its own, which prints it as JSON; None where it fails or takes longer."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return Run(**json.loads(done.stdout.splitlines()[-1]))
