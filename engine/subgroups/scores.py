"""How good a subgroup is, and how good any part of it could be."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from misread.discover.scan import scan_statistic

Floats = NDArray[np.float64]


class Score(Protocol):
    """Scores of subgroups by their errors and rows; both broadcast. A subgroup counts where its score is above 0."""

    def of(self, errors: ArrayLike, rows: ArrayLike) -> Floats: ...

    def bound(self, errors: ArrayLike, rows: ArrayLike, least: int) -> Floats:
        """No part with `least` rows or more scores higher, of a subgroup with these errors and rows."""
        ...


@dataclass(frozen=True)
class ScanScore:
    """Kulldorff's scan statistic against everything outside (`misread.discover.scan`)."""

    errors: int
    rows: int

    def of(self, errors: ArrayLike, rows: ArrayLike) -> Floats:
        return scan_statistic(errors, rows, self.errors, self.rows)

    def bound(self, errors: ArrayLike, rows: ArrayLike, least: int) -> Floats:  # noqa: ARG002 - a part may be any size
        # all the errors in as few rows as may be: fewer errors, or more rows, only lower it
        return self.of(errors, np.maximum(np.asarray(errors), least))


@dataclass(frozen=True)
class SliceLineScore:
    """alpha (r / r_all - 1) - (1 - alpha) (n_all / n - 1), where r is the error rate and n the rows.

    Sagadeeva and Boehm 2021, with errors of 0 and 1.
    """

    errors: int
    rows: int
    alpha: float = 0.6

    def of(self, errors: ArrayLike, rows: ArrayLike) -> Floats:
        k, n = np.asarray(errors, float), np.maximum(np.asarray(rows, float), 1.0)
        over = (k / n) / (max(self.errors, 1) / self.rows) - 1
        return np.asarray(self.alpha * over - (1 - self.alpha) * (self.rows / n - 1))

    def bound(self, errors: ArrayLike, rows: ArrayLike, least: int) -> Floats:
        k, n = np.asarray(errors), np.asarray(rows)
        # up to k rows it grows with every row, beyond it is monotone: the best is at either end
        fewest = np.maximum(np.minimum(k, n), least)
        return np.maximum(self.of(np.minimum(k, n), n), self.of(np.minimum(k, fewest), fewest))
