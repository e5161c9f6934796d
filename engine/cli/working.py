"""The command that fills a store: ingest."""

from pathlib import Path
from typing import Annotated

import typer

from .messages import guarded, note, show_faults, tell
from .options import StoreArgument, listed
from .progress import watched

METADATA = typer.Option(metavar="FILE", help="Samples, one a row: sample_id, image and any columns (CSV or Parquet).")
IMAGES = typer.Option(metavar="FOLDER", help="Folder that image paths are relative to. [default: that of --metadata]")
REPORTS = typer.Option(metavar="FILE", help="Reports, keyed by sample_id or study_id (CSV or Parquet).")
PREDICTIONS = typer.Option(
    metavar="FILE",
    help="sample_id, model, target, label, score (0 to 1), and threshold and loss if known (CSV or Parquet). "
    "With a loss, label and score may be missing.",
)
EMBEDDINGS = typer.Option(metavar="FILE", help="Vectors computed elsewhere: sample_id, encoder, vector (Parquet).")
IDENTIFIERS = typer.Option(
    metavar="COLUMNS", help="Direct identifiers, such as name, to keep as metadata: a,b. [default: none]"
)
SKIP_FAULTY = typer.Option("--skip-faulty", help="Keep the good rows; write the others beside the store.")


@guarded
def ingest(
    store: StoreArgument,
    metadata: Annotated[Path | None, METADATA] = None,
    images: Annotated[Path | None, IMAGES] = None,
    reports: Annotated[Path | None, REPORTS] = None,
    predictions: Annotated[Path | None, PREDICTIONS] = None,
    embeddings: Annotated[Path | None, EMBEDDINGS] = None,
    keep_identifiers: Annotated[str | None, IDENTIFIERS] = None,
    skip_faulty: Annotated[bool, SKIP_FAULTY] = False,
) -> None:
    """Put images, reports, metadata and predictions into a store."""
    if not any((metadata, reports, predictions, embeddings)):
        raise typer.BadParameter("give --metadata, --reports, --predictions or --embeddings")
    from misread.ingest import Sources
    from misread.ingest import ingest as ingest_into
    from misread.store import TableStore

    kept = listed(keep_identifiers) or ()
    sources = Sources(metadata, images, reports, predictions, embeddings, identifiers_kept=kept)
    opened = TableStore.open_or_new(store)
    with watched() as progress:
        result = ingest_into(opened, sources, skip_faulty=skip_faulty, progress=progress)
    tell(result.notices)
    if result.faults:
        show_faults(result.faults)
        note(f"{len(result.faults)} faults; the rows with faults are in {result.rejected}, not in the store.")
    for name, rows in result.tables.items():
        typer.echo(f"{name}: {rows.added} added, {rows.changed} changed, {rows.unchanged} unchanged")
