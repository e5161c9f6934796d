"""How good a subgroup is."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from misread.discover.scan import scan_statistic

Floats = NDArray[np.float64]


class Score(Protocol):
    """Scores of subgroups by their errors and rows; both broadcast. A subgroup counts where its score is above 0.

    No error more lowers such a score, be it of a row more or not, and no row more that is right raises it.
    """

    def of(self, errors: ArrayLike, rows: ArrayLike) -> Floats: ...


@dataclass(frozen=True)
class ScanScore:
    """Kulldorff's scan statistic against everything outside (`misread.discover.scan`)."""

    errors: int
    rows: int

    def of(self, errors: ArrayLike, rows: ArrayLike) -> Floats:
        return scan_statistic(errors, rows, self.errors, self.rows)


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
