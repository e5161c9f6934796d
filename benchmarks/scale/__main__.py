"""`python -m benchmarks.scale [--quick]`: how discovery grows with an archive of images and reports.

Archives of 20,000 to 400,000 rows x (768 + 768) with planted slices are written to Lance in streams. Every job runs in
a process of its own. From the store: one reading of all vectors with a principal component analysis, an audit (search
and confirmation), a calibrated one, the Domino mixture. On the same fused vectors, those of the discovery half, held in
memory: the search, the Domino mixture, hdbscan, fast_hdbscan, UMAP with HDBSCAN; what takes more than 12 times as long
as the search is stopped. An archive is deleted once it is measured, unless it is kept with --within.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.planted.cache import default_folder
from benchmarks.planted.demo import FILMS
from benchmarks.planted.sources import ready
from benchmarks.scale.alike import ALIKE, fusing, handed, measured_alike, vectors_beside
from benchmarks.scale.apart import Limit, apart
from benchmarks.scale.archive import write
from benchmarks.scale.devices import by_device
from benchmarks.scale.forecast import forecasts
from benchmarks.scale.jobs import JOBS, Result, loaded, measured
from benchmarks.scale.paired import CELLS, made_up, paired, real
from benchmarks.scale.picture import plot
from benchmarks.scale.simulation import beside, narrow, sums
from benchmarks.scale.tables import alike, compared, expected, found, grown, stages

ROWS = (20_000, 50_000, 100_000, 200_000, 400_000)
QUICK = (2_000, 4_000)
SECONDS, TIMES, ROUNDS = 600, 12.0, 3
SIMULATED = 2_000_000
AT, FEW_ERRORS = 50_000, 2_048
"""Discovery rows of an archive that both searches are run on, and a pool that is smaller than its classes' errors."""
FUSING = "fusing"
EVERY_JOB = (*JOBS, *ALIKE)
Results = dict[tuple[int, str], Result]


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    if asked.job:
        print(json.dumps(here(asked.job, Path(asked.within))))
        return
    console = Console(width=140)
    if asked.paired or asked.real or asked.products:
        for table in alone(asked):
            console.print(table)
        return
    results: Results = known(Path(asked.known)) if asked.known else {}
    if asked.simulate:
        for table in simulated(asked, results):
            console.print(table)
        return
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as place:
        for rows in asked.rows or (QUICK if asked.quick else ROWS):
            location = Path(asked.within or place) / f"archive-{rows}"
            if not (location / "manifest.json").exists():
                console.print(f"writing {rows:,} rows")
                write(location, rows)
            for job, result in measurements(location, asked):
                results[rows, job] = result
                console.print(f"{rows:,} {job}: {result.get('seconds', result.get('skipped'))}")
                if asked.output:
                    with Path(asked.output).open("a") as file:
                        file.write(json.dumps({"rows": rows, "job": job, **result}) + "\n")
            if not asked.within:
                shutil.rmtree(location)
                vectors_beside(location).unlink(missing_ok=True)
    for table in (compared, alike, stages, expected, found, grown, forecasts):
        console.print(table(results))
    console.print(by_device())
    if asked.plot:
        plot(results, Path(asked.plot))


def alone(asked: argparse.Namespace) -> Iterator[Table]:
    """P@10 of the search in memory and of the search out of core on the same rows, as many as are asked for; and what
    products cost."""
    rows = (asked.rows or [AT])[0]
    if asked.products:
        yield by_device()
    if asked.paired:
        yield paired(list(made_up(asked.paired, rows)), f"P@10 on held-out rows, {rows:,} discovery rows an archive")
        few = list(made_up(asked.paired, rows, errors=FEW_ERRORS))
        yield paired(few, f"the same, sought among at most {FEW_ERRORS:,} errors of a class")
    if asked.real:
        cache = default_folder()
        ready({cell.partition("/")[0] for cell in CELLS.split(",")}, cache, FILMS, workers=2)
        yield paired(list(real(asked.real, cache, FILMS)), "P@10 on settings of real and drawn films and reports")


def simulated(asked: argparse.Namespace, results: Results) -> Iterator[Table]:
    """What a large archive costs beside its vectors, and what adding up costs, next to the forecast."""
    with tempfile.TemporaryDirectory(prefix="misread-benchmark-") as place:
        audits = narrow(Path(asked.within or place), asked.simulate, asked.seconds)
    yield stages({(rows, "audit"): one for rows, one in audits.items()})
    yield beside(audits, results)
    yield sums()
    yield forecasts(results)


def here(job: str, location: Path) -> Result:
    """The result of a job that is run in this process."""
    if job not in (*ALIKE, FUSING):
        return measured(job, location)
    loaded()
    return fusing(location) if job == FUSING else measured_alike(job, handed(location))


def measurements(location: Path, asked: argparse.Namespace) -> Iterator[tuple[str, Result]]:
    """The jobs in turn; those handed the same vectors take part in every round that they were not stopped before."""
    jobs = asked.jobs.split(",") if asked.jobs else list(EVERY_JOB)
    for job in (job for job in jobs if job in JOBS):
        yield job, apart(job, location, Limit(asked.seconds))
    of_vectors = [job for job in ALIKE if job in jobs]
    if of_vectors and not vectors_beside(location).exists():
        apart(FUSING, location, Limit(asked.seconds))
    rounds: dict[str, list[Result]] = {job: [] for job in of_vectors}
    for _ in range(asked.rounds or (1 if asked.quick else ROUNDS)):
        for job, before in rounds.items():
            if not any("skipped" in one for one in before):
                searched = typical(rounds["search"]) if rounds.get("search") else None
                of = (searched["seconds"], searched["cpu"]) if searched and "cpu" in searched else None
                before.append(apart(job, location, Limit(asked.seconds, TIMES, of) if of else Limit(asked.seconds)))
    yield from ((job, typical(each)) for job, each in rounds.items())


def typical(rounds: Sequence[Result]) -> Result:
    """The round of the median processor time (of two the lower), and how many there were."""
    if any("skipped" in one for one in rounds):
        return next(one for one in rounds if "skipped" in one)
    ordered = sorted(rounds, key=lambda one: float(one["cpu"]))
    return ordered[(len(ordered) - 1) // 2] | {"rounds": len(ordered)}


def known(path: Path) -> dict[tuple[int, str], Result]:
    """Results kept by --output."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {(row.pop("rows"), row.pop("job")): row for row in rows}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    made.add_argument("--rows", type=int, nargs="+", help="rows of each archive (20000 to 400000)")
    made.add_argument("--quick", action="store_true", help="two archives of a few thousand rows")
    made.add_argument("--jobs", help=f"some of: {', '.join(EVERY_JOB)}")
    made.add_argument(
        "--paired", type=int, metavar="N", help="P@10 in memory and out of core on N made-up archives alone"
    )
    made.add_argument(
        "--real", type=int, metavar="N", help="the same on N draws of every setting of benchmarks.planted"
    )
    made.add_argument(
        "--simulate", type=int, nargs="?", const=SIMULATED, metavar="ROWS",
        help="an archive of so many narrow vectors (2000000), and the sums of many machines, beside --known's forecast",
    )  # fmt: skip
    made.add_argument("--products", action="store_true", help="what products cost on every device there is, alone")
    made.add_argument("--rounds", type=int, help="how often jobs on the same vectors are run, in turns (3; --quick: 1)")
    made.add_argument("--seconds", type=int, default=SECONDS, help="how long a job may take (600)")
    made.add_argument("--within", metavar="FOLDER", help="keep the archives here, and use those that are there")
    made.add_argument("--output", metavar="FILE", help="add the results to this file as JSON lines")
    made.add_argument("--known", metavar="FILE", help="tell these results, too")
    made.add_argument("--plot", metavar="FILE", help="draw time and memory over rows")
    made.add_argument("--job", choices=[*EVERY_JOB, FUSING], help=argparse.SUPPRESS)
    return made


if __name__ == "__main__":
    main()
