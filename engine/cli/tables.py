"""Tables as text: drawn at a terminal, plainly aligned everywhere else."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TextIO

import pyarrow as pa

from .cells import NULL, cell, is_number, values, visible

DRAWN_ROWS = 500
"""Longer tables come plain even at a terminal: drawing them takes longer than reading them."""
NARROWEST = 8


def table_lines(table: pa.Table) -> Iterator[str]:
    """The table as aligned lines, the header first; nothing is wrapped or cut."""
    from rich.cells import cell_len

    columns = _texts(table)
    right = [is_number(field.type) for field in table.schema]
    widths = [max(map(cell_len, column)) for column in columns]
    for row in zip(*columns, strict=True):
        parts = zip(row, widths, right, strict=True)
        yield "  ".join(_padded(text, width - cell_len(text), end) for text, width, end in parts).rstrip()


def write_table(table: pa.Table, stream: TextIO) -> None:
    """Writes the table as suits the stream."""
    if stream.isatty() and table.num_rows <= DRAWN_ROWS and _draw(table, stream):
        return
    write_lines(table_lines(table), stream)


def write_lines(lines: Iterable[str], stream: TextIO) -> None:
    stream.writelines(f"{line}\n" for line in lines)


def _texts(table: pa.Table) -> list[list[str]]:
    return [
        [visible(name), *map(cell, values(column))]
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]


def _padded(text: str, missing: int, right: bool) -> str:
    return " " * missing + text if right else text + " " * missing


def _draw(table: pa.Table, stream: TextIO) -> bool:
    """Draws the table unless its columns would be squeezed past reading; says whether it did."""
    from rich import box
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    columns = _texts(table)
    needed = sum(min(NARROWEST, max(map(cell_len, column))) + 3 for column in columns) + 1
    if needed > console.width:
        return False
    drawn = Table(box=box.ROUNDED, header_style="bold")
    for column, field in zip(columns, table.schema, strict=True):
        drawn.add_column(Text(column[0]), justify="right" if is_number(field.type) else "left", overflow="fold")
    for row in _rows(columns):
        drawn.add_row(*(Text(text, style="dim" if text == NULL else "") for text in row))
    console.print(drawn)
    return True


def _rows(columns: Sequence[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    return zip(*(column[1:] for column in columns), strict=True)
