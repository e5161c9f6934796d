"""Tables at the end of a run: means by cell and method, and ours against each peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from .measures import interval
from .modalities import modality_tables
from .rows import Row

MEASURES = ("p10", "p25", "ap", "success", "precision", "recall", "f1", "chance")


def flat(rows: Sequence[Row]) -> pl.DataFrame:
    """One line a row: key, cell, method, seconds, and every measure (mean over its slices), `_x` without labels."""
    lines = []
    for row in rows:
        if "failed" in row:
            continue
        line: dict[str, Any] = {name: row[name] for name in ("key", "cell", "method", "seconds", "found")}
        for suffix, part in (("", "with_labels"), ("_x", "without_labels")):
            for name in MEASURES:
                line[name + suffix] = float(np.mean([one[name] for one in row[part]]))
        line["scenario"] = row["setting"]["scenario"] + "/" + row["setting"]["predictions"]
        lines.append(line)
    return pl.DataFrame(lines)


def all_tables(rows: Sequence[Row], methods: Sequence[str]) -> Iterator[Table]:
    """Whatever can be told of the rows that did not fail."""
    null = [row for row in rows if row["setting"]["scenario"] == "null" and "failed" not in row]
    frame = flat([row for row in rows if row["setting"]["scenario"] != "null"])
    if null:
        yield null_table(null)
    if not frame.height:
        return
    methods = [name for name in methods if name in frame["method"]]
    yield means_table(frame, methods, "cell")
    yield means_table(frame.with_columns(cell=pl.lit("all, each cell alike")), methods, "cell")
    yield details_table(frame, methods)
    if len(methods) > 1:
        yield paired_table(frame, methods)
    yield from modality_tables(frame, methods[0])


def show_failures(rows: Sequence[Row], console: Console) -> None:
    failed = [row for row in rows if "failed" in row]
    for row in failed[:5]:
        console.print(f"{row['key']} {row['method']}: {row['failed'].strip().splitlines()[-1]}", style="red")
    if len(failed) > 5:
        console.print(f"and {len(failed) - 5} more rows that failed", style="red")


def means_table(frame: pl.DataFrame, methods: Sequence[str], by: str) -> Table:
    """P@10 with labels ± its standard error, and without labels behind the bar; chance beside them."""
    table = Table(
        "cell", "n", *methods, "chance", f"ahead of {methods[0]}", title="P@10 with labels ± s.e. | without labels"
    )  # fmt: skip
    for (cell,), group in sorted(frame.group_by(by)):
        texts, reached = [], {}
        for name in methods:
            mine = group.filter(pl.col("method") == name)
            if mine.height:
                reached[name] = float(np.mean(mine["p10"].to_numpy()))
            texts.append(f"{_mean(mine, 'p10')}±{_error(mine, 'p10')} | {_mean(mine, 'p10_x')}" if mine.height else "-")
        chances = f"{_mean(group, 'chance')} | {_mean(group, 'chance_x')}"
        ahead = [name for name, mean in reached.items() if mean > reached.get(methods[0], np.inf)]
        table.add_row(str(cell), str(group["key"].n_unique()), *texts, chances, ", ".join(ahead))
    return table


def markdown(table: Table) -> str:
    """A table as text for a page."""
    lines = [[str(column.header) for column in table.columns], ["---"] * len(table.columns)]
    lines += [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]
    rows = ("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
    return "\n".join([f"### {table.title}", "", *rows, ""])


def null_table(rows: Sequence[Row]) -> Table:
    """Audits in which there is nothing to find: how many found a slice, and how many confirmed one."""
    from misread.discover import wilson_interval

    table = Table(
        "cell", "method", "audits", "with a slice", "confirmed one", "95 %", "Domino's slices", "s", title="null"
    )
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["cell"], row["method"]), []).append(row)
        groups.setdefault(("all", row["method"]), []).append(row)
    for (cell, name), group in sorted(groups.items(), key=lambda item: (item[0][0] == "all", item[0])):
        counts = [sum(bool(row[column]) for row in group) for column in ("found", "confirmed")]
        low, high = wilson_interval(counts[1], len(group))
        domino = np.mean([row["domino_found"] for row in group])
        seconds = np.mean([row["seconds"] for row in group])
        texts = (str(len(group)), *map(str, counts), f"{low:.3f} to {high:.3f}", f"{domino:.1f}", f"{seconds:.1f}")
        table.add_row(cell, name, *texts)
    return table


def details_table(frame: pl.DataFrame, methods: Sequence[str]) -> Table:
    """Every measure by scenario and method."""
    extra = ("p10 x", "f1 x", "chance x", "slices", "s")
    table = Table("scenario", "method", *MEASURES, *extra, title="all measures (x: without labels)")
    for (scenario,), group in sorted(frame.group_by("scenario")):
        for name in methods:
            mine = group.filter(pl.col("method") == name)
            if mine.height:
                values = [
                    _mean(mine, column) for column in (*MEASURES, "p10_x", "f1_x", "chance_x", "found", "seconds")
                ]
                table.add_row(str(scenario), name, *values)
        table.add_section()
    return table


def paired_table(frame: pl.DataFrame, methods: Sequence[str], seed: int = 0) -> Table:
    """The first method less each other one on the same settings, with a bootstrap interval over draws."""
    table = Table("scenario", *methods[1:], title=f"P@10 with labels: {methods[0]} less ..., 95 % interval")
    scenarios = [*sorted(frame["scenario"].unique()), "all"]
    for scenario in scenarios:
        group = frame if scenario == "all" else frame.filter(pl.col("scenario") == scenario)
        table.add_row(scenario, *(_difference(group, methods[0], other, seed) for other in methods[1:]))
    success = [_difference(frame, methods[0], other, seed, "success") for other in methods[1:]]
    table.add_row("success, all", *success)
    return table


def _difference(frame: pl.DataFrame, one: str, other: str, seed: int, measure: str = "p10") -> str:
    paired = differences(frame, one, other, measure)
    if not paired.height:
        return "-"
    mean, low, high = interval(paired["difference"].to_numpy(), paired["draw"].to_numpy(), seed)
    return f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"


def differences(frame: pl.DataFrame, one: str, other: str, measure: str = "p10") -> pl.DataFrame:
    """draw, difference: one line a setting that both have. Settings of one draw share its name."""
    mine, theirs = (frame.filter(pl.col("method") == name).select("key", measure) for name in (one, other))
    joined = mine.join(theirs, on="key", suffix="_other").sort("key")
    parts = pl.col("key").str.split("/")
    draw = pl.concat_str(*(parts.list.get(i) for i in (0, 1, 2, 4, 5)), separator="/")
    return joined.select(draw=draw, difference=pl.col(measure) - pl.col(f"{measure}_other"))


def _mean(frame: pl.DataFrame, column: str) -> str:
    return f"{np.mean(frame[column].to_numpy()):.2f}"


def _error(frame: pl.DataFrame, column: str) -> str:
    values = frame[column].to_numpy()
    return f"{np.std(values, ddof=1) / np.sqrt(len(values)):.2f}" if len(values) > 1 else "-"
