"""What is given to an ingest, and what comes back from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from misread.progress import Progress
from misread.schemas.errors import Fault

from .faultbook import FaultBook
from .files import Source
from .pseudonyms import Pseudonyms

Read = Callable[[str], bytes]
"""The encoded picture that a cell of the column `image` names. Raises PictureError where there is none."""


@dataclass(frozen=True)
class Archive:
    """A data set in its own layout, as its reader found it: samples, their pictures, and reports if it has any.

    `samples` has the columns of a metadata file, `reports` those of a file of reports; rows at fault are in neither.
    `kept`: the columns that look like identifiers and are kept (None: those that the user named).
    """

    samples: Source
    pictures: Read
    reports: Source | None = None
    notices: tuple[str, ...] = ()
    kept: tuple[str, ...] | None = None


ReadArchive = Callable[[FaultBook, Progress], Archive | None]
"""Reads a data set, faults into the book; None where it cannot be read at all."""


@dataclass(frozen=True)
class Sources:
    """The files of one ingest, each CSV (also .tsv, and .gz of either) or Parquet.

    `images` is the folder that the paths in the metadata's `image` column are relative to; None means the folder of
    the metadata file, for a frame the current one. `identifiers_kept` names direct identifiers kept as metadata.
    `archive` reads a data set in its own layout, in place of metadata, images and reports. With `pseudonyms`, ids are
    stored as keyed hashes, in every file alike. `frames` names the tables (metadata, reports, predictions, embeddings)
    that were given as frames: their files are nobody's, and are told of as the frames.
    """

    metadata: Path | None = None
    images: Path | None = None
    reports: Path | None = None
    predictions: Path | None = None
    embeddings: Path | None = None
    identifiers_kept: tuple[str, ...] = ()
    archive: ReadArchive | None = None
    pseudonyms: Pseudonyms | None = None
    frames: tuple[str, ...] = ()


@dataclass(frozen=True)
class RowCounts:
    """What became of the good input rows of one table. `changed` rows were there with another content."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True)
class IngestResult:
    """What an ingest did.

    `tables` has a count for every table that had input, changed or not. `faults` and `rejected`, the folder
    with the rejected rows, are only there when faulty rows were skipped.
    """

    tables: Mapping[str, RowCounts] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    rejected: Path | None = None
