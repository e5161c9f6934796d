"""Arguments and options that several commands share."""

import csv
from pathlib import Path
from typing import Annotated

import typer

from .output import Format

StoreArgument = Annotated[
    str, typer.Argument(metavar="STORE", help="The store: a folder, or a URI such as s3://bucket/audits/cxr.")
]
FormatOption = Annotated[
    Format | None,
    typer.Option("--format", help="How the result is written. [default: as --output ends, else table]"),
]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="Write the result to this file, for its owner alone to read."),
]
StateOption = Annotated[
    int | None,
    typer.Option(
        "--state",
        metavar="NUMBER",
        min=1,
        help="Read the store as it was at this state. [default: the newest]",
    ),
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Divide the work over a Ray cluster; local: over this machine."),
]
SmallCellsOption = Annotated[
    bool,
    typer.Option("--allow-small-cells", help="Show numbers of fewer than 11 patients too."),
]

TimeOption = Annotated[
    float,
    typer.Option("--time-limit", metavar="SECONDS", help="Stop a question after this long; 0 is no limit."),
]
MemoryOption = Annotated[
    str,
    typer.Option("--memory-limit", metavar="SIZE", help="What a question may take, such as 500MB or 8GB."),
]


def listed(text: str | None) -> tuple[str, ...] | None:
    """Names separated by commas, one that holds a comma in double quotes; None where nothing was given."""
    if text is None:
        return None
    return tuple(part.strip() for row in csv.reader([text], skipinitialspace=True) for part in row if part.strip())
