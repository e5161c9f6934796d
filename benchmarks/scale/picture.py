"""Time and memory over the number of rows, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.scale.alike import ALIKE
from benchmarks.scale.jobs import JOBS
from benchmarks.scale.tables import FROM, Results, exponent

MARKERS = "osD^vPX<>*"
TICKS = {"seconds": (1.0, 2.0, 5.0), "peak": (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)}
COLUMNS = {"seconds": "seconds", "peak": "peak memory, GB"}
Points = Mapping[int, Mapping[str, Any]]


def plot(results: Results, path: Path) -> None:
    """Above the jobs from the store over the archive's rows, below those on the same vectors over the vectors' number.

    Logarithmic axes; the legend gives exponents fitted from archives of 50,000 rows on. A hollow mark is what a
    job had taken when it was stopped. The same results give the same file.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    groups = {
        "rows of the archive, from the store": list(JOBS),
        "fused vectors, held by every method (hollow: stopped by then)": list(ALIKE),
    }
    drawn = {title: {job: found for job in jobs if (found := points(results, job))} for title, jobs in groups.items()}
    drawn = {title: jobs for title, jobs in drawn.items() if jobs}
    with rc_context({"svg.hashsalt": "misread", "font.size": 11}):
        figure = Figure(figsize=(13, 4.8 * max(len(drawn), 1)), layout="constrained")
        for row, (title, jobs) in enumerate(drawn.items()):
            for column, (name, label) in enumerate(COLUMNS.items()):
                axes = figure.add_subplot(len(drawn), 2, 2 * row + column + 1, xscale="log", yscale="log")
                for job, found in jobs.items():
                    number = groups[title].index(job)
                    _line(axes, job, found, name, f"C{number}{MARKERS[number]}")
                axes.yaxis.set_major_locator(LogLocator(subs=TICKS[name]))
                axes.set(xlabel=title, ylabel=label)
                _ruled(axes, sorted({size for found in jobs.values() for size in found}))
        figure.savefig(path, metadata={"Date": None})


def points(results: Results, job: str) -> dict[int, dict[str, Any]]:
    """What a job took by the number of its rows, or of its vectors, rising; where it was stopped `stopped` is true."""
    found = {}
    for (rows, name), result in sorted(results.items()):
        taken: Any = result.get("stopped", result)
        if name == job and "seconds" in taken:
            vectors: Any = results.get((rows, "search"), {}).get("vectors", rows // 2) if job in ALIKE else rows
            found[int(vectors)] = dict(taken) | {"rows": rows, "stopped": "stopped" in result}
    return found


def _line(axes: Any, job: str, found: Points, name: str, style: str) -> None:
    whole = {size: float(one[name]) for size, one in found.items() if not one["stopped"]}
    fitted = {size: value for size, value in whole.items() if found[size]["rows"] >= FROM}
    grows = f" (exponent {exponent(list(fitted), list(fitted.values())):.2f})" if len(fitted) > 1 else ""
    colour, marker = style[:2], style[2:]
    axes.plot(list(whole), list(whole.values()), f"{marker}-", color=colour, lw=1.8, ms=7, label=f"{job}{grows}")
    bounds = {size: float(one[name]) for size, one in found.items() if one["stopped"]}
    axes.plot(list(bounds), list(bounds.values()), marker, color=colour, ms=9, fillstyle="none", ls="none")


def _ruled(axes: Any, sizes: list[int]) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

    axes.set_xticks(sizes, [f"{size / 1000:.0f}k" if size >= 10_000 else f"{size / 1000:g}k" for size in sizes])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2, frameon=False)
