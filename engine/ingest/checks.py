"""Every check of every input file, in the order in which they lean on each other; nothing is written."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import polars as pl

from misread.progress import Progress
from misread.schemas.tables import IMAGES, PREDICTIONS
from misread.store import TableStore

from .columns import OURS
from .embeddings import COLUMNS as OF_EMBEDDINGS
from .embeddings import check_embeddings
from .faultbook import ROW, FaultBook
from .files import Source, read_source
from .images import stored_images
from .known import Known, known_ids, known_of_none
from .metadata import Metadata, check_metadata
from .one_key import has_stored_ids
from .outside import without_identifiers
from .pictures import Picture
from .predictions import COLUMNS as OF_PREDICTIONS
from .predictions import check_predictions
from .rejects import without_faults
from .reports import COLUMNS as OF_REPORTS
from .reports import check_reports
from .sources import Archive, Sources

KINDS = ("metadata", "reports", "predictions", "embeddings")
_READ: Final = {"metadata": OURS, "reports": OF_REPORTS, "predictions": OF_PREDICTIONS, "embeddings": OF_EMBEDDINGS}


@dataclass
class Checked:
    """The input as read and checked, faulty rows among it, beside what the store holds."""

    images: pl.DataFrame | None
    stored_predictions: pl.DataFrame | None
    files: dict[str, Source] = field(default_factory=dict)
    metadata: Metadata | None = None
    rows: dict[str, pl.DataFrame] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def as_read(self) -> Iterator[Source]:
        """The files with the columns that were read of them alone."""
        for kind, source in self.files.items():
            names = [name for name in source.columns if kind == "metadata" or name.casefold() in _READ[kind]]
            yield replace(source, frame=source.frame.select(ROW, *names))


def check(store: TableStore, sources: Sources, book: FaultBook, progress: Progress) -> Checked:
    """Reads and checks everything; faults are in `book`."""
    images = stored_images(store.table(IMAGES.name).read()) if store.has(IMAGES.name) else None
    checked = Checked(images, _stored_predictions(store, sources))
    for kind, (path, name) in _named_files(sources).items():
        source = read_source(path, name, book, _READ[kind])
        if source is not None:
            checked.files[kind] = without_faults(source)
    archive = _read_archive(checked, sources, book, progress)
    if "metadata" in checked.files:
        kept = sources.identifiers_kept if archive is None or archive.kept is None else archive.kept
        hashed = () if sources.pseudonyms is None else sources.pseudonyms.hashed
        checked.files["metadata"] = without_identifiers(checked.files["metadata"], kept, hashed, book)
    has_ids = has_stored_ids(
        checked.files.values(), _samples(images), sources.pseudonyms, sources.identifiers_kept, book
    )
    if sources.pseudonyms is not None:
        checked.files = {kind: sources.pseudonyms.source(source) for kind, source in checked.files.items()}
    _check_metadata(checked, sources, archive, book, progress)
    known = _known(checked, sources, book) if has_ids else known_of_none()
    for kind, source in checked.files.items():
        frame = None
        if kind == "reports":
            frame = check_reports(source, known, book, checked.notices)
        elif kind == "predictions":
            frame = check_predictions(source, checked.stored_predictions, known, book)
        elif kind == "embeddings":
            frame = check_embeddings(source, store.encoders, known, book)
        if frame is not None:
            checked.rows[kind] = frame
            checked.notices.extend(source.notices)
    return checked


def _read_archive(checked: Checked, sources: Sources, book: FaultBook, progress: Progress) -> Archive | None:
    """Puts what a data set's reader found among the files."""
    archive = None if sources.archive is None else sources.archive(book, progress)
    if archive is None:
        return None
    checked.files = {"metadata": archive.samples} | checked.files
    if archive.reports is not None:
        checked.files["reports"] = archive.reports
    checked.notices.extend(archive.notices)
    return archive


def _named_files(sources: Sources) -> dict[str, tuple[Path, str]]:
    """The path and the name in faults of every file given: its base name where that tells them apart, or which frame it
    is."""
    paths = {kind: path for kind in KINDS if (path := getattr(sources, kind)) is not None}
    names = {k: f"the frame given as {k}" if k in sources.frames else path.name for k, path in paths.items()}
    times = Counter(names.values())
    return {k: (path, names[k] if names[k] and times[names[k]] == 1 else str(path)) for k, path in paths.items()}


def _samples(images: pl.DataFrame | None) -> pl.Series:
    return pl.Series([], dtype=pl.String) if images is None else images["sample_id"]


def _stored_predictions(store: TableStore, sources: Sources) -> pl.DataFrame | None:
    if sources.predictions is None or not store.has(PREDICTIONS.name):
        return None
    frame = pl.from_arrow(store.table(PREDICTIONS.name).read(PREDICTIONS.without_checksum.names))
    assert isinstance(frame, pl.DataFrame)
    return frame


def _check_metadata(
    checked: Checked, sources: Sources, archive: Archive | None, book: FaultBook, progress: Progress
) -> None:
    if sources.images is not None and not sources.images.is_dir():
        book.whole(str(sources.images), "there is no such folder of images")
        return
    source = checked.files.get("metadata")
    if source is None:
        return
    stored = [] if checked.images is None else checked.images.columns
    named = sources.images if archive is None else archive.pictures
    checked.metadata = check_metadata(
        source,
        named or (Path.cwd() if "metadata" in sources.frames else source.path.parent),
        named is not None,
        stored,
        _pictures(checked.images),
        book,
        progress,
        sources.pseudonyms,
    )
    if checked.metadata is not None:
        checked.notices.extend(checked.metadata.notices)


def _pictures(images: pl.DataFrame | None) -> dict[str, Picture]:
    """The store's pictures by sha256: bytes that were decoded once need not be again."""
    if images is None:
        return {}
    facts = images.drop_nulls("sha256").select("width", "height", "media_type", "sha256")
    return {digest: Picture(width, height, kind, digest) for width, height, kind, digest in facts.iter_rows()}


def _known(checked: Checked, sources: Sources, book: FaultBook) -> Known:
    if (sources.metadata is not None or sources.archive is not None) and checked.metadata is None:
        return known_of_none()
    if checked.metadata is None:
        return known_ids(checked.images, None, set())
    frame = checked.metadata.frame
    if "study_id" not in frame.columns:
        if checked.images is not None:
            ids = checked.images.select("sample_id", "study_id")
            frame = frame.join(ids, on="sample_id", how="left", maintain_order="left")
        else:
            frame = frame.with_columns(study_id=pl.lit(None, pl.String))
    return known_ids(checked.images, frame, book.bad(checked.metadata.source.name))
