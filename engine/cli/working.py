"""The command that fills a store: ingest."""

from pathlib import Path
from typing import Annotated

import typer

from misread.formats import FORMATS

from .messages import guarded, note, show_faults, tell
from .options import StoreArgument, listed
from .progress import watched

METADATA = typer.Option(metavar="FILE", help="Samples, one a row: sample_id, image and any columns (CSV or Parquet).")
IMAGES = typer.Option(metavar="FOLDER", help="Folder that image paths are relative to. [default: that of --metadata]")
REPORTS = typer.Option(
    metavar="FILE",
    help="One row a report: sample_id or study_id, report (its text), and where known its sections indication, "
    "technique, comparison, findings, impression (CSV or Parquet).",
)
PREDICTIONS = typer.Option(
    metavar="FILE",
    help="One row a sample, model and target: sample_id, model, target, label, score (0 to 1); where known threshold "
    "(else an audit chooses one) and loss (label and score may then be missing); task, any name, where targets are the "
    "classes of one question: the highest score is then the prediction (CSV or Parquet).",
)
EMBEDDINGS = typer.Option(
    metavar="FILE",
    help="Vectors computed elsewhere, one row a sample: sample_id, encoder (any name), vector (a list of numbers), and "
    "modality where they are of reports (Parquet).",
)
IDENTIFIERS = typer.Option(
    metavar="COLUMNS", help="Identifiers, by column or DICOM keyword, to keep as metadata: a,b. [default: none]"
)
ROOT = typer.Argument(metavar="[ROOT]", help="With --format: the folder that the data set lies in.", show_default=False)
FORMAT = typer.Option("--format", metavar="NAME", help="The layout of the data set in ROOT: one of those above.")
KEY = typer.Option(
    metavar="FILE",
    help="Store ids as hashes under the key in this file. [default: as they are; with --format dicom under STORE.key]",
)
SKIP_FAULTY = typer.Option("--skip-faulty", help="Keep the good rows; write the others beside the store.")


@guarded
def ingest(  # noqa: PLR0913, PLR0917 - each is an option
    store: StoreArgument,
    root: Annotated[Path | None, ROOT] = None,
    form: Annotated[str | None, FORMAT] = None,
    metadata: Annotated[Path | None, METADATA] = None,
    images: Annotated[Path | None, IMAGES] = None,
    reports: Annotated[Path | None, REPORTS] = None,
    predictions: Annotated[Path | None, PREDICTIONS] = None,
    embeddings: Annotated[Path | None, EMBEDDINGS] = None,
    keep_identifiers: Annotated[str | None, IDENTIFIERS] = None,
    key: Annotated[Path | None, KEY] = None,
    skip_faulty: Annotated[bool, SKIP_FAULTY] = False,
) -> None:
    if (root is None) != (form is None):
        raise typer.BadParameter("--format NAME and ROOT go together: misread ingest STORE --format NAME ROOT")
    if not any((root, metadata, reports, predictions, embeddings)):
        raise typer.BadParameter("give --metadata, --reports, --predictions or --embeddings, or --format and a folder")
    from misread.filling import sources_of
    from misread.ingest import Sources
    from misread.ingest import ingest as ingest_into
    from misread.store import TableStore

    kept = listed(keep_identifiers) or ()
    files = Sources(metadata, images, reports, predictions, embeddings, identifiers_kept=kept)
    sources = sources_of(store, files, form, root, key)
    opened = TableStore.open_or_new(store)
    with watched() as progress:
        result = ingest_into(opened, sources, skip_faulty=skip_faulty, progress=progress)
    tell(result.notices)
    if result.faults:
        show_faults(result.faults)
        count = len(result.faults)
        told = f"{count} fault{'s' if count != 1 else ''}"
        note(f"{told}; the rows with faults are in {result.rejected}, not in the store.")
    for name, rows in result.tables.items():
        typer.echo(f"{name}: {rows.added} added, {rows.changed} changed, {rows.unchanged} unchanged")


ingest.__doc__ = """Put images, reports, metadata and predictions into a store.

Formats that --format reads, by the name of the data set:

\b
""" + "\n".join(f"  {known.name:<14} {known.summary}" for known in FORMATS.values())
