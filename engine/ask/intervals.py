"""Intervals for SQL: from every patient's counts to the ends of the interval of their rate."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from misread.discover import counted_interval
from misread.schemas.errors import QueryError

ENDS = pa.struct([("low", pa.float64()), ("high", pa.float64())])


def rate_interval(check: Callable[[], None], events: pa.Array, rows: pa.Array) -> pa.Array:
    """The function behind `rate_low` and `rate_high`: of lists of counts, one pair a patient; NULL without rows.

    Patients without rows or with a NULL count for nothing. Raises QueryError for counts that cannot be.
    """
    found = []
    for some, of in zip(events, rows, strict=True):
        check()
        found.append(_ends(some.as_py() or [], of.as_py() or []))
    return pa.array(found, ENDS)


def _ends(events: list[int | None], rows: list[int | None]) -> dict[str, float] | None:
    pairs = [(some, of) for some, of in zip(events, rows, strict=True) if some is not None and of]
    if any(not 0 <= some <= of for some, of in pairs):
        raise QueryError(
            "rate_low and rate_high were given counts that cannot be: fewer than 0 events, or more events than rows",
            "give them events and rows, one pair of counts a patient",
        )
    if not pairs:
        return None
    counts = np.array(pairs, np.intp)
    low, high = counted_interval(counts[:, 0].astype(float), counts[:, 1])
    return {"low": low, "high": high}
