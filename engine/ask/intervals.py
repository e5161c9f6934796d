"""Intervals for SQL: from every patient's counts to the ends of the interval of their rate."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from misread.discover import counted_interval
from misread.schemas.errors import QueryError

from .vectors import Check

ENDS = pa.struct([("low", pa.float64()), ("high", pa.float64())])
MOST_ROWS: Final = 2**31
"""So many rows in all are too many: the sum of their squares would leave 64 bits."""
_HINT: Final = "give them events and rows, one pair of counts a patient"


def rate_interval(check: Check, events: pa.Array, rows: pa.Array, confidences: pa.Array) -> pa.Array:
    """The function behind `rate_low` and `rate_high`: of lists of counts, one pair a patient; NULL without rows.

    Patients without rows or with a NULL count for nothing. Raises QueryError for counts that cannot be, for 2^31
    rows or more in one list, and for a confidence that is not between 0 and 1.
    """
    found = []
    for some, of, confidence in zip(events, rows, confidences.to_pylist(), strict=True):
        check()
        found.append(_ends(some.values, of.values, confidence) if some.is_valid and of.is_valid else None)
    return pa.array(found, ENDS)


def _ends(events: pa.Array, rows: pa.Array, confidence: float | None) -> dict[str, float] | None:
    """Of as many events as rows; a long list never becomes Python's numbers, which take ten times the room."""
    both = pc.and_(events.is_valid(), pc.fill_null(pc.not_equal(rows, 0), fill_value=False))
    some, of = events.filter(both).to_numpy(), rows.filter(both).to_numpy()
    if ((some < 0) | (some > of)).any():
        raise QueryError(
            "rate_low and rate_high were given counts that cannot be: fewer than 0 events, or more events than rows",
            _HINT,
        )
    if of.sum(dtype=float) >= MOST_ROWS:
        raise QueryError(f"rate_low and rate_high were given {MOST_ROWS:,} rows or more", _HINT)
    if confidence is None or not 0 < confidence < 1:
        raise QueryError(f"the confidence of an interval is {confidence}", "it lies between 0 and 1, such as 0.95")
    if not len(of):
        return None
    low, high = counted_interval(some.astype(float), of.astype(np.intp), confidence)
    return {"low": low, "high": high}
