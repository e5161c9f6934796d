"""What is given to an ingest, and what comes back from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from misread.schemas.errors import Fault


@dataclass(frozen=True)
class Sources:
    """The files of one ingest, each CSV (also .tsv, and .gz of either) or Parquet.

    `images` is the folder that the paths in the metadata's `image` column are relative to; None means the
    folder of the metadata file. `identifiers_kept` names direct identifiers that are kept as metadata.
    """

    metadata: Path | None = None
    images: Path | None = None
    reports: Path | None = None
    predictions: Path | None = None
    embeddings: Path | None = None
    identifiers_kept: tuple[str, ...] = ()


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
