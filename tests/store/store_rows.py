"""Rows for the store's tests."""

from collections.abc import Sequence
from hashlib import sha256

import pyarrow as pa

from misread.schemas.tables import IMAGES, REPORTS
from stores import table

VIEW = pa.field("view", pa.string())


def reports(*rows: tuple[str | None, str | None, str]) -> pa.Table:
    """(sample, study, report) a row."""
    return table(REPORTS, [{"sample_id": a, "study_id": b, "report": c} for a, b, c in rows])


def picture(sample: str, round_: int = 0) -> bytes:
    """Bytes that name their sample; of very different lengths."""
    return f"{sample}/{round_}/".encode() * (1 + len(sample) * 7 + round_)


def images(
    samples: Sequence[str], *, round_: int = 0, without: Sequence[str] = (), view: str | None = "PA"
) -> pa.Table:
    """A row a sample, with a picture but for those in `without`."""
    rows: list[dict[str, object]] = []
    for sample in samples:
        row: dict[str, object] = {"sample_id": sample, "patient_id": sample, "view": view}
        if sample not in without:
            content = picture(sample, round_)
            row |= {"picture": content, "sha256": sha256(content).hexdigest(), "media_type": "image/png"}
        rows.append(row)
    return table(IMAGES, rows, [VIEW])
