"""The ingest itself: check everything, then write what differs in one commit."""

from dataclasses import dataclass, field

import polars as pl

from misread.progress import Progress, silent
from misread.schemas.errors import InputFaultsError, MisreadError
from misread.schemas.tables import IMAGES, PREDICTIONS, REPORTS, VECTOR
from misread.schemas.values import EXTERNAL, Modality
from misread.store import Commit, EncoderEntry, TableStore
from misread.store.lance_table import LanceTable
from misread.store.newest import changed_meanwhile

from .checks import KINDS, Checked, check
from .embeddings import by_encoder
from .faultbook import FaultBook
from .images import ImagesChange, images_change, write_images
from .metadata import sample_notices
from .rejects import rejects_folder, write_rejects
from .rows import RowsChange, prediction_rows, report_rows, rows_change, vector_rows, write_rows
from .sources import IngestResult, RowCounts, Sources


@dataclass
class _Plan:
    """What is to be written, table by table."""

    images: ImagesChange | None = None
    rows: list[RowsChange] = field(default_factory=list)
    encoders: dict[str, tuple[Modality, int]] = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        return (self.images is None or self.images.is_nothing) and all(change.is_nothing for change in self.rows)

    @property
    def counts(self) -> dict[str, RowCounts]:
        images = {} if self.images is None else {IMAGES.name: self.images.counts}
        return images | {change.contract.name: change.counts for change in self.rows}


def ingest(
    store: TableStore, sources: Sources, *, skip_faulty: bool = False, progress: Progress = silent
) -> IngestResult:
    """Takes files into a store: new rows are added, changed ones updated, all in one commit or not at all.

    Rows and columns that the files do not have stay as they are, and the same files again change nothing.
    With `skip_faulty` the rows at fault are written to a folder beside the store and the others are stored.

    Raises InputFaultsError with every fault of every file (with `skip_faulty` only for faults of whole files,
    or where no good row of metadata is left); MisreadError where there is nothing to ingest or no sample for
    it; StoreError where the store changed meanwhile. Nothing is stored then.
    """
    current = TableStore.open_or_new(store.location)
    _check_request(current, sources)
    book = FaultBook(skipping=skip_faulty)
    checked = check(current, sources, book, progress)
    _stop_at_faults(checked, current, book)
    plan = _plan(current, checked, book)
    rejected = None
    if sources.pseudonyms is not None and (book.faults or not plan.is_nothing):
        sources.pseudonyms.keep_key()
    if book.faults:
        rejected = rejects_folder(current)
        write_rejects(rejected, checked.as_read(), book.by_row)
    if not plan.is_nothing:
        with store.commit("ingest") as commit:
            if commit.manifest.state != current.state:
                raise changed_meanwhile(f"the store {store.location}")
            _write(commit, plan, checked, progress)
    return IngestResult(plan.counts, tuple(checked.notices), book.faults, rejected)


def _check_request(store: TableStore, sources: Sources) -> None:
    if sources.archive is not None and (sources.metadata, sources.images, sources.reports) != (None, None, None):
        raise MisreadError(
            "a data set in its own format brings its own metadata, images and reports",
            "leave out --metadata, --images and --reports, or --format",
        )
    if sources.archive is None and all(getattr(sources, kind) is None for kind in KINDS):
        raise MisreadError(
            "there is nothing to ingest", "name at least one file, for a new store --metadata metadata.csv"
        )
    if sources.metadata is None and sources.archive is None and not store.has(IMAGES.name):
        raise MisreadError(f"the store {store.location} has no samples yet", "give --metadata metadata.csv as well")
    if sources.metadata is None and sources.images is not None:
        raise MisreadError(
            "a folder of images was given without metadata",
            "give --metadata, whose column 'image' names the images",
        )


def _stop_at_faults(checked: Checked, store: TableStore, book: FaultBook) -> None:
    if book.stops and book.skipping:
        raise InputFaultsError(book.unskippable, "nothing has been stored; faults of whole files cannot be skipped")
    if book.stops:
        hint = "" if book.unskippable else "; to keep the good rows: --skip-faulty"
        raise InputFaultsError(book.faults, f"nothing has been stored{hint}")
    metadata = checked.metadata
    nothing_left = metadata is not None and book.good(metadata.source.name, metadata.frame).is_empty()
    if nothing_left and not store.has(IMAGES.name):
        raise InputFaultsError(book.faults, "nothing has been stored: no good row of metadata is left")


def _plan(store: TableStore, checked: Checked, book: FaultBook) -> _Plan:
    plan = _Plan()
    if checked.metadata is not None:
        name = checked.metadata.source.name
        good = book.good(name, checked.metadata.frame)
        plan.images = images_change(checked.images, checked.metadata, good, checked.notices)
        checked.notices.extend(sample_notices(plan.images.rows, name))
    for kind, frame in checked.rows.items():
        good = book.good(checked.files[kind].name, frame)
        if kind == "reports":
            plan.rows.append(rows_change(REPORTS, _table(store, REPORTS.name), report_rows(good)))
        elif kind == "predictions":
            rows = prediction_rows(good, checked.stored_predictions)
            plan.rows.append(rows_change(PREDICTIONS, _table(store, PREDICTIONS.name), rows))
        else:
            _add_vectors(plan, store, good)
    return plan


def _table(store: TableStore, name: str) -> LanceTable | None:
    return store.table(name) if store.has(name) else None


def _add_vectors(plan: _Plan, store: TableStore, vectors: pl.DataFrame) -> None:
    for encoder, frame in by_encoder(vectors).items():
        contract, rows = vector_rows(encoder, frame)
        change = rows_change(contract, _table(store, contract.name), rows)
        plan.rows.append(change)
        if not change.is_nothing:
            plan.encoders[encoder] = (frame["modality"][0], rows[VECTOR].type.list_size)


def _write(commit: Commit, plan: _Plan, checked: Checked, progress: Progress) -> None:
    if plan.images is not None and checked.metadata is not None and not plan.images.is_nothing:
        write_images(commit, plan.images, checked.metadata, progress)
    for change in plan.rows:
        if not change.is_nothing:
            write_rows(commit, change)
    for encoder, (modality, dimension) in plan.encoders.items():
        commit.set_encoder(encoder, EncoderEntry(modality, dimension, EXTERNAL, commit.next_state))
