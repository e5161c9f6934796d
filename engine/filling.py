"""What fills a store, from the command line and from Python alike: files, or frames in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import polars as pl
import pyarrow as pa

from misread.schemas.errors import MisreadError, first_line
from misread.sql.temporary import TemporaryFolder

if TYPE_CHECKING:
    import pandas as pd

    from .ingest import Sources

Table: TypeAlias = "str | os.PathLike[str] | pl.DataFrame | pa.Table | pd.DataFrame"
"""A CSV or Parquet file, or a frame with the columns that it would have."""
FRAMES: Final = "frames"


def sources_of(
    location: str | os.PathLike[str],
    files: Sources,
    form: str | None = None,
    root: str | os.PathLike[str] | None = None,
    key: Path | None = None,
) -> Sources:
    """`files`, and beside them the data set in `root` in the format `form` if one is named; ids as hashes under `key`.

    Raises UnknownNameError for a format that does not exist, MisreadError for a format without a folder, a folder
    without a format, or a key that cannot be used.
    """
    if (form is None) != (root is None):
        raise MisreadError("a format and the folder of its data set go together", "name both, or neither")
    if form is not None and root is not None:
        from .formats import format_sources

        found = format_sources(form, root, location, identifiers_kept=files.identifiers_kept, key=key)
        return replace(files, archive=found.archive, pseudonyms=found.pseudonyms)
    if key is not None:
        from .ingest.pseudonyms import Pseudonyms, read_key

        return replace(files, pseudonyms=Pseudonyms(read_key(key)))
    return files


@contextmanager
def as_files(**tables: Table | None) -> Iterator[dict[str, Path | None]]:
    """A file for each table, by its name; frames are written for as long as this lasts, for their owner alone.

    Raises MisreadError for what is neither a file nor a frame.
    """
    with ExitStack() as frames:
        folder = cache(lambda: frames.enter_context(TemporaryFolder(FRAMES)))
        yield {name: None if table is None else _file(name, table, folder) for name, table in tables.items()}


def frames_among(tables: Mapping[str, Table | None]) -> tuple[str, ...]:
    """The names of the tables that are no paths."""
    return tuple(name for name, table in tables.items() if not isinstance(table, str | os.PathLike | None))


def _file(name: str, table: Table, folder: Callable[[], Path]) -> Path:
    if isinstance(table, str | os.PathLike):
        return Path(table)
    written = folder() / f"{name}.parquet"
    try:
        pl.DataFrame(table).write_parquet(written)
    except (TypeError, ValueError, NotImplementedError, pl.exceptions.PolarsError) as error:
        of_type = isinstance(error, TypeError)
        raise MisreadError(
            f"{name} is no table: {f'it is of type {type(table).__name__}' if of_type else first_line(error)}",
            "give the path of a CSV or Parquet file, or a polars, pandas or Arrow frame",
        ) from error
    return written
