"""What a metadata column is read as, from its cells: in one ingest, in several, and once cells are mended."""

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest.ingest_inputs import as_csv, fingerprints

from misread.ingest import Sources, ingest
from misread.ingest.cells import as_kind, join, kind_of
from misread.store import TableStore

Rows = list[dict[str, str]]


def _ingest_rows(folder: Path, store: TableStore, *parts: Rows) -> None:
    for at, rows in enumerate(parts):
        header = sorted({name for row in rows for name in row}, reverse=bool(at % 2))
        table = [header, *([row.get(name, "") for name in header] for row in rows)]
        path = folder / f"part{at}.csv"
        path.write_bytes(as_csv(table))
        ingest(store, Sources(metadata=path))


_CELLS = {
    "whole": st.sampled_from(["", "0", "-3", "12", "9007199254740993", "NA"]),
    "real": st.sampled_from(["", "1", "2.5", "-0.001", "1e5", "NaN"]),
    "flag": st.sampled_from(["", "true", "false"]),
    "day": st.sampled_from(["", "2024-02-29", "1999-12-31"]),
    "code": st.sampled_from(["", "007", "12", "x", "1999-12-31", "99999999999999999999"]),
    "text": st.sampled_from(["", "2.5", "abc", 'a "q", b', "ä\nö"]),
}


@st.composite
def _metadata(draw: st.DrawFn) -> Rows:
    count = draw(st.integers(1, 8))
    names = draw(st.lists(st.sampled_from(sorted(_CELLS)), unique=True, max_size=4))
    return [{"sample_id": f"{i:02}", **{name: draw(_CELLS[name]) for name in names}} for i in range(count)]


@settings(max_examples=25)
@given(rows=_metadata(), cut=st.integers(0, 8), seed=st.integers(0, 3), bare=st.booleans())
def test_two_ingests_are_as_good_as_one(rows: Rows, cut: int, seed: int, bare: bool) -> None:
    """A store made in two ingests, in any order of rows and columns, has the fingerprints of one made in one;
    and the whole input again changes nothing.

    The types of columns are part of the content: a column that needs a wider type is rewritten.
    """
    shuffled = random.Random(seed).sample(rows, len(rows))
    first, second = shuffled[:cut], [dict(row) for row in shuffled[cut:]]
    if bare:  # columns without a value in the first part are new ones in the second
        first = [{name: cell for name, cell in row.items() if any(r[name] for r in first)} for row in first]
    with TemporaryDirectory() as place:
        folder = Path(place)
        one, two = (TableStore.open_or_new(folder / name) for name in ("one", "two"))
        _ingest_rows(folder, one, rows)
        _ingest_rows(folder, two, *(part for part in (first, second) if part))
        assert fingerprints(one) == fingerprints(two)
        state = one.state
        _ingest_rows(folder, one, shuffled)
        assert one.state == state
        types = [
            dict(zip(s.table("images").schema.names, s.table("images").schema.types, strict=True)) for s in (one, two)
        ]
        given_columns = {name for row in rows for name, cell in row.items() if cell not in ("", "NA", "NaN")}
        assert {n: t for n, t in types[0].items() if n in given_columns} == {
            n: t for n, t in types[1].items() if n in given_columns
        }


@settings(max_examples=25)
@given(rows=_metadata(), spoilt=st.sets(st.integers(0, 7), min_size=1), first=st.booleans(), whole=st.booleans())
def test_mended_cells_leave_nothing_of_what_they_were(rows: Rows, spoilt: set[int], first: bool, whole: bool) -> None:
    """Cells that made columns text, ingested again as they were to be, make the store that they would have made first:
    columns are of their type again, also where the whole table comes again, or came before."""
    wrong = [
        row | {name: "not told" for name in row if name != "sample_id"} if at in spoilt else row
        for at, row in enumerate(rows)
    ]
    mended = rows if whole else [row for at, row in enumerate(rows) if at in spoilt]
    with TemporaryDirectory() as place:
        folder = Path(place)
        one, two = (TableStore.open_or_new(folder / name) for name in ("one", "two"))
        _ingest_rows(folder, one, rows)
        _ingest_rows(folder, two, *([rows] if first else []), wrong, *([mended] if mended else []))
        assert fingerprints(one) == fingerprints(two)


@given(
    st.lists(st.sampled_from(["", "1", "2.5", "true", "2024-02-29", "007", "x", "-1e3", "NaN"]), max_size=6),
    st.randoms(),
)
def test_the_kind_of_a_column_is_that_of_its_parts(cells: list[str], rng: random.Random) -> None:
    """The kind of a column depends neither on the order of its cells nor on how they are split."""
    values = [cell or None for cell in cells]
    cut = rng.randint(0, len(values))
    whole = kind_of(pl.Series(values, dtype=pl.String), as_written=True)
    rng.shuffle(values)
    parts = [kind_of(pl.Series(p, dtype=pl.String), as_written=True) for p in (values[:cut], values[cut:])]
    assert join(*parts) == join(*reversed(parts)) == whole


@pytest.mark.parametrize(
    ("cells", "kind", "held"),
    [
        (["1", "-20", None], "int", [1, -20, None]),
        (["9223372036854775807"], "int", [2**63 - 1]),
        (["9223372036854775808"], "text", ["9223372036854775808"]),
        (["1", "2.50", "1e-3", ".5"], "float", [1.0, 2.5, 0.001, 0.5]),
        (["1e999"], "text", ["1e999"]),
        (["007", "8"], "text", ["007", "8"]),
        (["True", "false"], "bool", [True, False]),
        (["true", "1"], "text", ["true", "1"]),
        (["2024-02-30"], "text", ["2024-02-30"]),
        (["2024-2-3"], "text", ["2024-2-3"]),
        (["inf", "1"], "text", ["inf", "1"]),
        (["٣"], "text", ["٣"]),
    ],
)
def test_what_a_column_is_read_as(cells: list[str | None], kind: str, held: list[Any]) -> None:
    """Types are taken from the whole column, and nothing that would lose a digit or a zero becomes a number."""
    column = pl.Series("c", cells, pl.String)
    found = kind_of(column, as_written=True)
    assert found == kind
    assert as_kind(column, found).to_list() == held
