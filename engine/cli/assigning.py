"""The command that watches: assign."""

import sys
from typing import Annotated

import typer

from .messages import guarded, note, tell
from .options import FormatOption, OutputOption, RayOption, SmallCellsOption, StateOption, StoreArgument
from .output import Format, chosen_format, deliver
from .progress import watched

AUDIT = typer.Option(metavar="ID", help="The audit (its id or name) whose slices are meant.")
WHERE = typer.Option(
    metavar="EXPRESSION",
    help="Assign the samples for which this SQL expression is true. "
    "[default: those that the audit would have taken and did not judge]",
)
MOVED = typer.Option("--moved", help="Give how the slices moved as the result, one row a slice.")


@guarded
def assign(  # noqa: PLR0913, PLR0917 - each is an option of the command
    store: StoreArgument,
    audit: Annotated[str, AUDIT],
    where: Annotated[str | None, WHERE] = None,
    moved: Annotated[bool, MOVED] = False,
    allow_small_cells: SmallCellsOption = False,
    form: FormatOption = None,
    output: OutputOption = None,
    state: StateOption = None,
    ray: RayOption = None,
) -> None:
    """Put later samples into slices; tell how the slices moved."""
    from misread import library
    from misread.workers import workers

    from .moves import moves_for_people
    from .tables import write_table

    form = chosen_format(form, output)
    opened = library.open(store, state=state)
    with workers(ray) as beside, watched() as progress:
        done = opened.assigned(audit, where, progress, beside, allow_small_cells=allow_small_cells)
    tell(done.notes)
    if moved:
        moves = done.moved.to_arrow()
        deliver(moves_for_people(moves) if form is Format.TABLE else moves, form, output, opened.location)
        return
    deliver(done.rows.to_arrow(), form, output, opened.location)
    if done.rows.height and done.moved.height:
        note(f"How the slices moved since audit {audit} (intervals of 95 % or wider):")
        write_table(moves_for_people(done.moved.to_arrow()), sys.stderr)
