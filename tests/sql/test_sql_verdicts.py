"""Which verdict a slice has: its own newest, or that of an earlier slice that shares half of its members."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from misread.sql import Session

Row = dict[str, Any]
SAMPLES = [f"s{number:02d}" for number in range(12)]


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def tables_of(
    audits: dict[str, tuple[int, dict[str, Sequence[str]]]], verdicts: Sequence[Row]
) -> dict[str, Sequence[Row]]:
    """Audits of one model and target: by name the day, and the members of every slice; all judged all samples."""
    return {
        "audits": [{"audit_id": name, "created_at": day(made)} for name, (made, _) in audits.items()],
        "slices": [
            {"audit_id": name, "slice_id": one, "model": "m", "target": "t", "error_kind": "false negative"}
            for name, (_, slices) in audits.items()
            for one in slices
        ],
        "memberships": [
            {"audit_id": name, "slice_id": one, "sample_id": sample}
            for name, (_, slices) in audits.items()
            for one, members in slices.items()
            for sample in members
        ],
        "audited": [
            {"audit_id": name, "model": "m", "target": "t", "sample_id": sample}
            for name in audits
            for sample in SAMPLES
        ],
        "verdicts": [
            {"audit_id": "", "verdict": "artefact", "judged_by": "A", "judged_at": day(9)} | v for v in verdicts
        ],
    }


def carried(session: Session, slice_id: str) -> tuple[str, float] | None:
    """From which slice its verdict is carried, and the overlap."""
    found = session.query("FROM verdicts WHERE slice_id = $id", {"id": slice_id}).to_pylist()
    assert len(found) <= 1
    return (found[0]["carried_from"], found[0]["overlap"]) if found else None


@pytest.mark.parametrize(("shared", "is_carried"), [(4, True), (3, False)])
def test_half_of_the_members_carry_a_verdict_and_fewer_do_not(
    opened: Callable[..., Session], shared: int, is_carried: bool
) -> None:
    """Of eight samples in either slice four in both carry it, and three do not."""
    one = SAMPLES[:6]
    other = SAMPLES[6 - shared : 6] + SAMPLES[6 : 6 + 2]
    session = opened(**tables_of({"old": (1, {"old-1": one}), "new": (2, {"new-1": other})}, [{"slice_id": "old-1"}]))
    assert carried(session, "new-1") == (("old-1", 0.5) if is_carried else None)


@pytest.mark.parametrize("unjudged", ["old", "new"])
def test_what_one_audit_alone_judged_counts_for_nothing(opened: Callable[..., Session], unjudged: str) -> None:
    """Members that either audit did not judge, whose label came later or went, neither join nor part two slices."""
    audits = {"old": (1, {"old-1": SAMPLES[:9]}), "new": (2, {"new-1": SAMPLES[2:9]})}
    tables = tables_of(audits, [{"slice_id": "old-1"}])
    gone = SAMPLES[4:9]
    tables["audited"] = [r for r in tables["audited"] if not (r["audit_id"] == unjudged and r["sample_id"] in gone)]
    assert carried(opened(**tables), "new-1") == ("old-1", 0.5)


@pytest.mark.parametrize(
    ("slices", "wanted"),
    [
        ({"b": (1, {"b-1": SAMPLES[:4]}), "a": (2, {"a-1": SAMPLES[:4]})}, "a-1"),
        ({"a": (1, {"a-1": SAMPLES[:4]}), "b": (2, {"b-1": SAMPLES[:4]})}, "b-1"),
        ({"a": (1, {"a-2": SAMPLES[:4], "a-1": SAMPLES[4:8]})}, "a-1"),
        ({"a": (1, {"a-1": SAMPLES[:6]}), "b": (2, {"b-1": SAMPLES[:4]})}, "a-1"),
    ],
    ids=["the newer of two", "whatever it is called", "of one audit the first", "the better before the newer"],
)
def test_of_several_earlier_slices_the_best_carries_and_of_equals_the_newer(
    opened: Callable[..., Session], slices: dict[str, tuple[int, dict[str, list[str]]]], wanted: str
) -> None:
    """Ties go to the newer audit, then to the first slice by its id."""
    judged = [{"slice_id": one} for _, own in slices.values() for one in own]
    session = opened(**tables_of(slices | {"new": (5, {"new-1": SAMPLES[:8]})}, judged))
    found = carried(session, "new-1")
    assert found is not None
    assert found[0] == wanted


def test_the_newest_verdict_of_a_slice_is_its_own(opened: Callable[..., Session]) -> None:
    """By the time it was judged, whatever their order; of one moment the first by name; it is what is carried."""
    said = [("B", 3, "unclear"), ("C", 4, "label error"), ("D", 4, "confirmed"), ("A", 2, "artefact")]
    verdicts = [{"slice_id": "old-1", "judged_by": who, "judged_at": day(on), "verdict": v} for who, on, v in said]
    audits = {"old": (1, {"old-1": SAMPLES[:4]}), "new": (2, {"new-1": SAMPLES[:4]})}
    session = opened(**tables_of(audits, verdicts))
    rows = session.query("SELECT slice_id, verdict, judged_by FROM verdicts ORDER BY slice_id").to_pylist()
    assert [tuple(row.values()) for row in rows] == [("new-1", "label error", "C"), ("old-1", "label error", "C")]


def test_nothing_is_carried_back_or_to_another_kind_of_error(opened: Callable[..., Session]) -> None:
    """A verdict goes to later audits alone, and not to another kind of error."""
    audits = {"old": (1, {"old-1": SAMPLES[:4]}), "new": (2, {"new-1": SAMPLES[:4]})}
    session = opened(**tables_of(audits, [{"slice_id": "new-1"}]))
    assert carried(session, "old-1") is None
    other = tables_of(audits, [{"slice_id": "old-1"}])
    other["slices"] = [row | {"error_kind": row["slice_id"]} for row in other["slices"]]
    assert carried(opened(**other), "new-1") is None
