"""The commands that care for a store: verify and delete."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .cells import visible
from .messages import for_who_may_leave, guarded, note, tell
from .options import FormatOption, OutputOption, StateOption, StoreArgument
from .output import chosen_format, deliver
from .progress import watched

PATIENT = typer.Option("--patient", metavar="ID", help="The patient to remove.")
KEY = typer.Option(
    "--key",
    metavar="FILE",
    help="Where ids are keyed hashes: the key that they were stored with.  [default: STORE.key, if there is one]",
)


@guarded
def verify(
    store: StoreArgument,
    form: FormatOption = None,
    output: OutputOption = None,
    state: StateOption = None,
) -> None:
    """Find bytes that changed or are missing, and files of others."""
    import pyarrow as pa

    from misread.care import strays
    from misread.care import verify as verified
    from misread.store import TableStore

    written = chosen_format(form, output)
    opened = TableStore.open(store, state=state)
    with watched() as progress:
        found = verified(opened, progress)
    tell(visible(f"{stray.name} ({stray.bytes:,} bytes) {stray.reason}") for stray in strays(opened))
    if not found and form is None and output is None:
        rows = sum(entry.rows for entry in opened.manifest.tables.values())
        tables = "1 table" if len(opened.tables) == 1 else f"{len(opened.tables)} tables"
        typer.echo(f"{tables} with {rows} rows: all as they were written")
        return
    schema = pa.schema(dict.fromkeys(("table", "row", "reason"), pa.string()))
    with for_who_may_leave():
        deliver(pa.Table.from_pylist([asdict(one) for one in found], schema), written, output, opened.location)
    if found:
        places = "1 place is" if len(found) == 1 else f"{len(found)} places are"
        note(f"{places} damaged; restore the store's files from a copy, or ingest again into a new store.")
        raise typer.Exit(1)


@guarded
def delete(
    store: StoreArgument,
    patient: Annotated[str, PATIENT],
    key: Annotated[Path | None, KEY] = None,
) -> None:
    """Remove a patient from a store, for good."""
    from misread.care import delete_patient
    from misread.ingest.pseudonyms import Pseudonyms, key_beside, read_key
    from misread.store import TableStore

    opened = TableStore.open(store)
    beside = key_beside(store)
    used = beside if key is None and beside.is_file() else key
    hashed = None if used is None else Pseudonyms(read_key(used)).of("patient_id", patient)
    removed = delete_patient(opened, patient, also_known_as=hashed)
    for name, count in removed.rows.items():
        typer.echo(f"{name}: {count} removed")
    note(
        f"Older states are gone, and {removed.answers} kept answers and {removed.rejected} rejected rows. Numbers of "
        "audits and fitted encoders stay; misread embed --refit and new audits make them without the patient."
    )
    if removed.texts.mended:
        note(f"Ids of the patient were taken out of {', '.join(removed.texts.mended)}.")
    if removed.texts.left:
        note(
            f"Ids of the patient may still stand in {', '.join(removed.texts.left)}. Save such questions anew without "
            "them and delete the patient again; filters and notes go with the store alone: ingest into a new one."
        )
