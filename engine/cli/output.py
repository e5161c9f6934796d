"""Results to standard output or a file, in the format asked for."""

import io
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, TextIO

import pyarrow as pa
import typer

from misread.schemas.errors import MisreadError
from misread.writing import refuse_inside, replacing

from .cells import as_json, exact, harmless, values
from .tables import write_lines, write_table

ROWS_AT_ONCE = 8192
BINARY: Final = ("parquet", "arrow")
_TABLES: Final = ("", "txt", "table")


class Format(StrEnum):
    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    ARROW = "arrow"


def chosen_format(given: Format | None, output: Path | None) -> Format:
    """The format asked for, else the one that the file's name ends in: a table for `.txt` and names without an ending.

    Raises BadParameter for any other ending: a table in an `.xlsx` is a file that nothing opens.
    """
    if given is not None:
        return given
    ending = output.suffix.lower().removeprefix(".") if output else ""
    if ending in _TABLES:
        return Format.TABLE
    if output is not None and ending not in list(Format):
        known = ", ".join(form for form in Format if form is not Format.TABLE)
        raise typer.BadParameter(f"{output.name} ends in none of {known}, txt; name a --format", param_hint="--output")
    return Format(ending)


def deliver(result: pa.Table, form: Format | None, output: Path | None, store: str) -> None:
    """Writes a result. A file is replaced whole, readable by its owner alone, and never lies in the store."""
    form = chosen_format(form, output)
    if output is None:
        _to_stdout(result, form)
    else:
        refuse_inside(output, store)
        with replacing(output) as binary:
            _write(result, form, binary)


def _to_stdout(result: pa.Table, form: Format) -> None:
    if form not in BINARY:
        _write_text(result, form, sys.stdout)
        sys.stdout.flush()
    elif sys.stdout.isatty():
        raise typer.BadParameter(f"{form} is not for reading: name a file with --output, or pipe it on")
    else:
        _write_binary(result, form, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _write(result: pa.Table, form: Format, binary: IO[bytes]) -> None:
    if form in BINARY:
        _write_binary(result, form, binary)
        return
    text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n")
    _write_text(result, form, text)
    text.detach()


def _write_text(result: pa.Table, form: Format, stream: TextIO) -> None:
    if form is Format.TABLE:
        write_table(result, stream)
        return
    lines = _csv_lines(result) if form is Format.CSV else _json_lines(result)
    write_lines(map(harmless, lines) if stream.isatty() else lines, stream)


def _write_binary(result: pa.Table, form: Format, stream: object) -> None:
    """Parquet, or an Arrow IPC file (Feather version 2)."""
    import pyarrow.parquet as pq

    try:
        if form is Format.PARQUET:
            pq.write_table(result, stream)
            return
        with pa.ipc.new_file(stream, result.schema) as writer:
            writer.write_table(result)
    except pa.ArrowException as error:
        raise MisreadError(f"this result does not fit into {form}: {error}", "cast the column to text") from None


def _csv_lines(result: pa.Table) -> Iterator[str]:
    yield ",".join(map(_csv_field, result.column_names))
    alone = result.num_columns == 1
    for row in _rows(result):
        # an empty line would be no row to most readers
        yield ",".join(map(_csv_field, row)) or ('""' if alone else "")


def _csv_field(value: object) -> str:
    """NULL is nothing at all, an empty text is two quotes."""
    if value is None:
        return ""
    text = exact(value)
    quoted = not text or any(mark in text for mark in '",\n\r')
    return '"' + text.replace('"', '""') + '"' if quoted else text


def _json_lines(result: pa.Table) -> Iterator[str]:
    objects = (as_json(dict(zip(result.column_names, row, strict=True))) for row in _rows(result))
    before = "["
    for text in objects:
        yield before if before == "[" else f"{before},"
        before = f" {text}"
    yield before
    yield "]"


def _rows(result: pa.Table) -> Iterator[tuple[object, ...]]:
    for start in range(0, result.num_rows, ROWS_AT_ONCE):
        part = result.slice(start, ROWS_AT_ONCE)
        yield from zip(*map(values, part.columns), strict=True)
