"""`python -m benchmarks.scale [--quick]`: how discovery grows with an archive of images and reports.

Archives of 20,000 to 400,000 rows x (768 + 768) with planted slices are written to Lance in streams. Every job runs in
a process of its own: one reading of all vectors with a principal component analysis, an audit (search and
confirmation), a calibrated one, and peers where they finish in time. An archive is deleted once it is measured, unless
it is kept with --within.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from benchmarks.scale.archive import write
from benchmarks.scale.forecast import forecasts
from benchmarks.scale.jobs import JOBS, NEEDS, Result, measured
from benchmarks.scale.tables import compared, expected, found, grown, plot, stages

ROWS = (20_000, 50_000, 100_000, 200_000, 400_000)
QUICK = (2_000, 4_000)
SECONDS = 600


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.job:
        print(json.dumps(measured(asked.job, Path(asked.within))))
        return
    console = Console(width=140)
    sizes = asked.rows or (QUICK if asked.quick else ROWS)
    jobs = asked.jobs.split(",") if asked.jobs else list(JOBS)
    results: dict[tuple[int, str], Result] = {}
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as place:
        for rows in sizes:
            location = Path(asked.within or place) / f"archive-{rows}"
            if not (location / "manifest.json").exists():
                console.print(f"writing {rows:,} rows")
                write(location, rows)
            for job in jobs:
                results[rows, job] = result = apart(job, location, asked.seconds)
                console.print(f"{rows:,} {job}: {result.get('seconds', result.get('skipped'))}")
                if asked.output:
                    with Path(asked.output).open("a") as file:
                        file.write(json.dumps({"rows": rows, "job": job, **result}) + "\n")
            if not asked.within:
                shutil.rmtree(location)
    if asked.known:
        results |= known(Path(asked.known))
    for table in (
        compared(results),
        stages(results),
        expected(results),
        found(results),
        grown(results),
        forecasts(results),
    ):
        console.print(table)
    if asked.plot:
        plot(results, Path(asked.plot))


def apart(job: str, location: Path, seconds: int) -> Result:
    """The job in a process of its own; `skipped` tells why there is no result."""
    missing = [name for name in NEEDS.get(job, ()) if find_spec(name) is None]
    if missing:
        return {"skipped": f"{', '.join(missing)} is not installed"}
    command = [sys.executable, "-m", "benchmarks.scale", "--job", job, "--within", str(location)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        return {"skipped": f"not done in {seconds} s"}
    except subprocess.CalledProcessError as error:
        return {"skipped": f"failed: {error.stderr.strip().splitlines()[-1:] or error.returncode}"}
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return result


def known(path: Path) -> dict[tuple[int, str], Result]:
    """Results kept by --output."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {(row.pop("rows"), row.pop("job")): row for row in rows}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    made.add_argument("--rows", type=int, nargs="+", help="rows of each archive (20000 to 400000)")
    made.add_argument("--quick", action="store_true", help="two archives of a few thousand rows")
    made.add_argument("--jobs", help=f"some of: {', '.join(JOBS)}")
    made.add_argument("--seconds", type=int, default=SECONDS, help="how long a job may take (600)")
    made.add_argument("--within", metavar="FOLDER", help="keep the archives here, and use those that are there")
    made.add_argument("--output", metavar="FILE", help="add the results to this file as JSON lines")
    made.add_argument("--known", metavar="FILE", help="tell these results, too")
    made.add_argument("--plot", metavar="FILE", help="draw time and memory over rows")
    made.add_argument("--job", choices=list(JOBS), help=argparse.SUPPRESS)
    return made


if __name__ == "__main__":
    main()
