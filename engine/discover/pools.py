"""Candidates of a class with more errors than a tree should be grown over: from a sample of them, and from lumps."""

import numpy as np
from numpy.typing import NDArray

from misread.principal import unit
from misread.threads import in_order

from .scan import scan_statistic

Numbers = NDArray[np.floating]
Rows = NDArray[np.intp]

MOST_ERRORS = 8192
"""Errors among which candidates are sought where nothing else is asked; of more, so many are drawn."""
START_SHARE = 16
"""Lumps are grown from one in so many of the pool's errors."""
LUMP_SHARE, LARGEST_LUMP = 256, 32
"""A lump grows over one in 256 of the pool's errors, and over no more than 32: a larger pool is for smaller slices."""
FEWEST_ERRORS = 2 * LUMP_SHARE
"""Of fewer errors no lump is grown."""
MOST_LUMPS = 16
STEPS = 2
ALIKE = 0.7
LONGEST = (1, 2, 4, 8)
"""Lumps are compared by the rows most like them, up to so many times a lump's own number of errors."""
_SEED = 20_011
_AT_ONCE = 1 << 17
"""Products that are held at a time."""
_GROUP = 16
"""Columns whose largest number stands for them while the largest of all are sought."""


def drawn(rows: Rows, most: int = MOST_ERRORS) -> Rows:
    """`rows`, or `most` of them drawn without replacement, in rising order; the same ones for as many rows."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.random.default_rng(_SEED).choice(len(rows), most, replace=False))]


def missed(errors: int, inside: int, fewest: int, most: int = MOST_ERRORS) -> float:
    """How likely a draw of `most` of a class's errors holds fewer than `fewest` of the `inside` ones of a slice.

    Exact (hypergeometric); 0 where all errors are taken. It is what drawing errors can lose: whatever is found is
    scored and judged on every row, though directions that fewer members tell are less sure. A slice with 1 in 100
    of the errors has fewer than the 20 that a node of the tree must hold once in 10^16 draws, one with 1 in 200
    once in 10,000, whatever the number of errors; none of the 512 starts of lumps falls into them in 1 of 170 and 1
    of 13 draws. As many errors are drawn of an archive of any size: a slice with a much smaller share of the errors is
    lost however many films it has, unless a larger pool is asked for. The smallest node and lump stay as they are
    then, and starts keep their share: with k times the pool a slice with 1 in 100 k of the errors is as safe.
    """
    if errors <= most:
        return float(inside < fewest)
    from scipy.stats import hypergeom

    return float(hypergeom.cdf(fewest - 1, errors, inside, most))


def lumps(errors: Numbers, right: Numbers) -> list[Rows]:
    """Groups of errors that lie in one direction from the middle of their class: at most 16, row numbers in order.

    `errors`, `right` (n, k): samples of a class's wrong and right rows, centred. From drawn errors a direction each
    turns towards the mean of the errors furthest along it, again and again, as mean shift does on a sphere. Of
    directions that became alike the first is kept, in the order of how much errors outnumber right rows along them.
    """
    if len(errors) < FEWEST_ERRORS or not len(right):
        return []
    size = min(len(errors) // LUMP_SHARE, LARGEST_LUMP)
    starts = drawn(np.arange(len(errors)), len(errors) // START_SHARE)
    single, others = (np.asarray(rows, np.float32) for rows in (errors, right))

    def climbed(some: Rows) -> tuple[Numbers, Numbers]:
        directions = _turned(single[some])
        for _ in range(STEPS):
            directions = _turned(single[_furthest(directions, single, size)].mean(axis=1))
        return directions, _contrast(directions, single, others, size)

    step = max(_AT_ONCE // len(errors), 1)
    lots = in_order(climbed, (starts[start : start + step] for start in range(0, len(starts), step)))
    directions, statistics = (np.concatenate(found) for found in zip(*lots, strict=True))
    kept: list[int] = []
    for number in np.argsort(-statistics, kind="stable"):
        if len(kept) == MOST_LUMPS or statistics[number] <= 0:
            break
        if not kept or (directions[kept] @ directions[number]).max() < ALIKE:
            kept.append(int(number))
    return [np.sort(found) for found in _furthest(directions[kept], single, size)] if kept else []


def _turned(rows: Numbers) -> Numbers:
    """Rows at length 1, as single precision, which is enough to seek by."""
    return np.asarray(unit(rows), np.float32)


def _furthest(directions: Numbers, rows: Numbers, size: int) -> Rows:
    """(d, size): the rows furthest along each direction."""
    return _highest(directions @ rows.T, size)


def _highest(numbers: Numbers, size: int) -> Rows:
    """(d, size): the columns of the largest numbers (d, n) of every row, in no order.

    Of many they lie in the groups with the `size` largest maxima, which are found faster.
    """
    height, columns = numbers.shape
    if columns <= size * _GROUP**2:
        return np.argpartition(numbers, columns - size, axis=1)[:, -size:]
    groups = columns // _GROUP
    grouped = numbers[:, : groups * _GROUP].reshape(height, _GROUP, groups)
    best = np.argpartition(grouped.max(axis=1), groups - size, axis=1)[:, -size:]
    inside = (best[:, None] + groups * np.arange(_GROUP)[:, None]).reshape(height, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, columns), (height, columns % _GROUP))
    members = np.hstack([inside, rest])
    places = np.argpartition(np.take_along_axis(numbers, members, 1), members.shape[1] - size, axis=1)[:, -size:]
    return np.asarray(np.take_along_axis(members, places, 1))


def _contrast(directions: Numbers, errors: Numbers, right: Numbers, size: int) -> Numbers:
    """(d,): the highest scan statistic of the rows as far along each direction as 1, 2, 4 or 8 times `size` errors."""
    counts = np.array([size * times for times in LONGEST if size * times < len(errors)])
    along = directions @ errors.T
    furthest = np.partition(along, len(errors) - counts[-1], axis=1)[:, -counts[-1] :]
    furthest.sort(axis=1)
    reaches = furthest[:, -counts]
    beside = directions @ right.T
    inside = np.stack([(beside >= reach[:, None]).sum(axis=1) for reach in reaches.T], axis=1)
    found = scan_statistic(counts, counts + inside, len(errors), len(errors) + len(right))
    return np.asarray(found.max(axis=1))
