"""What held-out rows say of a phrase: how many have it inside and outside a slice, and how surely more."""

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from misread.discover import (
    Codes,
    common_z,
    counted,
    higher_p_value,
    more_often_p_value,
    one_row_each,
    q_values,
    rate_interval,
    strata,
)

from .judged_rows import people

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float64]
Row = dict[str, Any]

TINY = 1e-12
OF_PATIENTS: Final = ("patients_inside", "lacking_inside", "patients_outside", "lacking_outside")
"""Of how many patients the four groups are that those inside and those with a phrase make."""


def phrase_evidence(has: Booleans, inside: Booleans, patients: Codes) -> Row:
    """The columns of a phrase that held-out rows give; `has`, `inside`, `patients` (n,): the rows that have a text.

    Rates are of rows, with intervals by `rate_interval`; the interval of `lift` joins the two on the scale of
    logarithms (Zou and Donner 2008). `p_value`: the exact test, one-sided, on one row a patient, among patients of
    about as many rows; where no patient has two, Fisher's. `z_score`: of their common log odds ratio.
    """
    counts = {
        "rows_inside": int((has & inside).sum()),
        "patients_inside": people(patients[has & inside]),
        "lacking_inside": people(patients[~has & inside]),
        "patients_outside": people(patients[has & ~inside]),
        "lacking_outside": people(patients[~has & ~inside]),
    }
    if not inside.any() or inside.all():
        return counts
    mine, others = _rate(has[inside], patients[inside]), _rate(has[~inside], patients[~inside])
    one = one_row_each(inside, patients)
    p, z = _tested(has[one], inside[one], strata(patients)[one])
    lift, low, high = _ratio(mine, others)
    return counts | {
        "rate_inside": mine[0],
        "rate_inside_low": mine[1],
        "rate_inside_high": mine[2],
        "rate_outside": others[0],
        "lift": lift,
        "lift_low": low,
        "lift_high": high,
        "z_score": z,
        "p_value": p,
    }


def nearness_evidence(similarity: Floats, inside: Booleans, patients: Codes) -> Row:
    """The columns of a phrase that no report can be asked for: whether rows inside lie nearer to it.

    `similarity` (n,) of the held-out rows; by ranks, one-sided, on one row a patient, among patients of about as many.
    """
    one = one_row_each(inside, patients)
    p = higher_p_value(similarity[one], inside[one], strata(patients)[one])
    if p is None:
        return {}
    from scipy.stats import norm

    return {"p_value": p, "z_score": float(norm.isf(min(max(p, 1e-300), 1 - 1e-12)))}


def with_q_values(rows: Sequence[Row]) -> list[Row]:
    """The rows with `q_value`, over all of them that have a p-value."""
    tested = [place for place, row in enumerate(rows) if row.get("p_value") is not None]
    q = dict(zip(tested, q_values(np.array([rows[place]["p_value"] for place in tested])), strict=True))
    return [{**row, "q_value": float(q[place]) if place in q else None} for place, row in enumerate(rows)]


def _tested(has: Booleans, inside: Booleans, stratum: Codes) -> tuple[float, float]:
    """The p-value and z-score of "those inside have it more often"."""
    counts = [counted(rows, stratum) for rows in (has & inside, inside, has, np.ones(len(has), bool))]
    return more_often_p_value(*counts), common_z(*counts)


def _rate(has: Booleans, patients: Codes) -> tuple[float, float, float]:
    """A share of rows with its interval."""
    return float(has.mean()), *rate_interval(has, patients)


def _ratio(
    mine: tuple[float, float, float], others: tuple[float, float, float]
) -> tuple[float | None, float | None, float | None]:
    """The ratio of two rates with its interval; None where nobody outside has it."""
    (a, a_low, a_high), (b, b_low, b_high) = mine, others
    if not b:
        return None, None, None
    if not a:
        return 0.0, 0.0, a_high / max(b_low, TINY)
    low = math.hypot(math.log(a / max(a_low, TINY)), math.log(b_high / b))
    high = math.hypot(math.log(a_high / a), math.log(b / max(b_low, TINY)))
    return a / b, a / b * math.exp(-low), a / b * math.exp(high)
