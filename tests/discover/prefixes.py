"""The best prefix of sorted rows, by every prefix: what bins must find."""

import numpy as np

from misread.discover.scan import Booleans, Values, statistics_of


def best_prefix(values: Values, starts_group: Booleans, smallest: int, largest: int) -> tuple[float, int]:
    """The prefix of sorted rows with the highest scan statistic, as (statistic, length); (0.0, 0) if none.

    `values` (n,) in sorted order: bool for errors (Bernoulli model), float64 for losses (normal model). A prefix may
    only end where the next row starts a group (`starts_group` (n,) bool), so that rows of equal score are never
    divided. Ties: the shortest prefix.
    """
    ends = np.flatnonzero(starts_group[1:])
    ends = ends[(ends + 1 >= smallest) & (ends + 1 <= largest)]
    if not len(ends):
        return 0.0, 0
    running = np.cumsum(values)
    if values.dtype == bool:
        ends = ends[np.diff(running[ends], prepend=-1) > 0]  # but for the first, the best ends with an error's group
    statistics = statistics_of(running[ends], ends + 1, values)
    best = int(np.argmax(statistics))
    return (float(statistics[best]), int(ends[best]) + 1) if statistics[best] > 0 else (0.0, 0)
