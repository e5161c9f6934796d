"""The test behind `slice_profile`: from counts of patients, by how many rows they have, to a p-value."""

import numpy as np
import pyarrow as pa

from misread.discover import more_often_by_rows

from .vectors import Check


def more_often(check: Check, *counts: pa.Array) -> pa.Array:
    """One p-value a row, from lists of one number of rows each, in rising order: the number of rows, the patients
    inside that have a value, all inside, all that have it, and all. NULL where a list is."""
    found = []
    for lists in zip(*(column.to_pylist() for column in counts), strict=True):
        check()
        known = all(one is not None for one in lists)
        found.append(more_often_by_rows(*(np.array(one, np.intp) for one in lists)) if known else None)
    return pa.array(found, pa.float64())
