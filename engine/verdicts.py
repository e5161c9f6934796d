"""What people judge slices to be, kept beside the audit."""

import pyarrow as pa

from misread.schemas.errors import MisreadError, unknown_name
from misread.schemas.tables import SLICES, VERDICTS
from misread.schemas.values import VERDICTS as KNOWN

from .store import TableStore


def judge(store: TableStore, slice_id: str, verdict: str, judged_by: str, note: str | None = None) -> None:
    """Keeps a judgement of a slice; earlier ones stay, and the newest counts.

    Raises UnknownNameError for a slice or verdict that does not exist, MisreadError for a judge without a name.
    """
    if verdict not in KNOWN:
        raise unknown_name("verdict", verdict, KNOWN)
    judged_by = judged_by.strip()
    if not judged_by:
        raise MisreadError("a verdict needs the name of who gives it", "name yourself: --by, or judged_by= in Python")
    found = _audit_of(store)
    if slice_id not in found:
        raise unknown_name("slice", slice_id, found, store.location)
    row: dict[str, object] = {
        "audit_id": found[slice_id],
        "slice_id": slice_id,
        "verdict": verdict,
        "judged_by": judged_by,
        "note": note,
    }
    with store.commit("verdict") as commit:
        row["judged_at"] = commit.moment(VERDICTS.name, "judged_at")
        commit.append(VERDICTS.name, pa.Table.from_pylist([row], schema=VERDICTS.without_checksum))


def _audit_of(store: TableStore) -> dict[str, str]:
    """The audit of every slice."""
    if not store.has(SLICES.name):
        return {}
    rows = store.table(SLICES.name).read(["slice_id", "audit_id"])
    return dict(sorted(zip(rows["slice_id"].to_pylist(), rows["audit_id"].to_pylist(), strict=True)))
