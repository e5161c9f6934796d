"""Delimited text, exactly as written: the encoding, the records, and what is wrong with either.

Records are split by Python's csv module, as polars fills short rows with empty cells without a word.
"""

import csv
import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from .faultbook import ROW

GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_ROWS = 50_000
_PLENTY = 1 << 28
_MOST_TIMES = 100
"""How many times its packed size a file of more than _PLENTY bytes may have: tables pack far less."""
_OTHER_ENCODINGS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
_OTHER_FORMATS = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"%PDF": "a PDF file",
    b"\x93NUMPY": "a NumPy file, which holds no ids: write its vectors to a Parquet file, each beside its sample_id",
    b"ARROW1": "an Arrow or Feather file",
    rb'\s*(?:\[\s*)?\{\s*"': "a JSON file",
}
"""By patterns of how they begin."""


class UnreadableFileError(Exception):
    """Why a file as a whole cannot be read."""


@dataclass(frozen=True)
class Records:
    """A table as it was read: its header, its rows (ROW and one column a name), and the ragged ones.

    Ragged rows (number, reason) are in `frame` too, cut or filled to the length of the header.
    """

    header: tuple[str, ...]
    frame: pl.DataFrame
    ragged: tuple[tuple[int, str], ...]


def decoded(content: bytes) -> str:
    """The text of a file. Raises UnreadableFileError naming the first line and byte that is not UTF-8."""
    if content.startswith(GZIP_MAGIC):
        try:
            content = _unpacked(content)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableFileError(f"not a whole gzip file: {error}") from None
    for beginning, name in _OTHER_FORMATS.items():
        if re.match(beginning, content):
            raise UnreadableFileError(f"not a CSV or Parquet file but {name}")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(_encoding_fault(content, error)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UnreadableFileError(f"not a CSV file: line {line} holds a NUL character")
    return text


def _unpacked(content: bytes) -> bytes:
    most = max(_PLENTY, _MOST_TIMES * len(content))
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
        found = file.read(most + 1)
    if len(found) > most:
        raise UnreadableFileError(f"the file unpacks to more than {most >> 20} MiB; if that is right, unpack it first")
    return found


def _encoding_fault(content: bytes, error: UnicodeDecodeError) -> str:
    if content[:2] in _OTHER_ENCODINGS:
        return f"wrong encoding: line 1, byte 1: this is {_OTHER_ENCODINGS[content[:2]]}; save it as UTF-8"
    content, at = error.object, error.start  # without a byte order mark
    line = content.count(b"\n", 0, at) + 1
    byte = at - (content.rfind(b"\n", 0, at) + 1) + 1
    return f"wrong encoding: line {line}, byte {byte} (0x{content[at]:02x}) is not UTF-8; save the file as UTF-8"


def records_of(text: str, separator: str) -> Records:
    """Splits a file into records; blank ones are left out but counted.

    Raises UnreadableFileError for an empty file, one without rows, another separator, and broken quotes.
    """
    rows = _records(text, separator)
    header = tuple(name.strip() for name in next(rows, (0, []))[1])
    if not any(header):
        raise UnreadableFileError("the file is empty" if not text.strip() else "the first row is not a header")
    if len(header) == 1 and any(mark in header[0] for mark in ",;\t|"):
        raise UnreadableFileError("cells are to be separated by commas (by tabs in a .tsv)")
    chunks, ragged = _chunks(rows, len(header))
    if not chunks:
        raise UnreadableFileError("the file has a header and no rows")
    names = [ROW, *(name or f" {at}" for at, name in enumerate(header, 1))]
    if len(set(names)) < len(names):  # told as a fault by the caller, from the header
        return Records(header, pl.DataFrame(), tuple(ragged))
    schema = {name: pl.Int64 if name == ROW else pl.String for name in names}
    frames = [pl.DataFrame(dict(zip(names, chunk, strict=True)), schema) for chunk in chunks]
    return Records(header, pl.concat(frames, rechunk=True), tuple(ragged))


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells) of every record."""
    limit = csv.field_size_limit(sys.maxsize)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    begins = 1
    try:
        for number, cells in enumerate(reader, 1):
            yield number, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFileError(f"not a CSV file: {_broken(str(error), begins, reader.line_num)}") from None
    finally:
        csv.field_size_limit(limit)


def _broken(error: str, begins: int, line: int) -> str:
    """What breaks the row that begins and ends at these lines; an open quote takes the lines after it for its own."""
    if "unexpected end" in error:
        return f"line {begins}: a quote of this row is not closed up to the end of the file"
    where = f"line {line}" if line == begins else f"lines {begins} to {line}, one row by its quotes"
    return f"{where}: {error}"


def _chunks(
    rows: Iterator[tuple[int, list[str]]], width: int
) -> tuple[list[list[tuple[object, ...]]], list[tuple[int, str]]]:
    """The rows as chunks of columns (the row numbers first), and the ragged rows."""
    chunks: list[list[tuple[object, ...]]] = []
    ragged: list[tuple[int, str]] = []
    pending: list[tuple[object, ...]] = []
    for number, cells in rows:
        if not any(cells):
            continue
        if len(cells) != width:
            ragged.append((number, f"the row has {len(cells)} cells, the header {width}"))
        pending.append((number, *cells[:width], *[""] * (width - len(cells))))
        if len(pending) == _CHUNK_ROWS:
            chunks.append(list(zip(*pending, strict=True)))
            pending = []
    if pending:
        chunks.append(list(zip(*pending, strict=True)))
    return chunks, ragged
