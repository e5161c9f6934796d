"""What a reader is asked, and the parts that it puts an answer together from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from misread.ingest.faultbook import FaultBook, numbered
from misread.ingest.files import Source, read_source, take
from misread.ingest.pictures import PictureError, file_content, picture_path
from misread.ingest.sources import Archive
from misread.progress import Progress

from .sections import SECTIONS, sections_of

_LARGEST_TEXT = 8 << 20


@dataclass(frozen=True)
class Request:
    """A folder to be read. Faults go to `book`; `kept` are the identifiers that the user named."""

    root: Path
    kept: tuple[str, ...]
    book: FaultBook
    progress: Progress

    def answered(self, read: "Callable[[Request], Archive | None]", *, takes_file: bool = False) -> Archive | None:
        """What a reader makes of the folder; None where there is no such folder, or a file that it does not take."""
        try:
            resolved = self.root.resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            self.book.whole(str(self.root), "there is no such folder or file")
            return None
        if resolved.is_file() and resolved.suffix.lower() in (".zip", ".tar", ".gz", ".tgz"):
            self.book.whole(str(self.root), "this is a packed archive; unpack it and name the folder")
            return None
        if not resolved.is_dir() and not takes_file:
            self.book.whole(str(self.root), "this is no folder; name the folder that the data set lies in")
            return None
        return read(Request(resolved, self.kept, self.book, self.progress))

    def table(self, *patterns: str, required: bool = True) -> Source | None:
        """The table that the first of some patterns finds, the last by name; None, and a fault if it is `required`."""
        for pattern in patterns:
            for path in sorted([*self.root.glob(pattern), *self.root.glob(f"{pattern}.gz")], reverse=True):
                name = path.relative_to(self.root).as_posix()
                if not path.resolve().is_relative_to(self.root):
                    self.book.whole(name, "the file is a link that leads out of the folder")
                    return None
                return read_source(path, name, self.book)
        if required:
            self.book.whole(patterns[0], f"there is no such file in {self.root}")
        return None

    def columns(self, source: Source | None, required: Mapping[str, str]) -> pl.DataFrame | None:
        """ROW and some columns of a table (theirs -> ours) as text, ragged rows left out; None where one is missing."""
        if source is None:
            return None
        lower = {theirs.casefold(): ours for theirs, ours in required.items()}
        folded = replace(source, frame=source.frame.rename(str.casefold))
        found = take(folded, self.book, list(lower))
        if found is None:
            return None
        text = found.with_columns(pl.col(list(lower)).cast(pl.String).str.strip_chars().replace("", None))
        return self.book.good(source.name, text.rename(lower))

    def files(self) -> Iterator[str]:
        """The paths of all plain files in the folder, sorted; links that lead out are faults."""
        yield from self._files(self.root)

    def _files(self, folder: Path) -> Iterator[str]:
        try:
            entries = sorted(folder.iterdir())
        except OSError as error:
            self.book.item(self._name(folder), f"the folder cannot be read: {error.strerror}")
            return
        for entry in entries:
            name = self._name(entry)
            if _escapes(name):
                self.book.item(_shown(name), "the name is not UTF-8")
            elif entry.is_symlink() and not _leads_into(entry, self.root):
                self.book.item(name, "the link leads out of the folder, or nowhere")
            elif entry.is_symlink() and entry.is_dir():
                self.book.item(name, "links to folders are not followed")
            elif entry.is_dir():
                yield from self._files(entry)
            elif entry.is_file():
                yield name
            else:
                self.book.item(name, "this is neither a file nor a folder")

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def text(self, name: str) -> str | None:
        """The text of a file in the folder; None, and a fault, where it cannot be read."""
        try:
            path = picture_path(self.root, name, "report")
            if path.stat().st_size > _LARGEST_TEXT:
                raise PictureError(f"the report is larger than {_LARGEST_TEXT >> 20} MiB: {name!r}")
            content = file_content(path, name).decode("utf-8-sig")
        except PictureError as error:
            self.book.item(name, str(error))
        except UnicodeDecodeError as error:
            self.book.item(name, f"wrong encoding: byte {error.start + 1} is not UTF-8")
        else:
            if "\0" not in content:
                return content
            self.book.item(name, "this is no text: it holds a NUL character")
        return None

    def source(self, name: str, rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> Source:
        """A table of rows that come from many files, numbered in that order."""
        frame = pl.DataFrame(rows, dict(schema), orient="row") if rows else pl.DataFrame(schema=dict(schema))
        return Source(self.root / name, name, numbered(frame), typed=True)

    def reports(self, rows: Sequence[Mapping[str, Any]]) -> Source | None:
        """The reports found, (study_id, report) and their sections if they are known; None where there is none."""
        if not rows:
            return None
        whole = [row if "findings" in row else {**row, **sections_of(row["report"])} for row in rows]
        return self.source("reports", whole, dict.fromkeys(("study_id", "report", *SECTIONS), pl.String))


def _leads_into(entry: Path, root: Path) -> bool:
    try:
        return entry.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _escapes(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return True
    return False


def _shown(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
