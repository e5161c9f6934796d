"""One input file, read: a frame with numbered rows, or a fault that says why not."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import polars as pl

from misread.schemas.errors import first_line

from .cells import id_texts, largest_whole, merged
from .faultbook import ROW, FaultBook, numbered, row_list
from .headers import clean_name, holds_values
from .identifiers import told_by
from .text_files import GZIP_MAGIC, Records, UnreadableFileError, decoded, records_of

_PARQUET_MAGIC = b"PAR1"
_PARQUET_ENDINGS = (".parquet", ".pq")
_ALSO_CALLED: Final = {
    "sample_id": "imageindex imageid imagename image id filename file dicomid path imagepath",
    "target": "class classname finding pathology disease condition category task labelname",
    "model": "modelname classifier network algorithm",
    "label": "ytrue truth groundtruth gt actual reference referencestandard y",
    "score": "yprob ypred prob probability proba prediction pred predicted confidence output",
    "report": "text reporttext narrative findings impression",
    "vector": "embedding features",
}
"""What other tools call our columns, without case and separators."""


@dataclass(frozen=True)
class Source:
    """An input file. Cells of CSV are text as written; those of Parquet keep their types (`typed`).

    `frame` has ROW and every named column, in the file's order.
    """

    path: Path
    name: str
    frame: pl.DataFrame
    typed: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def columns(self) -> list[str]:
        return [name for name in self.frame.columns if name != ROW]


def read_source(path: Path, name: str, book: FaultBook, ours: Sequence[str] = ()) -> Source | None:
    """The file, or None where it cannot be read at all. Faults go to `book` under `name`.

    `ours`: a file whose header has none of these, and looks like a row, has no header; nothing of it is told.
    """
    try:
        source = _read(path, name, book, ours)
    except UnreadableFileError as error:
        book.whole(name, str(error))
        return None
    return source


def _read(path: Path, name: str, book: FaultBook, ours: Sequence[str]) -> Source | None:
    content = _content(path)
    is_parquet = content.startswith(_PARQUET_MAGIC)
    if not is_parquet and path.suffix.lower() in _PARQUET_ENDINGS:
        raise UnreadableFileError("not a Parquet file")
    records = _parquet(content) if is_parquet else records_of(decoded(content), _separator(path, content))
    header = [clean_name(column) for column in records.header]
    is_ours = not ours or not {column.casefold() for column in header}.isdisjoint(ours)
    if not is_ours and holds_values(header, records.frame.drop(ROW, strict=False).get_columns()):
        raise UnreadableFileError(
            "the file seems to have no header: its first line holds values, which are not shown here; write a line "
            f"above it that names every column, such as {','.join(ours)}"
        )
    if _has_odd_names(name, header, book):
        return None
    for row, reason in records.ragged:
        book.row(name, row, None, reason)
    return _named(path, name, records.frame, header, typed=is_parquet)


def _has_odd_names(file: str, header: Sequence[str], book: FaultBook) -> bool:
    """Whether names do not tell one column each; then they are faults."""
    same = same_names(header)
    if same:
        book.whole(file, f"columns of the same name (in lower case): {', '.join(same)}", same[0])
    patterns = [column for column in header if column == "*" or (column[:1] == "^" and column[-1:] == "$")]
    if patterns:  # polars takes them for several columns
        book.whole(file, f"names that stand for several columns: {', '.join(patterns)}; rename them", patterns[0])
    return bool(same or patterns)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UnreadableFileError(f"there is no such file: {path}{_near(path)}") from None
    except IsADirectoryError:
        raise UnreadableFileError(f"this is a folder, not a file: {path}") from None
    except OSError as error:
        raise UnreadableFileError(f"the file cannot be read: {error.strerror}") from None
    if not content:
        raise UnreadableFileError("the file is empty")
    return content


def _near(path: Path) -> str:
    try:
        near = get_close_matches(path.name, [entry.name for entry in path.parent.iterdir()], n=1)
    except OSError:
        return ""
    return f"; did you mean {near[0]!r}?" if near else ""


def _separator(path: Path, content: bytes) -> str:
    name = path.name.lower().removesuffix(".gz") if content.startswith(GZIP_MAGIC) else path.name.lower()
    return "\t" if name.endswith((".tsv", ".tab")) else ","


def _parquet(content: bytes) -> Records:
    try:
        frame = pl.read_parquet(content)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableFileError(f"not a whole Parquet file: {first_line(error)}") from None
    if not frame.height:
        raise UnreadableFileError("there are columns and no rows")
    frame = frame.drop(ROW, strict=False).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    return Records(tuple(frame.columns), numbered(frame), ())


def same_names(header: Sequence[str]) -> list[str]:
    """Names that SQL, which does not tell case apart, would take for one."""
    times = Counter(column.casefold() for column in header)
    return [column for column in header if column and times[column.casefold()] > 1]


def _named(path: Path, name: str, frame: pl.DataFrame, header: Sequence[str], *, typed: bool) -> Source:
    """The source without the columns that have no name."""
    blank = [at for at, column in enumerate(header, 1) if not column]
    told = [column or f" {at}" for at, column in enumerate(header, 1)]
    named = frame.rename(dict(zip((c for c in frame.columns if c != ROW), told, strict=True)))
    source = Source(path, name, named.select(ROW, *(column for column in header if column)), typed)
    if blank:
        places = ", ".join(str(at) for at in blank)
        source.notices.append(f"{name}: column {places} has no name and was left out")
    return source


def take(source: Source, book: FaultBook, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame | None:
    """ROW and those wanted columns that are there, as we spell them; None where a required one is not."""
    spelled = {column.casefold(): column for column in source.columns}
    found = {spelled[name]: name for name in (*required, *optional) if name in spelled}
    missing = [name for name in required if name not in found.values()]
    for name in missing:
        book.whole(source.name, _missing(name, [c for c in source.columns if c not in found]), name)
    return None if missing else source.frame.select(ROW, *found).rename(found)


def _missing(name: str, columns: Sequence[str]) -> str:
    near = (
        get_close_matches(name, columns, n=1, cutoff=0.6)
        or [c for c in columns if told_by(c) == name]
        or [c for c in columns if _folded(c) in _ALSO_CALLED.get(name, "").split()]
    )
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"there is no column {name!r}{hint}; there is: {', '.join(columns[:20]) or 'nothing else'}"


def _folded(column: str) -> str:
    return "".join(letter for letter in column.casefold() if letter.isalnum())


def _no_ids(name: str, frame: pl.DataFrame) -> str:
    kind, rows = frame[name].dtype, frame.filter(merged(frame[name]))[ROW].to_list()
    if not rows:
        return f"{name} is to be text or whole numbers, not {kind}"
    return (
        f"{name} is {kind}, which cannot tell ids as large as in {row_list(rows)} apart (whole numbers are told up to "
        f"{largest_whole(kind)}): store them as text or as integers"
    )


def as_text(frame: pl.DataFrame, names: Iterable[str], source: Source, book: FaultBook) -> pl.DataFrame | None:
    """The frame with ids and names as text, exactly as written; None where a column's type can hold none."""
    whole = True
    for name in (name for name in names if name in frame.columns):
        cells = id_texts(frame[name])
        if cells is None:
            book.whole(source.name, _no_ids(name, frame), name)
            whole = False
        else:
            frame = frame.with_columns(cells.alias(name))
    return frame if whole else None
