"""What a report tells, gathered from the store as plain values; how it looks is decided elsewhere."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from misread.describe import sentence
from misread.progress import Progress, silent
from misread.schemas.arguments import checked
from misread.schemas.errors import QueryError, nothing_audited, unknown_name
from misread.schemas.values import is_small_cell
from misread.sql import Limits, question
from misread.writing import replacing

from .examples import examples_of
from .few import (
    FEW_LABELS,
    FEW_SLICES,
    HALVES,
    audit_without_total,
    point_without_few,
    target_without_few,
    word_without_few,
)
from .mapping import fused_maps
from .overall import NOT_READ, read_as_a_whole
from .pages import as_cards, as_html, as_json, as_markdown
from .withheld import looks_at_ids, without_patients
from .wording import IDS, PICTURES, REPORTS, borne_out

if TYPE_CHECKING:
    from misread.library import Store
    from misread.sql import Session

PHRASES = 8
WORDS = 8
PROFILE = 8
SUBGROUPS = 5

Row = dict[str, Any]
Form = Literal["html", "md", "json"]
_WRITERS: Final = {"html": as_html, "md": as_markdown, "json": as_json}

_PATIENTS = """
    SELECT a.model, a.target, a.half, count(DISTINCT patient_of(i.patient_id, a.sample_id)) AS patients
    FROM audited AS a LEFT JOIN images AS i ON i.sample_id = a.sample_id
    WHERE a.audit_id = $id
    GROUP BY ALL
"""


@dataclass(frozen=True)
class Options:
    """What a report may show: images; text of reports and notes, and ids; numbers of fewer than 11 patients."""

    images: bool = True
    text: bool = True
    allow_small_cells: bool = False


@dataclass(frozen=True, repr=False)
class Report:
    """Plain values (text, numbers, lists, dicts), ready for JSON.

    `audit`: its row, with parameters and table versions read; `targets`: a row a model and target, with the patients of
    each half, and what is `missed` and `false_alarms` of all images of the confirmation half; `slices`: a row a slice,
    the confirmed and most wrong first, with phrases, words, profile, examples and verdict; `subgroups`: a row a
    subgroup of metadata in which errors gather, with q-values over all of them; `unsearched`: why none was searched,
    where their search met a limit, else empty;
    `points`: a row a model, target and sample, in the plane of its map.
    """

    audit: Row
    targets: list[Row]
    slices: list[Row]
    subgroups: list[Row]
    unsearched: str
    points: list[Row]
    options: Options

    @property
    def notes(self) -> list[str]:
        """Remarks on the audit as a whole; those on a model and target stand in `targets`."""
        others = {f"{row['model']}, {row['target']}: {row['note']}" for row in self.targets}
        return [note for note in self.audit["notes"] or [] if note not in others]

    @property
    def by_loss(self) -> bool:
        """Whether rows were judged by their loss: no reading is right or wrong, and no subgroup is searched."""
        return bool(self.audit["parameters"]["discover"][0]["losses"])

    def holds(self, form: Form) -> set[str]:
        """What of single patients is in it, of PICTURES, IDS and REPORTS, as it is written: only pages hold images, and
        Markdown has no examples, words and maps."""
        examples = [one for row in self.slices for one in row["examples"]]
        phrases = [one for row in self.slices for one in row["phrases"] if one["source"] == "report"]
        there = {
            PICTURES: form == "html" and any(one["picture"] for one in examples),
            IDS: form != "md" and any(one.get("sample_id") for one in (*examples, *self.points)),
            REPORTS: bool(phrases)
            or (form != "md" and any(one["report"] for one in examples))
            or (form != "md" and any(row["words"] for row in self.slices)),
        }
        return {name for name, is_there in there.items() if is_there}

    @property
    def may_hold(self) -> dict[str, set[str]]:
        """Where something of single patients may stand that nobody can tell from other text, and what."""
        notes = any((row["verdict"] or {}).get("note") for row in self.slices)
        filters = looks_at_ids(self.audit["where"] or "")
        return ({"filters": {IDS}} if filters else {}) | ({"notes of verdicts": {IDS, REPORTS}} if notes else {})

    @checked
    def save(self, path: str | os.PathLike[str], form: Form | None = None) -> None:
        """Writes it as one file, for its owner alone to read; it is there whole or not at all.

        `form`: `html`, `md` or `json` (None: as the name of the file ends, html where it has no ending). Raises
        MisreadError for another form and for a place that cannot be written.
        """
        named = form or Path(path).suffix.lower().removeprefix(".") or "html"
        if named not in _WRITERS:
            raise unknown_name("form of a report", named, _WRITERS)
        written = _WRITERS[named](self)
        with replacing(Path(path)) as file:
            file.write(written.encode())

    def __repr__(self) -> str:
        return f"Report(audit={self.audit['audit_id']!r}, targets={len(self.targets)}, slices={len(self.slices)})"

    def _repr_html_(self) -> str:
        """Its cards, for notebooks."""
        return as_cards(self)


def gathered(store: "Store", audit: str | None, options: Options, progress: Progress = silent) -> Report:
    """What there is to tell of an audit, by its id or name (None: the newest).

    Numbers of fewer than 11 patients are None unless they are allowed. Without text nothing is told that a report
    says in five words or more, and nothing that names a sample, patient or study. Raises UnknownNameError for an audit
    that does not exist, AuditError for a store without audits.
    """
    known = None if audit is None else store.audit_id(audit)
    with store.session(Limits(seconds=None, allow_small_cells=options.allow_small_cells)) as session:
        audit_id = known or _newest(session, store.location)
        row = _audit(session, audit_id)
        slices = list(_slices(session, audit_id, options))
        few = {one["slice_id"] for one in _rows(session, FEW_SLICES, audit_id)}
        labels = _rows(session, FEW_LABELS, audit_id)
        rare = {(one["model"], one["target"]) for one in labels if one["few"]}
        targets = _targets(session, audit_id)
        read = read_as_a_whole(session, audit_id, {(one["model"], one["target"]) for one in labels})
        shown = [
            target_without_few(one, labels, session.limits.smallest_cell)
            | read.get((one["model"], one["target"]), NOT_READ)
            for one in targets
        ]
        points = fused_maps(store, session, audit_id, _maps(targets, slices), options, progress)
        subgroups, unsearched = _subgroups(session, audit_id)
        report = Report(
            audit=audit_without_total(row, shown),
            targets=shown,
            slices=examples_of(store, session, slices, options, progress),
            subgroups=subgroups,
            unsearched=unsearched,
            points=[point_without_few(point, few, rare) for point in points],
            options=options,
        )
    return report if options.text else without_patients(report, store)


def _targets(session: "Session", audit_id: str) -> list[Row]:
    """The models and targets, each with `discovery_patients` and `confirmation_patients`."""
    rows = _rows(session, "FROM audit_targets WHERE audit_id = $id ORDER BY model, target", audit_id)
    counted = _rows(session, _PATIENTS, audit_id)
    patients = {(one["model"], one["target"], one["half"]): one["patients"] for one in counted}
    return [
        row | {f"{half}_patients": patients.get((row["model"], row["target"], half), 0) for half in HALVES}
        for row in rows
    ]


def _maps(targets: list[Row], slices: list[Row]) -> list[tuple[str, str]]:
    """Every model and target: those with confirmed slices first, then those with others."""

    def place(pair: tuple[str, str]) -> tuple[bool, bool]:
        confirmed = [row["confirmed"] for row in slices if (row["model"], row["target"]) == pair]
        return not any(confirmed), not confirmed

    return sorted(((row["model"], row["target"]) for row in targets), key=place)


def _newest(session: "Session", store: str) -> str:
    made = session.query(question("audits_made"))
    if not made.num_rows:
        raise nothing_audited(store)
    newest: str = made["audit_id"][0].as_py()
    return newest


def _rows(session: "Session", text: str, value: str) -> list[Row]:
    found: list[Row] = session.query(text, {"id": value}).to_pylist()
    return found


def _audit(session: "Session", audit_id: str) -> Row:
    (row,) = _rows(session, "FROM audits WHERE audit_id = $id", audit_id)
    row |= {name: json.loads(row[name]) for name in ("parameters", "tables")}
    row["created_at"] = f"{row['created_at']:%Y-%m-%d %H:%M} UTC"
    del row["fusion"]
    return row


def _slices(session: "Session", audit_id: str, options: Options) -> Iterator[Row]:
    stored = {row["slice_id"]: row for row in _rows(session, "FROM slices WHERE audit_id = $id", audit_id)}
    told = {row["slice_id"]: row for row in _rows(session, "FROM slices_shown() WHERE audit_id = $id", audit_id)}
    verdicts = {row["slice_id"]: row for row in _rows(session, "FROM verdicts WHERE audit_id = $id", audit_id)}
    for row in session.query(question("slices_found"), {"audit_ids": [audit_id]}).to_pylist():
        slice_id = row["slice_id"]
        own, few = stored[slice_id], told[slice_id]["suppressed"]
        more = ("rule", "rule_precision", "rule_recall", "share", "share_low", "share_high", "patients")
        row |= {name: told[slice_id][name] for name in more}
        phrases = _phrases(session, slice_id, options)
        for name in ("nearest_phrase", "borne_out", "phrase_q_value"):
            del row[name]  # of all phrases, where some may be left out
        row["sentence"] = sentence(own, phrases, session.limits.smallest_cell)
        row["phrases"] = _phrases_shown(session, slice_id, phrases)
        row["words"] = _words(session, own, few) if options.text else []
        row["profile"] = _rows(
            session,
            f"FROM slice_profile($id) WHERE more_common LIMIT {PROFILE}",
            slice_id,
        )
        row["verdict"] = _verdict(verdicts.get(slice_id), options)
        yield row


def _phrases(session: "Session", slice_id: str, options: Options) -> list[Row]:
    """As they are stored, those that the confirmation half bears out first; of those that reports say none that few
    patients inside the slice have, and without text none."""
    rows = _rows(session, "FROM phrases WHERE slice_id = $id ORDER BY borne_out DESC, rank", slice_id)
    least = session.limits.smallest_cell
    return [
        row
        for row in rows
        if row["source"] in ("metadata", "term", "list") or (options.text and not is_small_cell(_patients(row), least))
    ]


def _phrases_shown(session: "Session", slice_id: str, phrases: list[Row]) -> list[Row]:
    """The first of them that not just few patients inside the slice have, as `phrases_shown` shows them."""
    shown = {row["rank"]: row for row in _rows(session, "FROM phrases_shown() WHERE slice_id = $id", slice_id)}
    least = session.limits.smallest_cell
    return [
        shown[row["rank"]] | {"borne_out": borne_out(row)}
        for row in phrases[:PHRASES]
        if not is_small_cell(_patients(row), least)
    ]


def _patients(row: Row) -> int:
    """Of how many patients a phrase's numbers are; at most as many as rows, where nobody counted."""
    known = row["rows_inside"] if row["patients_inside"] is None else row["patients_inside"]
    return known or 0


def _words(session: "Session", own: Row, few: bool) -> list[Row]:
    """Words that not just few patients inside the slice use. `own`: the row of the slice; `few`: whether its numbers
    are hidden."""
    least = session.limits.smallest_cell
    asked = f"FROM contrast_words WHERE slice_id = $id AND count_inside >= {least} ORDER BY rank LIMIT {WORDS}"
    return [
        word_without_few(row, own["confirmation_patients"], few, least)
        for row in _rows(session, asked, own["slice_id"])
    ]


def _verdict(row: Row | None, options: Options) -> Row | None:
    if row is None:
        return None
    kept = ("verdict", "judged_by", "note", "carried_from", "overlap") if options.text else ("verdict", "overlap")
    return {name: row[name] for name in kept} | {"judged_at": f"{row['judged_at']:%Y-%m-%d}"}


def _subgroups(session: "Session", audit_id: str) -> tuple[list[Row], str]:
    """The first of every model and target that the audit judged, tested together; or why they were not searched."""
    try:
        return _rows(session, f"FROM subgroups(NULL, NULL, top := {SUBGROUPS}, of_audit := $id)", audit_id), ""
    except QueryError as error:  # of a large archive: the rest of the report stands without them
        return [], error.message
