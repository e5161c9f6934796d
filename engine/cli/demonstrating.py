"""The command demo: everything on made-up radiographs with a known answer."""

import shlex
from typing import Annotated, Final

import polars as pl
import pyarrow as pa
import typer

from misread.percentages import percent

from .messages import guarded
from .progress import watched
from .show import slices_for_people
from .tables import table_lines, write_lines

DEMO_STORE = typer.Argument(metavar="STORE", help="The store that is made; its files lie beside it in STORE-files.")
QUESTION: Final = (
    "SELECT slice_id, slice_size(slice_id), error_rate(slice_id), nearest_phrase(slice_id) FROM slices ORDER BY 3 DESC"
)


@guarded
def demo(store: Annotated[str, DEMO_STORE] = "./misread-demo") -> None:
    """Run everything on made-up radiographs with a known answer."""
    from misread.demo.run import run
    from misread.query import open_session
    from misread.sql import question

    with watched() as progress:
        shown = run(store, progress)
    with open_session(shown.store) as session:
        found = session.query(question("slices_found"), {"audit_ids": [shown.audit_id]})
        answer = session.query(QUESTION)
    name = shlex.quote(store)
    _section(
        f"Slices found (audit {shown.audit_id}), rates on patients the search never saw:", slices_for_people(found)
    )
    _section(f'misread sql {name} "{QUESTION}"', answer)
    _section("The known answer, and the slice that fits it best:", _known_answer(shown.answer))
    typer.echo(f"The films, reports and predictions are in {shown.files}; look on with:")
    typer.echo(f'  misread info {name}\n  misread slices {name}\n  misread sql {name} "SELECT * FROM phrases"')


def _section(title: str, table: pa.Table) -> None:
    write_lines([title, *(f"  {line}" for line in table_lines(table)), ""], typer.get_text_stream("stdout"))


def _known_answer(answer: pl.DataFrame) -> pa.Table:
    shares = pl.col("precision", "recall").map_elements(percent, return_dtype=pl.String)
    return answer.rename({"group": "planted"}).with_columns(shares).to_arrow()
