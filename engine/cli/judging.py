"""The command that keeps a person's judgement of a slice."""

import getpass
from typing import Annotated

import typer

from misread.schemas.errors import command
from misread.schemas.values import Verdict

from .messages import guarded, note
from .options import StoreArgument

SLICE = typer.Argument(metavar="SLICE", help="The slice, by its id.")
VERDICT = typer.Argument(metavar="VERDICT", help="One of: confirmed, artefact, 'label error', unclear.")
BY = typer.Option("--by", metavar="NAME", help="Who judges. [default: the name you are logged in by]")
NOTE = typer.Option("--note", metavar="TEXT", help="Why, in a sentence or two.")


@guarded
def verdict(
    store: StoreArgument,
    slice_id: Annotated[str, SLICE],
    verdict: Annotated[Verdict, VERDICT],
    judged_by: Annotated[str | None, BY] = None,
    text: Annotated[str | None, NOTE] = None,
) -> None:
    """Keep your judgement of a slice beside its audit."""
    from misread.library import Store

    Store.open(store).judge(slice_id, verdict, judged_by=judged_by or _user(), note=text)
    note(f"{slice_id}: {verdict}; see the view verdicts, and {command('report', store)}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13
        raise typer.BadParameter("nobody is known here by a name: say who judges with --by NAME") from None
