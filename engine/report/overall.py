"""How often the images of each label are read wrongly as a whole, inside and outside of slices."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from misread.sql import Session

Row = dict[str, Any]

READINGS: Final = {1: "missed", 0: "false_alarms"}
"""What a wrong reading of a label is called."""
NOT_READ: Final[dict[str, Row | None]] = dict.fromkeys(READINGS.values())

_READ = """
    SELECT
        model, target, label, sum(own)::BIGINT AS rows, count(*) AS patients, sum(wrong)::BIGINT AS errors,
        errors / rows AS error_rate, rate_low(wrong, own) AS error_rate_low, rate_high(wrong, own) AS error_rate_high
    FROM (
        SELECT
            a.model, a.target, a.label, patient_of(i.patient_id, a.sample_id) AS patient,
            count(*) AS own, count(*) FILTER (a.error) AS wrong
        FROM audited AS a LEFT JOIN images AS i ON i.sample_id = a.sample_id
        WHERE a.audit_id = $id AND a.half = 'confirmation' AND a.error IS NOT NULL
        GROUP BY ALL
    )
    GROUP BY model, target, label
"""


def read_as_a_whole(
    session: "Session", audit_id: str, few: Collection[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Row | None]]:
    """By model and target: `missed` of the images labelled 1 and `false_alarms` of those labelled 0, on the
    confirmation half: rows, patients, errors, and error_rate (0 to 1) with its 95 % interval, widened where patients
    repeat. None for a label that no image has, and for both where either is of `few` patients: less what is shown of
    the halves, the number of the other would tell theirs.
    """
    told: dict[tuple[str, str], dict[str, Row | None]] = {}
    for row in session.query(_READ, {"id": audit_id}).to_pylist():
        pair, label = (row.pop("model"), row.pop("target")), row.pop("label")
        told.setdefault(pair, dict(NOT_READ))[READINGS[label]] = None if pair in few else row
    return told
