"""`python -m benchmarks.planted`: plants slices, lets every method find them, and says who did."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.peers import METHODS

from .cache import default_folder
from .demo import FILMS
from .modalities import plot
from .rows import Book, Row
from .run import AUDIT, Task, fits, run_all
from .setting import SPLITS, Setting, settings
from .sources import ready
from .tables import all_tables, flat, markdown, show_failures

QUICK = {"settings": "quick", "count": 3, "films": 1600}
FLOOR = 0.5
"""Mean P@10 of misread that `--quick` asks for, every cell alike."""
MOST_CONFIRMED = 1
"""Null audits of `--quick` that may confirm a slice."""


def main(arguments: Sequence[str] | None = None) -> None:
    asked = parser().parse_args(arguments)
    methods = tuple(asked.methods.split(",")) if asked.methods else (*METHODS, AUDIT)
    if asked.quick:
        vars(asked).update(QUICK)
    chosen = settings(asked.settings.split(","), asked.split, asked.count)
    if not chosen:
        raise SystemExit(f"no setting matches {asked.settings}; cells are source/scenario/predictions/modalities")
    output = asked.output or asked.cache / f"planted-{'quick' if asked.quick else asked.split}.jsonl"
    book = Book(output)
    console = Console(width=None if Console().is_terminal else 200)
    measure(book, todo(book, chosen, methods), asked, console)
    rows = list(book.of([s.key for s in chosen], methods))
    tables = list(all_tables(rows, methods))
    for table in tables:
        console.print(table)
    show_failures(rows, console)
    console.print(f"rows in {output}")
    if asked.page:
        asked.page.write_text("\n".join(map(markdown, tables)), encoding="utf-8")
    if asked.plot:
        frame = flat([row for row in rows if row["setting"]["scenario"] != "null"])
        plot(frame, methods[0], methods[min(1, len(methods) - 1)], asked.plot)
    if asked.quick and (wrong := shortfall(rows)):
        raise SystemExit(wrong)


def shortfall(rows: Sequence[Row]) -> str:
    """What falls short of what `--quick` asks for; empty if nothing does."""
    failed = [row for row in rows if "failed" in row]
    null = [row for row in rows if row["method"] == AUDIT and "failed" not in row]
    ours = flat([row for row in rows if row["method"] == "ours"])
    reached = float(ours["p10"].mean() or 0.0) if ours.height else 0.0  # type: ignore[arg-type]
    confirmed = sum(bool(row["confirmed"]) for row in null)
    reasons = (
        (bool(failed), f"{len(failed)} rows failed"),
        (ours.height > 0 and reached < FLOOR, f"mean P@10 of misread is {reached:.2f}, under {FLOOR}"),
        (confirmed > MOST_CONFIRMED, f"{confirmed} of {len(null)} null audits confirmed a slice"),
    )
    return "; ".join(text for holds, text in reasons if holds)


def todo(book: Book, chosen: Sequence[Setting], methods: Sequence[str]) -> list[Task]:
    """The methods that are still to run on each setting."""
    tasks = [(s, tuple(m for m in methods if fits(s, m) and not book.has(s.key, m))) for s in chosen]
    return [task for task in tasks if task[1]]


def measure(book: Book, tasks: Sequence[Task], asked: argparse.Namespace, console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        drawing = progress.add_task("preparing sources", total=None)
        sources = {setting.source for setting, _ in tasks}
        ready(
            sources,
            asked.cache,
            asked.films,
            asked.workers,
            lambda done, total, what: progress.update(drawing, completed=done, total=total, description=what),
        )
        progress.update(drawing, completed=1, total=1, description="sources ready")
        bar = progress.add_task("settings x methods", total=sum(len(names) for _, names in tasks))
        for rows in run_all(tasks, asked.cache, asked.films, asked.workers):
            book.add(rows)
            progress.advance(bar, len(rows))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks.planted", description=__doc__)
    made.add_argument("--methods", help="name[:key=value]..., separated by commas; the first is compared with the rest")
    made.add_argument(
        "--quick", action="store_true", help="a few minutes, with a floor: fails where misread falls short"
    )
    made.add_argument(
        "--settings", default="fast", help="fast, quick, null, all, or patterns such as 'demo/rare/*/image+report'"
    )
    made.add_argument("--split", choices=SPLITS, default="tune", help="settings to choose on, or settings to report")
    made.add_argument("--count", type=int, default=20, help="settings of each cell")
    made.add_argument("--films", type=int, default=FILMS, help="radiographs drawn for the demo source")
    made.add_argument("--workers", type=int, default=2, help="processes")
    made.add_argument("--output", type=Path, help="JSON lines; rows that are there are not run again")
    made.add_argument("--plot", type=Path, help="P@10 by modality set, the first two methods (svg, png, pdf)")
    made.add_argument("--page", type=Path, help="the tables as Markdown")
    made.add_argument("--cache", type=Path, default=default_folder())
    return made


if __name__ == "__main__":
    main()
