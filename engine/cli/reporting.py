"""The command that writes an audit's report."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from misread.writing import refuse_inside

from .messages import guarded, note
from .options import SmallCellsOption, StateOption, StoreArgument
from .progress import watched


class Form(StrEnum):
    HTML = "html"
    MARKDOWN = "md"
    JSON = "json"


AUDIT = typer.Option("--audit", metavar="ID", help="Report this audit, by its id or name. [default: the newest]")
OUT = typer.Option("--output", "--out", metavar="FILE", help="The file to write, for its owner alone to read.")
FORM = typer.Option("--format", help="What to write. [default: as --output ends, else html]")
NO_IMAGES = typer.Option("--no-images", help="Leave every image out.")
NO_TEXT = typer.Option(
    "--no-text",
    help="Leave out ids, filters that look at ids, notes of verdicts, and what reports say in five words or more.",
)


@guarded
def report(
    store: StoreArgument,
    out: Annotated[Path, OUT],
    audit: Annotated[str | None, AUDIT] = None,
    form: Annotated[Form | None, FORM] = None,
    no_images: Annotated[bool, NO_IMAGES] = False,
    no_text: Annotated[bool, NO_TEXT] = False,
    allow_small_cells: SmallCellsOption = False,
    state: StateOption = None,
) -> None:
    """Write an audit's report, for people to read."""
    from misread.library import Store
    from misread.report.wording import holds_of_patients

    chosen = form or _form_of(out)
    opened = Store.open(store, state=state)
    refuse_inside(out, opened.location)
    with watched() as progress:
        made = opened.report(
            audit, images=not no_images, text=not no_text, allow_small_cells=allow_small_cells, progress=progress
        )
        made.save(out, chosen.value)
    told = holds_of_patients(made.holds(chosen.value), made.may_hold)
    note(f"{out} holds audit {made.audit['audit_id']}: it {told}")


def _form_of(out: Path) -> Form:
    ending = out.suffix.lower().removeprefix(".") or "html"
    if ending not in list(Form):
        raise typer.BadParameter(
            f"{out.name} ends in none of {', '.join(Form)}; name a --format", param_hint="--output"
        )
    return Form(ending)
