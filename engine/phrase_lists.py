"""Lists of phrases that users bring: from Python, or from a file."""

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from misread.describe.chunks import unfindable
from misread.schemas.arguments import checked
from misread.schemas.errors import Fault, InputFaultsError, MisreadError

Phrases = str | os.PathLike[str] | Sequence[str] | Mapping[str, Sequence[str]]
Listed = tuple[tuple[str, tuple[str, ...]], ...]

COLUMN: Final = "phrase"
SPELLINGS: Final = "spellings"
MOST_PHRASES: Final = 5000
LONGEST: Final = 100


@checked
def phrase_list(phrases: Phrases) -> Listed:
    """Every phrase with its other spellings, in the order of names, however they were written down.

    A string is the path of a file: CSV with a column `phrase` and, if wanted, `spellings` (parted by `;`), or text with
    a phrase a line, `name: spelling; spelling` where it has others; there, lines that begin with # are passed over.
    Raises InputFaultsError with everything that is wrong with them, MisreadError where a file cannot be read.
    """
    if isinstance(phrases, str | os.PathLike):
        place = os.fspath(phrases)
        entries = list(_of_file(Path(place)))
    elif isinstance(phrases, Mapping):
        place = "phrases"
        entries = [(row, name, list(others)) for row, (name, others) in enumerate(phrases.items(), start=1)]
    else:
        place = "phrases"
        entries = [(row, name, []) for row, name in enumerate(phrases, start=1)]
    faults = list(_faults(place, entries))
    if faults:
        raise InputFaultsError(faults, "mend the list of phrases; nothing was run")
    return tuple(sorted((name.strip(), tuple(_tidy(others))) for _, name, others in entries))


Entry = tuple[int, str, list[str]]
"""(row, name, other spellings)."""


def _of_file(path: Path) -> Iterator[Entry]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise MisreadError(f"the list of phrases {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise MisreadError(f"line {line} of the list of phrases {path} is not UTF-8", "save it as UTF-8") from error
    yield from _of_table(path, text) if path.suffix.lower() == ".csv" else _of_lines(text)


def _of_table(path: Path, text: str) -> Iterator[Entry]:
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(rows, [])]
    if COLUMN not in header:
        there = ", ".join(map(repr, header)) or "nothing"
        raise MisreadError(f"the list of phrases {path} has no column {COLUMN!r}", f"its header has {there}")
    at = header.index(COLUMN)
    others = header.index(SPELLINGS) if SPELLINGS in header else None
    for number, cells in enumerate(rows, start=2):
        if any(cell.strip() for cell in cells):
            listed = cells[others] if others is not None and others < len(cells) else ""
            yield number, cells[at] if at < len(cells) else "", listed.split(";")


def _of_lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, _, others = line.partition(":")
            yield number, name, others.split(";")


def _tidy(spellings: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in spellings if part.strip()))


def _faults(place: str, entries: Sequence[Entry]) -> Iterator[Fault]:
    if not entries:
        yield Fault(place, None, None, "holds no phrase")
    if len(entries) > MOST_PHRASES:
        yield Fault(place, None, None, f"holds {len(entries)} phrases; at most {MOST_PHRASES} are looked for")
        return
    first: dict[str, int] = {}
    for row, name, others in entries:
        if first.setdefault(name.strip().casefold(), row) != row:
            yield Fault(place, row, COLUMN, f"{name.strip()!r} is in row {first[name.strip().casefold()]}, too")
        for column, text in ((COLUMN, name.strip()), *((SPELLINGS, other) for other in _tidy(others))):
            reason = f"longer than {LONGEST} letters" if len(text) > LONGEST else unfindable(text)
            if reason:
                yield Fault(place, row, column, f"{text[:LONGEST]!r}: {reason}")
