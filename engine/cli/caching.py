"""The command that shows and clears the answers that are kept."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from .messages import guarded, note
from .options import FormatOption, OutputOption, StoreArgument
from .output import deliver

CLEAR = typer.Option("--clear", help="Remove every answer; they are worked out again when asked for.")


@guarded
def cache(
    store: StoreArgument,
    clear: Annotated[bool, CLEAR] = False,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Show the answers of plans that a store keeps, or clear them."""
    import pyarrow as pa

    from misread.execute.cache import Cache
    from misread.library import Store

    opened = Store.open(store)
    if clear:
        note(f"{Cache(opened).clear()} answers removed")
        return
    rows = [
        {
            "answer": answer.key,
            "last_used": datetime.fromtimestamp(answer.used, UTC).replace(microsecond=0),
            "kilobytes": -(-answer.bytes // 1000),
            "plan": answer.plan.partition("\n")[0],
        }
        for answer in Cache(opened).kept()
    ]
    moment = pa.timestamp("us", tz="UTC")
    schema = pa.schema({"answer": pa.string(), "last_used": moment, "kilobytes": pa.int64(), "plan": pa.string()})
    deliver(pa.Table.from_pylist(rows, schema), form, output, opened.location)
