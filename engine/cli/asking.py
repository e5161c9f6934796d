"""The commands that show what a store holds: slices and info."""

from typing import Annotated, Any, Literal

import pyarrow as pa
import typer

from misread.schemas.errors import nothing_audited

from .messages import guarded, note, tell
from .options import FormatOption, OutputOption, SmallCellsOption, StateOption, StoreArgument
from .output import Format, chosen_format, deliver


@guarded
def slices(
    store: StoreArgument,
    audit: Annotated[
        str | None,
        typer.Option("--audit", metavar="ID", help="Show this audit, by its id or name. [default: the newest]"),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show the slices of every audit.")] = False,
    allow_small_cells: SmallCellsOption = False,
    form: FormatOption = None,
    output: OutputOption = None,
    state: StateOption = None,
) -> None:
    """Show the slices that an audit found."""
    from misread.execute import audit_named
    from misread.query import open_session
    from misread.sql import Limits, question
    from misread.store import TableStore

    from .show import nothing_found, slices_for_people

    if audit is not None and every:
        raise typer.BadParameter("--audit and --all exclude each other")
    opened = TableStore.open(store, state=state)
    audit = None if audit is None else audit_named(opened, audit)
    with open_session(opened, Limits(allow_small_cells=allow_small_cells)) as session:
        audits = chosen_audits(session.query(question("audits_made")), audit, every, store)
        ids = [row["audit_id"] for row in audits]
        found = session.query(question("slices_found"), {"audit_ids": ids})
    alone = not found.num_rows and form is None and output is None
    for row in audits:
        if not row["slices"]:
            (typer.echo if alone else note)(nothing_found(row))
        else:
            tell(f"audit {row['audit_id']}: {remark}" for remark in row["notes"] or ())
    if alone:
        return
    readable = chosen_format(form, output) is Format.TABLE
    deliver(slices_for_people(found) if readable else found, form, output, opened.location)


@guarded
def info(
    store: StoreArgument,
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="How the contents are written.")] = "table",
    state: StateOption = None,
) -> None:
    """Show what a store holds."""
    from misread.store import TableStore

    from .contents import store_contents, write_contents

    write_contents(store_contents(TableStore.open(store, state=state)), as_object=form == "json")


def chosen_audits(made: pa.Table, audit: str | None, every: bool, store: str) -> list[dict[str, Any]]:
    """The rows of the audits to show, out of all made. Raises AuditError if there is none."""
    rows: list[dict[str, Any]] = made.to_pylist()
    if not rows:
        raise nothing_audited(store)
    if every:
        return rows
    if audit is None:
        return rows[:1]
    return [row for row in rows if row["audit_id"] == audit]
