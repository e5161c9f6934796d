"""The command that searches subgroups of metadata."""

from typing import Annotated, Literal

import typer

from misread.sql.limits import MEMORY, SECONDS

from .messages import guarded, note
from .options import (
    FormatOption,
    MemoryOption,
    OutputOption,
    SmallCellsOption,
    StateOption,
    StoreArgument,
    TimeOption,
)
from .output import chosen_format, deliver

MODEL = typer.Option("--model", metavar="NAME", help="The model whose errors to search. [default: every one]")
TARGET = typer.Option("--target", metavar="NAME", help="The target whose errors to search. [default: every one]")
CLASS = typer.Option("--class", help="Take rows of this true class only. [default: each of both]")
SIZE = typer.Option("--min-size", min=1, metavar="ROWS", help="Fewest rows of a subgroup in the half that is searched.")
TERMS = typer.Option(
    "--most-terms", min=1, max=3, metavar="NUMBER", help="Most metadata values that make up a subgroup."
)
TOP = typer.Option("--top", min=1, metavar="NUMBER", help="How many subgroups of each model and target to show.")
WHERE = typer.Option(
    "--where",
    metavar="EXPRESSION",
    help="Take only rows of the view samples for which this SQL expression is true. [default: all]",
)


@guarded
def subgroups(  # noqa: PLR0913, PLR0917 - each is an option of the command
    store: StoreArgument,
    model: Annotated[str | None, MODEL] = None,
    target: Annotated[str | None, TARGET] = None,
    of_class: Annotated[Literal["0", "1"] | None, CLASS] = None,
    min_size: Annotated[int, SIZE] = 10,
    most_terms: Annotated[int, TERMS] = 3,
    top: Annotated[int, TOP] = 10,
    where: Annotated[str | None, WHERE] = None,
    time_limit: TimeOption = SECONDS,
    memory_limit: MemoryOption = MEMORY,
    allow_small_cells: SmallCellsOption = False,
    form: FormatOption = None,
    output: OutputOption = None,
    state: StateOption = None,
) -> None:
    """Show subgroups of metadata where errors gather.

    They are searched in one half of the patients; counts, rates and q-values are of the other half, whose errors the
    search never saw. Confirmed is what has a q-value, over all that are shown, of at most 0.05.
    """
    from misread.library import Store
    from misread.queries import not_judged, why_nothing_is_judged

    form = chosen_format(form, output)
    opened = Store.open(store, state=state)
    found = opened.subgroups(
        model,
        target,
        of_class=None if of_class is None else int(of_class),
        min_size=min_size,
        most_terms=most_terms,
        top=top,
        where=where,
        time_limit=time_limit or None,
        memory_limit=memory_limit,
        allow_small_cells=allow_small_cells,
    )
    if model and target:
        if found.is_empty() and (reason := why_nothing_is_judged(opened, model, target)):
            note(reason)
    elif others := not_judged(opened, model, target):
        note(
            "not searched, as none of their predictions counts as right or wrong "
            f"(misread discover finds thresholds where there are labels): {'; '.join(others)}"
        )
    if found.height and not found["confirmed"].any():
        note("none of these is confirmed: that errors gather there in the other half, too, was not shown")
    deliver(found.to_arrow(), form, output, opened.location)
