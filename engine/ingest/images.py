"""The images table after an ingest: what is new, what changes, and writing just that."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from misread.progress import Progress
from misread.schemas.errors import Fault, InputFaultsError
from misread.schemas.tables import CHECKSUM, IMAGES, PICTURE
from misread.store import Commit
from misread.store.checksums import with_checksums
from misread.store.lance_table import PICTURE_ROWS, in_list

from .cells import TYPES, Kind, as_kind, join, kind_of
from .faultbook import ROW
from .metadata import Metadata
from .pictures import FACTS, PictureError, read_again
from .sources import RowCounts

_BATCH_BYTES = 64 << 20
_NEW = "\0new"  # no column of a file has a NUL in its name
_ID_CHUNK = 1000


@dataclass(frozen=True)
class ImagesChange:
    """`rows`: every good input row as it is to be stored (with ROW); `before`: the stored rows under the new
    types; `replaced`: columns of the stored rows to be written anew; the rest are ids of `rows`."""

    rows: pl.DataFrame
    before: pl.DataFrame | None
    replaced: tuple[str, ...]
    added: pl.Series
    changed: pl.Series
    repictured: pl.Series

    @property
    def is_nothing(self) -> bool:
        return not (len(self.added) or len(self.changed) or self.replaced)

    @property
    def counts(self) -> RowCounts:
        added, changed = len(self.added), len(self.changed)
        return RowCounts(added, changed, self.rows.height - added - changed)


def images_change(
    stored: pl.DataFrame | None, metadata: Metadata, good: pl.DataFrame, notices: list[str]
) -> ImagesChange:
    """What `good` rows of the metadata do to the `stored` images (no picture, no checksum).

    Columns the file does not have stay as they are; types of metadata widen, and narrow again where cells that made
    a column text were replaced.
    """
    before, new = _same_types(stored, good, metadata.as_written, notices)
    if before is None:
        return ImagesChange(new, None, (), new["sample_id"], new["sample_id"].clear(), new["sample_id"].clear())
    names = [name for name in before.columns if name != "sample_id"]
    given = set(new.columns)
    kept = [name for name in names if name not in given]
    rows = new.join(before.select("sample_id", *kept), on="sample_id", how="left", maintain_order="left")
    both = before.join(rows, on="sample_id", suffix=_NEW)
    differs = {name: pl.col(name).ne_missing(pl.col(name + _NEW)) for name in names}
    assert stored is not None
    differ = both.select(is_other.any().alias(name) for name, is_other in differs.items()).row(0, named=True)
    changed = both.filter(pl.any_horizontal(differs.values()))
    added = rows.join(before, on="sample_id", how="anti", maintain_order="left")
    repictured = both.filter(differs["sha256"])
    was, now = stored.schema, before.schema
    mended = [name for name in metadata.as_written & given if differ[name] and was.get(name) == pl.String == now[name]]
    before, rows = _narrowed(before, rows, mended, notices)
    now = before.schema
    replaced = [name for name in names if was.get(name) != now[name] or differ[name]]
    return ImagesChange(
        rows, before, tuple(replaced), added["sample_id"], changed["sample_id"], repictured["sample_id"]
    )


def _same_types(
    stored: pl.DataFrame | None, good: pl.DataFrame, as_written: frozenset[str], notices: list[str]
) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """Both frames with all the columns of the table under the types that hold both."""
    ours = [f.name for f in IMAGES.fields if f.name not in (PICTURE, CHECKSUM)]
    further = [name for name in good.columns if name not in (*ours, ROW)]
    if stored is None:
        absent = [name for name in ours if name not in good.columns]
        good = good.with_columns(pl.lit(None, FACTS.get(name, pl.String())).alias(name) for name in absent)
        return None, good.with_columns(as_kind(good[n], kind_of(good[n], as_written=n in as_written)) for n in further)
    now: list[pl.Series] = []
    then: list[pl.Series] = []
    there = set(stored.columns)
    for name in further:
        cells = stored[name] if name in there else pl.Series(name, [None] * stored.height, pl.String)
        new, old = kind_of(good[name], as_written=name in as_written), kind_of(cells)
        both: Kind = join(old, new)
        if new == "empty" and name in there:  # nothing to learn from
            now.append(good[name].cast(pl.String).cast(cells.dtype))
            continue
        now.append(as_kind(good[name], both))
        then.append(as_kind(cells, both) if old != "empty" else _empty(cells, both))
        if old not in (both, "empty"):
            notices.append(f"column {name!r} was {old} and is now {both}")
    return stored.with_columns(then), good.with_columns(now)


def _narrowed(
    before: pl.DataFrame, rows: pl.DataFrame, mended: list[str], notices: list[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both frames with those `mended` texts under another type that were text by cells alone which `rows` replace."""
    others = ~before["sample_id"].is_in(rows["sample_id"].implode())
    for name in sorted(mended):
        left = before[name].set(~others, None)
        kind = join(kind_of(left, as_written=True), kind_of(rows[name], as_written=True))
        if kind not in ("text", "empty") and kind_of(before[name], as_written=True) == "text":
            before, rows = (f.with_columns(as_kind(c, kind)) for f, c in ((before, left), (rows, rows[name])))
            notices.append(f"column {name!r} was text and is now {kind}")
    return before, rows


def _empty(cells: pl.Series, kind: Kind) -> pl.Series:
    return pl.Series(cells.name, [None] * len(cells), TYPES.get(kind, pl.String()))


def write_images(commit: Commit, change: ImagesChange, metadata: Metadata, progress: Progress) -> None:
    """Brings the table to `change`. Raises InputFaultsError where a picture is no longer the one checked."""
    writer = commit.writer(IMAGES.name)
    if change.before is not None and change.replaced:
        matched = change.before.select("sample_id").join(change.rows, on="sample_id", how="inner")
        others = change.before.join(matched, on="sample_id", how="anti")
        after = with_checksums(_arrow(pl.concat([others, matched.select(others.columns)])))
        writer.set_columns(after.select(["sample_id", *change.replaced, CHECKSUM]), "sample_id")
    ids = change.repictured.to_list()
    for start in range(0, len(ids), _ID_CHUNK):
        writer.delete(in_list("sample_id", ids[start : start + _ID_CHUNK]))
    fresh = change.rows.filter(pl.col("sample_id").is_in(pl.concat([change.added, change.repictured]).implode()))
    if fresh.height:
        stream = _Stream(fresh, metadata, progress)
        commit.append_batches(IMAGES.name, stream.tables(), stream.schema)


class _Stream:
    """Rows with their pictures, a few hundred at a time."""

    def __init__(self, rows: pl.DataFrame, metadata: Metadata, progress: Progress) -> None:
        self._rows, self._metadata, self._progress = rows, metadata, progress
        self.schema = _with_pictures(_arrow(rows.clear().drop(ROW)), []).schema

    def tables(self) -> Iterator[pa.Table]:
        pending: list[bytes | None] = []
        start = size = 0
        for done, content in enumerate(self._contents(), 1):
            pending.append(content)
            size += len(content or b"")
            if len(pending) == PICTURE_ROWS or size >= _BATCH_BYTES or done == self._rows.height:
                yield _with_pictures(_arrow(self._rows[start:done].drop(ROW)), pending)
                pending, start, size = [], done, 0
                self._progress(done, self._rows.height, "images stored")

    def _contents(self) -> Iterator[bytes | None]:
        for row, name, digest in self._rows.select(ROW, "image", "sha256").iter_rows():
            try:
                yield read_again(self._metadata.pictures, name, digest)
            except PictureError as error:
                fault = Fault(self._metadata.source.name, row, "image", str(error))
                raise InputFaultsError([fault], "run the same command again; nothing was stored") from None


def _with_pictures(rows: pa.Table, pictures: list[bytes | None]) -> pa.Table:
    at = IMAGES.names.index(PICTURE)
    return rows.add_column(at, IMAGES.schema.field(PICTURE), pa.array(pictures, pa.large_binary()))


def _arrow(rows: pl.DataFrame) -> pa.Table:
    """The frame as the contract has it: our columns first, text as plain strings."""
    ours = [name for name in IMAGES.names if name in rows.columns]
    table = rows.select(*ours, *(name for name in rows.columns if name not in ours)).to_arrow()
    fields = [IMAGES.schema.field(f.name) if f.name in ours else pa.field(f.name, _plain(f.type)) for f in table.schema]
    return table.cast(pa.schema(fields))


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def stored_images(table: pa.Table) -> pl.DataFrame:
    """The images of the store as a frame, without checksums."""
    frame = pl.from_arrow(table.drop_columns([CHECKSUM]))
    assert isinstance(frame, pl.DataFrame)
    return frame
