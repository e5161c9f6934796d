"""Faults as they are found, and which rows of which file they take out."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import polars as pl

from misread.schemas.errors import Fault

ROW = " row"
"""The column with a row's number as `Fault` counts it. Names in files are stripped, so none can be this."""

REASON = " reason"


class FaultBook:
    """Collects every fault of an ingest. `skipping`: rows at fault are left out instead of stopping it."""

    def __init__(self, *, skipping: bool) -> None:
        self.skipping = skipping
        self._faults: dict[Fault, None] = {}
        self._bad: defaultdict[str, set[int]] = defaultdict(set)
        self._files: dict[str, int] = {}
        self._items: set[Fault] = set()
        self._alike: dict[Fault, tuple[Fault, ...]] = {}

    def item(self, file: str, reason: str, column: str | None = None) -> None:
        """A fault of a file that is one sample or report of many: it is left out like a row."""
        fault = Fault(file, None, column, reason)
        self._items.add(fault)
        self._add(fault)

    def whole(self, file: str, reason: str, column: str | None = None) -> None:
        """A fault of a whole file or column: it stops the ingest, skipping or not."""
        self._add(Fault(file, None, column, reason))

    def row(self, file: str, row: int, column: str | None, reason: str) -> None:
        self._add(Fault(file, row, column, reason))
        self._bad[file].add(row)

    def rows(self, file: str, column: str | None, found: pl.DataFrame) -> None:
        """One fault for each row of `found`, which has the columns ROW and REASON."""
        for row, reason in found.select(ROW, REASON).iter_rows():
            self.row(file, row, column, reason)

    def where(self, file: str, column: str, frame: pl.DataFrame, is_bad: pl.Expr, reason: str | pl.Expr) -> None:
        """A fault for each row of `frame` for which `is_bad` is true."""
        text = pl.lit(reason) if isinstance(reason, str) else reason
        self.rows(file, column, frame.filter(is_bad).with_columns(text.alias(REASON)))

    def alike(self, file: str, column: str, frame: pl.DataFrame, is_bad: pl.Expr, reason: str | pl.Expr) -> None:
        """The same, but one fault for all rows of one reason: of the first row, telling how many and which."""
        text = pl.lit(reason) if isinstance(reason, str) else reason
        found = frame.filter(is_bad).select(ROW, text.alias(REASON)).group_by(REASON).agg(pl.col(ROW).sort())
        for why, rows in found.iter_rows():
            if len(rows) == 1:
                self.row(file, rows[0], column, why)
                continue
            first = Fault(file, rows[0], column, f"{why}; {len(rows):,} times: {row_list(rows)}")
            self._add(first)
            self._alike[first] = tuple(Fault(file, row, column, why) for row in rows)
            self._bad[file].update(rows)

    def _add(self, fault: Fault) -> None:
        self._files.setdefault(fault.file, len(self._files))
        self._faults[fault] = None

    @property
    def stops(self) -> bool:
        """Whether nothing may be stored."""
        return bool(self.unskippable) or (bool(self._faults) and not self.skipping)

    @property
    def unskippable(self) -> tuple[Fault, ...]:
        """The faults of whole files and columns."""
        return tuple(fault for fault in self.faults if fault.row is None and fault not in self._items)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault once, one of many rows at the first of them; by file (in the order first met), row and column."""
        return tuple(sorted(self._faults, key=lambda f: (self._files[f.file], f.row or 0, f.column or "", f.reason)))

    @property
    def by_row(self) -> tuple[Fault, ...]:
        """The same, with a fault for each row of those that are told once for many."""
        return tuple(one for fault in self.faults for one in self._alike.get(fault, (fault,)))

    @property
    def count(self) -> int:
        return len(self._faults)

    def bad(self, file: str) -> set[int]:
        """The numbers of the rows at fault."""
        return self._bad[file]

    def good(self, file: str, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of `frame` that are not at fault."""
        return frame.filter(~pl.col(ROW).is_in(sorted(self._bad[file])))


def numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with the column ROW in front: 2, 3, …"""
    numbers = pl.int_range(2, frame.height + 2, dtype=pl.Int64, eager=True)
    return frame.select(numbers.alias(ROW), pl.all())


def row_list(rows: Iterable[int]) -> str:
    """`row 2` or `rows 2, 5, 9`; long lists are cut."""
    numbers = sorted(rows)
    shown = ", ".join(str(number) for number in numbers[:6]) + (", …" if len(numbers) > 6 else "")
    return f"row{'s' if len(numbers) > 1 else ''} {shown}"


def repeated(frame: pl.DataFrame, keys: Sequence[str], what: str) -> pl.DataFrame:
    """ROW and REASON of every row whose `keys` (all present) occur more than once."""
    groups = frame.drop_nulls(list(keys)).group_by(keys).agg(pl.col(ROW)).filter(pl.col(ROW).list.len() > 1)
    found = [
        (row, f"{what} {', '.join(map(repr, key))} is there {len(rows)} times: {row_list(rows)}")
        for *key, rows in groups.iter_rows()
        for row in rows
    ]
    return pl.DataFrame(found, {ROW: pl.Int64, REASON: pl.String}, orient="row")
