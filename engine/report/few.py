"""What a report leaves out where it would tell of few patients."""

from itertools import zip_longest
from typing import Any

from misread.execute.effects import LOSS_COLUMN, effect_column
from misread.schemas.values import CONFIRMATION, DISCOVERY, is_small_cell

HALVES = (DISCOVERY, CONFIRMATION)

Row = dict[str, Any]

FEW_LABELS = """
    SELECT
        model, target, label, is_small_cell(count(DISTINCT patient)) AS few,
        is_small_cell(count(DISTINCT patient) FILTER (half = 'confirmation')) AS few_held,
        is_small_cell(count(DISTINCT patient) FILTER (half = 'discovery')) AS few_searched
    FROM (
        SELECT a.model, a.target, a.label, a.half, patient_of(i.patient_id, a.sample_id) AS patient
        FROM audited AS a LEFT JOIN images AS i ON i.sample_id = a.sample_id
        WHERE a.audit_id = $id AND a.label IS NOT NULL
    )
    GROUP BY model, target, label
    HAVING few OR few_held OR few_searched
"""
"""Labels that few patients have, of a model and target, or few of one of its halves."""
FEW_SLICES = "SELECT slice_id FROM slices_shown() WHERE audit_id = $id AND suppressed"


def point_without_few(point: Row, few: set[str], rare: set[tuple[str, str]]) -> Row:
    """A point of the map, in no slice if that has few patients inside or outside; and how it was read, if its model and
    target are `rare`, of which few patients have a label: they could be counted."""
    hidden = {"slice_id": None} if point["slice_id"] in few else {}
    read = ("label", "predicted", "error") if (point["model"], point["target"]) in rare else ()
    return point | hidden | dict.fromkeys(read)


def target_without_few(target: Row, labels: list[Row], least: int) -> Row:
    """A model and target without numbers of a half of few patients, of few that were left out, or of a class of few
    confirmation patients, nor all errors, which less those of the other class would tell theirs. `labels`: those that
    few have."""
    few = [half for half in HALVES if is_small_cell(target[f"{half}_patients"], least)]
    hidden = {f"{half}_{what}": None for half in few for what in ("rows", "patients", "errors")}
    mine = [row for row in labels if (row["model"], row["target"]) == (target["model"], target["target"])]
    rare = [row["label"] for row in mine if row["few_held"]]
    hidden |= dict.fromkeys(map(effect_column, rare)) | dict.fromkeys(f"{half}_errors" for half in HALVES if rare)
    hidden |= {LOSS_COLUMN: None} if CONFIRMATION in few else {}
    gone, patients = target["left_out"] or [], target["left_out_patients"] or []
    at_most = [one["rows"] if n is None else n for one, n in zip_longest(gone, patients)]
    few_gone = [one | ({"rows": None} if is_small_cell(n, least) else {}) for one, n in zip(gone, at_most, strict=True)]
    told = {name: value for name, value in target.items() if name != "left_out_patients"}
    return told | hidden | {"left_out": few_gone}


def audit_without_total(audit: Row, targets: list[Row]) -> Row:
    """The audit, without how many samples were selected where that less the halves would tell what is hidden."""
    hidden = [one["discovery_rows"] is None or one["confirmation_rows"] is None for one in targets]
    gone = [part["rows"] is None for one in targets for part in one["left_out"]]
    return audit | {"samples": None} if any(hidden + gone) else audit


def word_without_few(word: Row, patients: int, few: bool, least: int) -> Row:
    """A word without numbers, where few of the `patients` inside its slice lack it or the slice has `few` of them; else
    without those that would tell few outside."""
    outside = ("count_outside", "z_score", "q_value")
    if few or is_small_cell(patients - word["count_inside"], least):
        return word | dict.fromkeys(("count_inside", *outside))
    return word | dict.fromkeys(outside if is_small_cell(word["count_outside"], least) else ())
