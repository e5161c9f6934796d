"""Which modality set finds which scenario: a table, and a plot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from rich.table import Table

from .measures import interval
from .setting import MODALITIES, modality_sets

COLORS = ("#4477aa", "#ee6677", "#228833", "#66ccee", "#ccbb44", "#aa3377", "#777777")
"""One a modality set, told apart by colour-blind readers too (Paul Tol's bright scheme)."""


def by_modalities(frame: pl.DataFrame) -> pl.DataFrame:
    """source, scenario, modalities, method; settings, p10 with low and high (95 %, over draws), p10_x and chance.

    `frame`: as `tables.flat` gives it. `p10_x` is without the labels of the scored rows.
    """
    parts = pl.col("cell").str.split("/")
    named = frame.with_columns(
        source=parts.list.get(0), modalities=parts.list.get(3), index=pl.col("key").str.split("/").list.last()
    )
    lines = []
    for (source, scenario, modalities, method), group in named.group_by("source", "scenario", "modalities", "method"):
        mean, low, high = interval(group["p10"].to_numpy(), group["index"].to_numpy(), 0)
        means = {name: float(np.mean(group[name].to_numpy())) for name in ("p10_x", "chance")}
        about = {"source": source, "scenario": scenario, "modalities": modalities, "method": method}
        lines.append({**about, "settings": group.height, "p10": mean, "low": low, "high": high, **means})
    return pl.DataFrame(lines).sort("source", "scenario", "method", "modalities")


def modality_tables(frame: pl.DataFrame, method: str) -> Iterator[Table]:
    """One a source with more than one modality set."""
    for source in MODALITIES:
        cells = frame.filter(pl.col("cell").str.starts_with(f"{source}/"))["cell"]
        if cells.str.split("/").list.get(3).n_unique() > 1:
            yield modality_table(frame, method, source)


def modality_table(frame: pl.DataFrame, method: str, source: str) -> Table:
    """One method on one source: scenarios down, modality sets across; the best set of a scenario is marked."""
    sets = ["+".join(names) for names in modality_sets(MODALITIES[source])]
    table = Table("scenario", *sets, "chance", title=f"{source}, {method}: P@10 with labels | without (* the best)")
    mine = by_modalities(frame).filter((pl.col("method") == method) & (pl.col("source") == source))
    for (scenario,), group in sorted(mine.group_by("scenario")):
        found = {row["modalities"]: row for row in group.iter_rows(named=True)}
        best = max(found, key=lambda name: found[name]["p10"])
        texts = [
            f"{found[name]['p10']:.2f}{'*' if name == best else ''} | {found[name]['p10_x']:.2f}"
            if name in found
            else "-"
            for name in sets
        ]
        table.add_row(str(scenario), *texts, f"{group['chance'].mean():.2f}")
    return table


def plot(frame: pl.DataFrame, method: str, peer: str, file: Path) -> None:
    """A panel a source: P@10 with labels of every scenario and modality set with its 95 % interval.

    Filled: `method`; hollow, to its right: `peer`. The format follows the file's name.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    means = by_modalities(frame)
    sources = [source for source in MODALITIES if source in means["source"]]
    figure, axes = plt.subplots(len(sources), 1, figsize=(11, 3.2 * len(sources)), squeeze=False, sharey=True)
    for axis, source in zip(axes[:, 0], sources, strict=True):
        sets = ["+".join(names) for names in modality_sets(MODALITIES[source])]
        mine = means.filter(pl.col("source") == source)
        scenarios = sorted(mine["scenario"].unique())
        for place, (name, color) in enumerate(zip(sets, COLORS, strict=False)):
            for shown, shift, face in ((method, -0.03, color), (peer, 0.03, "white")):
                rows = mine.filter((pl.col("modalities") == name) & (pl.col("method") == shown))
                middle = (place - (len(sets) - 1) / 2) * 0.8 / len(sets)
                across = [scenarios.index(scenario) + middle + shift for scenario in rows["scenario"]]
                ends = np.abs(rows.select("low", "high").to_numpy().T - rows["p10"].to_numpy())
                axis.errorbar(
                    across, rows["p10"].to_numpy(), yerr=ends, fmt="o", markersize=5, linewidth=0.8, color=color,
                    markerfacecolor=face, label=name if shown == method else None,
                )  # fmt: skip
        axis.set_xticks(range(len(scenarios)), [scenario.replace("/", "\n") for scenario in scenarios], fontsize=8)
        axis.set_ylim(0, 1.15)
        axis.set_ylabel("P@10")
        axis.set_title(f"{source} (filled: {method}, hollow: {peer})", fontsize=10)
        axis.legend(fontsize=7, ncols=len(sets), loc="upper center", frameon=False)
        axis.grid(axis="y", linewidth=0.3)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)
