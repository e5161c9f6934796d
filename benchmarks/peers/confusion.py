"""The trivial opponent: the cells of the confusion matrix, the most confident rows first."""

from dataclasses import dataclass

import numpy as np

from .interface import Audit, Booleans, Fitted, Floats

CELLS = ((1, 0), (0, 1), (1, 1), (0, 0))
"""(true class, predicted class); the wrong ones first."""


@dataclass(frozen=True)
class Confusion:
    """Score of cell (c, c') = 1[y = c] q_c'; nothing is learned."""

    def fit(self, audit: Audit, seed: int) -> Fitted:  # noqa: ARG002 - the interface's
        return _Cells()


class _Cells:
    def score(self, audit: Audit, with_labels: bool) -> Floats:
        sure = {1: audit.score, 0: 1 - audit.score}
        columns = [sure[said] * ((audit.label == true) if with_labels else 1.0) for true, said in CELLS]
        return np.stack(columns, axis=1)

    def members(self, audit: Audit, with_labels: bool) -> Booleans:
        columns = [(audit.predicted == said) & ((audit.label == true) | (not with_labels)) for true, said in CELLS]
        return np.stack(columns, axis=1)
