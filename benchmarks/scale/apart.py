"""Jobs in processes of their own, each for its own peak memory, and stopped where they take too long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.scale.jobs import BEGAN, Result

NEEDS = {"audit over Ray": ("ray",), "fast_hdbscan": ("fast_hdbscan",), "UMAP + HDBSCAN": ("umap", "hdbscan")}
EVERY = 0.1
"""Seconds between two looks at a job."""


@dataclass(frozen=True)
class Limit:
    """A job is stopped `seconds` after it began, or once it has taken both more time and more of a processor than the
    other job that `of` tells the two of, `times` over: then it is slower than that by either clock."""

    seconds: float
    times: float = float("inf")
    of: tuple[float, float] = (float("inf"), float("inf"))

    def reached(self, wall: float, cpu: float) -> str:
        """Why it is stopped; nothing where it may go on."""
        if wall > self.times * self.of[0] and cpu > self.times * self.of[1]:
            return f"stopped: more than {self.times:g} times as long"
        return f"not done in {self.seconds:g} s" if wall > self.seconds else ""


def apart(job: str, location: Path, limit: Limit) -> Result:
    """The job's result; `skipped` tells why there is none, and `stopped` what it had taken by then."""
    missing = [name for name in NEEDS.get(job, ()) if find_spec(name) is None]
    if missing:
        return {"skipped": f"{', '.join(missing)} is not installed"}
    command = [sys.executable, "-m", "benchmarks.scale", "--job", job, "--within", str(location)]
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as failed:
        with subprocess.Popen(command, stdout=told, stderr=failed) as process:
            stopped = watched(process, told.fileno(), limit)
        if stopped:
            return stopped
        told.seek(0)
        failed.seek(0)
        if process.returncode:
            return {"skipped": f"failed: {failed.read().strip().splitlines()[-1:] or process.returncode}"}
        result: Result = json.loads(told.read().splitlines()[-1])
        return result


def watched(process: subprocess.Popen[bytes], told: int, limit: Limit) -> Result:
    """Waits for a job; what it had taken where it had to be stopped, else nothing. The clock starts as it says."""
    began: tuple[float, float] | None = None
    while process.poll() is None:
        time.sleep(EVERY)
        if began is None and BEGAN.encode() in os.pread(told, 1 << 16, 0):
            began = time.perf_counter(), processor(process.pid)
        if began is None:
            continue
        wall, cpu = time.perf_counter() - began[0], processor(process.pid) - began[1]
        if why := limit.reached(wall, cpu):
            taken = {"seconds": wall, "cpu": cpu, "peak": held_most(process.pid), "of": limit.of}
            process.kill()
            return {"skipped": why, "stopped": taken}
    return {}


def processor(process: int) -> float:
    """Seconds of processors that a process of this machine has used, and those of its children that are done."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(ticks) for ticks in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def held_most(process: int) -> float:
    """GB that a process has held at most."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 2**20 for line in lines if line.startswith("VmHWM")), 0.0)
