"""What was measured, in tables and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.scale.alike import ALIKE

Results = Mapping[tuple[int, str], dict[str, object]]
FROM = 50_000
"""Exponents are fitted from so many rows on: below, what every process costs hides the rest."""


def exponent(rows: Sequence[int], values: Sequence[float]) -> float:
    """b of values = a rows^b, by least squares over logarithms; NaN of fewer than two sizes."""
    if len(set(rows)) < 2:
        return float("nan")
    return float(np.polyfit(np.log(rows), np.log(values), 1)[0])


def compared(results: Results) -> Table:
    """Every job beside one reading with its principal component analysis."""
    table = Table("rows", "job", "s", "of a reading", "processor s", "of a reading's", "peak GB", "GB read")
    for (rows, job), result in results.items():
        if job in ALIKE:
            continue
        if "skipped" in result:
            table.add_row(f"{rows:,}", job, str(result["skipped"]))
            continue
        once = results.get((rows, "reading"), {})
        ratios = [f"{result[k] / once[k]:.2f}" if k in once else "" for k in ("seconds", "cpu")]  # type: ignore[operator]
        spent = [f"{result[k]:.1f}" for k in ("seconds", "cpu")]
        told = (spent[0], ratios[0], spent[1], ratios[1], f"{result['peak']:.2f}", f"{result['read'] / 1e9:.2f}")  # type: ignore[operator]
        table.add_row(f"{rows:,}", job, *told)
    return table


def alike(results: Results) -> Table:
    """Methods on the same fused vectors beside the search; of those that were stopped what they had taken by then."""
    table = Table(
        "vectors", "job", "s", "of the search", "processor s", "of the search's", "peak GB", "groups", "F1",
        title="on the same fused vectors; F1 of the group most like each planted slice",
    )  # fmt: skip
    for (rows, job), result in results.items():
        taken: dict[str, Any] = result.get("stopped", result)  # type: ignore[assignment]
        once = results.get((rows, "search"), {})
        if job not in ALIKE or "vectors" not in once or "cpu" not in taken:
            continue
        more = "> " if "stopped" in result else ""
        of = taken.get("of", (once["seconds"], once["cpu"]))  # the search that it was stopped beside
        ratios = [f"{more}{taken[k] / one:.2f}" for k, one in zip(("seconds", "cpu"), of, strict=True)]  # type: ignore[operator]
        spent = [f"{more}{taken[k]:.2f}" for k in ("seconds", "cpu")]
        agreed = " ".join(f"{f1:.2f}" for f1 in result.get("f1", {}).values())  # type: ignore[attr-defined]
        told = (spent[0], ratios[0], spent[1], ratios[1], f"{more}{taken['peak']:.2f}", str(result.get("groups", "")))
        table.add_row(f"{once['vectors']:,}", job, *told, agreed)
    return table


def stages(results: Results) -> Table:
    """The stages of audits, and which device worked out the products of vectors."""
    names = ("rows", "job", "stage", "products by", "s", "processor s", "GB read", "GB scratch", "peak GB")
    table = Table(*names, title="stages")
    for (rows, job), result in results.items():
        for name, stage in result.get("stages", {}).items():  # type: ignore[attr-defined]
            numbers = (
                f"{stage['seconds']:.1f}",
                f"{stage['cpu']:.1f}",
                f"{stage['read'] / 1e9:.2f}",
                f"{stage['scratch'] / 1e9:.3f}",
                f"{stage['peak']:.2f}",
            )
            device = str(result.get("device", "")) if "fus" in name else ""
            table.add_row(f"{rows:,}", job, name, device, *numbers)
    return table


def expected(results: Results) -> Table:
    """What `explain(costs=True)` said beforehand, and what came of it."""
    table = Table(
        "rows", "job", "processor s", "said", "peak GB", "said", "GB read", "said", "GB scratch", "said",
        title="said beforehand",
    )  # fmt: skip
    for (rows, job), result in results.items():
        if said := result.get("expected"):
            names = [("cpu", 1.0), ("peak", 1.0), ("read", 1e9), ("scratch", 1e9)]
            pairs = [(result[n] / unit, said.get(n, 0.0) / unit) for n, unit in names]  # type: ignore[operator, index]
            table.add_row(f"{rows:,}", job, *(f"{value:.2f}" for pair in pairs for value in pair))
    return table


def found(results: Results) -> Table:
    """Planted slices on held-out rows: the found slice that agrees best with each."""
    table = Table("rows", "job", "planted", "P@10", "precision", "recall", title="planted slices, held-out rows")
    for (rows, job), result in results.items():
        for name, one in result.get("planted", {}).items():  # type: ignore[attr-defined]
            table.add_row(f"{rows:,}", job, name, *(f"{one[k]:.2f}" for k in ("p10", "precision", "recall")))
    return table


def grown(results: Results) -> Table:
    """Exponents of time and memory over rows, of the jobs with more than one size."""
    table = Table("job", "sizes", "time", "processor time", "memory", title=f"exponents over rows, from {FROM:,} on")
    for job in dict.fromkeys(job for _, job in results):
        mine = {r: one for (r, name), one in results.items() if name == job and r >= FROM and "skipped" not in one}
        if len(mine) > 1:
            fitted = (exponent(list(mine), [one[k] for one in mine.values()]) for k in ("seconds", "cpu", "peak"))  # type: ignore[misc]
            table.add_row(job, ", ".join(f"{r:,}" for r in mine), *(f"{b:.2f}" for b in fitted))
    return table
