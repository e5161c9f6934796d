"""Which samples and studies rows may speak of: those of the store and those that come in."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import polars as pl

from .faultbook import ROW, FaultBook
from .files import Source

_COMPARED: Final = 1000
_TRIED: Final = 5
"""Ids that are compared to find how the two spell them."""


@dataclass(frozen=True)
class Known:
    """Ids that are there, and those whose row was rejected; None where the metadata cannot be read."""

    samples: pl.Series | None
    studies: pl.Series | None
    rejected_samples: pl.Series
    rejected_studies: pl.Series

    def check(self, book: FaultBook, source: Source, frame: pl.DataFrame, column: str = "sample_id") -> None:
        """Faults for rows (ROW, `column`) that speak of an unknown sample or study, or of a rejected one."""
        name, ids, rejected = (
            ("study", self.studies, self.rejected_studies)
            if column == "study_id"
            else ("sample", self.samples, self.rejected_samples)
        )
        if ids is None:
            return
        id_ = pl.col(column)
        gone = id_.is_in(rejected.implode())
        unknown = ~gone & ~id_.is_in(ids.implode())
        given = frame.drop_nulls(column)
        strangers = given.filter(unknown)[column]
        if len(strangers) == given.height and strangers.n_unique() > 1:
            book.whole(source.name, _all_unknown(column, strangers, ids), column)
            return
        quoted = pl.format("no {} '{}' in the metadata", pl.lit(name), id_)
        book.where(source.name, column, frame, unknown, quoted)
        if book.skipping:
            book.where(source.name, column, frame, gone, pl.format("its {} '{}' was rejected", pl.lit(name), id_))


def _all_unknown(column: str, strangers: pl.Series, ids: pl.Series) -> str:
    """What to say of a file that speaks of nothing that is there: it writes its ids another way, or is of others."""
    some: list[str] = ids.sort().head(_COMPARED).to_list()
    pairs = [(one, there) for one in strangers.head(_TRIED) for there in get_close_matches(one, some, n=1, cutoff=0.5)]
    one, near = (pairs or [(strangers[0], next(iter(some), None))])[0]
    there = f"there is {near!r}, here {one!r}" if near is not None else f"it has none; here is {one!r}"
    return f"no {column} of this file is in the metadata: {there}"


def known_of_none() -> Known:
    """What an ingest knows whose metadata cannot be read: no id is unknown to it."""
    nobody = pl.Series([], dtype=pl.String)
    return Known(None, None, nobody, nobody)


def known_ids(stored: pl.DataFrame | None, metadata: pl.DataFrame | None, rejected_rows: set[int]) -> Known:
    """`stored` and `metadata` (with ROW) hold sample_id and study_id; None where there is no such table."""
    empty = pl.DataFrame(schema={ROW: pl.Int64, "sample_id": pl.String, "study_id": pl.String})
    new = empty if metadata is None else metadata.select(ROW, "sample_id", "study_id")
    old = empty if stored is None else stored.select(pl.lit(0, pl.Int64).alias(ROW), "sample_id", "study_id")
    out = new.filter(pl.col(ROW).is_in(sorted(rejected_rows)))
    every = pl.concat([old.join(new, on="sample_id", how="anti"), new])
    stays = every.join(out, on=ROW, how="anti")
    studies = every["study_id"].drop_nulls().unique()
    left = stays["study_id"].drop_nulls().unique()
    return Known(
        samples=every["sample_id"].drop_nulls().unique(),
        studies=studies,
        rejected_samples=out["sample_id"].drop_nulls().unique(),
        rejected_studies=studies.filter(~studies.is_in(left.implode())),
    )
