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
    kept = Cache(opened).kept()
    columns = {
        "answer": [answer.key for answer in kept],
        "last_used": [datetime.fromtimestamp(answer.used, UTC).replace(microsecond=0) for answer in kept],
        "kilobytes": [-(-answer.bytes // 1000) for answer in kept],
        "plan": [answer.plan.partition("\n")[0] for answer in kept],
    }
    kinds = [pa.string(), pa.timestamp("us", tz="UTC"), pa.int64(), pa.string()]
    table = pa.table([pa.array(v, k) for v, k in zip(columns.values(), kinds, strict=True)], names=list(columns))
    deliver(table, form, output, opened.location)
