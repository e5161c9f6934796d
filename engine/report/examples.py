"""The images that show a slice, as small grey pictures, with what is known of each."""

import base64
from io import BytesIO
from typing import TYPE_CHECKING, Any

from misread.encode.pixels import grey_square
from misread.encode.registry import ItemError
from misread.progress import Progress
from misread.store import TableStore

if TYPE_CHECKING:
    from misread.sql import Session

    from .contents import Options

EXAMPLES = 6
SIDE = 208
QUALITY = 80
EXCERPT = 600

Row = dict[str, Any]

_STORED = """
    SELECT e.slice_id, e.kind, e.rank, e.sample_id, e.neighbour_of, a.label, a.score AS model_score, a.loss,
        coalesce(own.report, study.report) AS report
    FROM examples AS e JOIN slices AS s USING (slice_id)
    LEFT JOIN audited AS a ON a.audit_id = s.audit_id AND a.model = s.model AND a.target = s.target
        AND a.sample_id = e.sample_id
    LEFT JOIN images AS i ON i.sample_id = e.sample_id
    LEFT JOIN reports AS own ON own.sample_id = e.sample_id
    LEFT JOIN reports AS study ON study.sample_id IS NULL AND study.study_id = i.study_id
    WHERE list_contains($ids, e.slice_id)
"""
_RANKED = """
    SELECT m.slice_id, 'typical error' AS kind, row_number() OVER (PARTITION BY m.slice_id ORDER BY m.rank) AS rank,
        m.sample_id, NULL::VARCHAR AS neighbour_of, a.label, a.score AS model_score, a.loss,
        coalesce(own.report, study.report) AS report
    FROM memberships AS m JOIN slices AS s USING (slice_id)
    JOIN audited AS a ON a.audit_id = s.audit_id AND a.model = s.model AND a.target = s.target
        AND a.sample_id = m.sample_id
    LEFT JOIN images AS i ON i.sample_id = m.sample_id
    LEFT JOIN reports AS own ON own.sample_id = m.sample_id
    LEFT JOIN reports AS study ON study.sample_id IS NULL AND study.study_id = i.study_id
    WHERE list_contains($ids, m.slice_id) AND (a.error AND a.label = s.true_class OR a.loss > s.baseline_loss)
"""
"""For audits that chose no examples: the wrongly read members that the slice's rule takes first."""


def examples_of(
    store: TableStore, session: "Session", slices: list[Row], options: "Options", progress: Progress
) -> list[Row]:
    """The slices, each with `examples`: at most six of a kind, with `picture` (a data URI) and `report` if allowed.

    A slice of few patients has none: they would be told one by one.
    """
    ids = [row["slice_id"] for row in slices if row["rows"] is not None]
    found = _asked(session, _STORED, ids)
    without = [name for name in ids if name not in {row["slice_id"] for row in found}]
    found += _asked(session, _RANKED, without)
    pictures = _pictures(store, {row["sample_id"] for row in found}, progress) if options.images else {}
    for row in found:
        row["picture"] = pictures.get(row["sample_id"])
        row["report"] = (row["report"] or "")[:EXCERPT] or None
        if not options.text:
            row |= {"report": None, "sample_id": None, "neighbour_of": None}
    return [row | {"examples": [one for one in found if one["slice_id"] == row["slice_id"]]} for row in slices]


def _asked(session: "Session", text: str, ids: list[str]) -> list[Row]:
    first = f"SELECT * FROM ({text}) WHERE rank <= {EXAMPLES} ORDER BY slice_id, kind DESC, rank, sample_id"
    rows: list[Row] = session.query(first, {"ids": ids}).to_pylist() if ids else []
    return rows


def _pictures(store: TableStore, wanted: set[str], progress: Progress) -> dict[str, str]:
    """Small grey JPEGs as data URIs, of the samples that have a picture that can be read."""
    made: dict[str, str] = {}
    if not store.has("images") or not wanted:
        return made
    for ids, contents in store.table("images").pictures(only=wanted):
        for sample, content in zip(ids, contents, strict=True):
            try:
                made[sample] = _small(content)
            except ItemError:
                continue
            progress(len(made), len(wanted), "drawing images")
    return made


def _small(content: bytes) -> str:
    from PIL import Image

    stream = BytesIO()
    grey = (255 * grey_square(content, SIDE)).round().astype("uint8")
    Image.fromarray(grey).save(stream, "JPEG", quality=QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
