"""What counts as predicted, and as an error."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.sql import Session

Row = dict[str, Any]
SCORES = st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])


def judged(session: Session) -> list[Row]:
    rows: list[Row] = session.query("SELECT * FROM predictions ORDER BY sample_id, model, task, target").to_pylist()
    return rows


def row(sample: str, score: float | None, label: int | None, threshold: float | None = None, **more: object) -> Row:
    plain = {"sample_id": sample, "model": "m", "target": "t", "score": score, "label": label}
    return plain | {"threshold": threshold} | more


def test_wrong_and_how(opened: Callable[..., Session]) -> None:
    """A score at the threshold is positive; a missed positive is a false negative, no label no error."""
    rows = [row("a", 0.5, 1, 0.5), row("b", 0.4, 1, 0.5), row("c", 0.6, 0, 0.5), row("d", 0.6, None, 0.5)]
    answer = [(r["predicted"], r["error"], r["error_kind"]) for r in judged(opened(predictions=rows))]
    assert answer == [
        (1, False, None),
        (0, True, "false negative"),
        (1, True, "false positive"),
        (1, None, None),
    ]


def test_a_threshold_given_once_holds_for_all_rows_of_its_model_and_target(
    opened: Callable[..., Session],
) -> None:
    """Rows without the threshold take the one given elsewhere for the same model and target, and no other."""
    rows = [row("a", 0.3, 1, 0.2), row("b", 0.3, 1), row("c", 0.3, 1, model="other")]
    assert [r["threshold"] for r in judged(opened(predictions=rows))] == [0.2, 0.2, None]


def audits(*thresholds: tuple[str, int, float | None]) -> dict[str, list[Row]]:
    """(audit, day, threshold of model m and target t) as tables."""
    return {
        "audits": [{"audit_id": a, "created_at": datetime(2026, 1, day, tzinfo=UTC)} for a, day, _ in thresholds],
        "audit_targets": [{"audit_id": a, "model": "m", "target": "t", "threshold": x} for a, _, x in thresholds],
    }


def test_without_a_given_threshold_the_newest_audit_decides(opened: Callable[..., Session]) -> None:
    """The newest audit of the model and target gives the threshold; of one moment, the last by its id."""
    made = audits(("z", 1, 0.9), ("b", 2, 0.6), ("a", 2, 0.1), ("c", 3, None))
    assert [r["threshold"] for r in judged(opened(predictions=[row("a", 0.5, 1)], **made))] == [0.6]
    given_one = opened(predictions=[row("a", 0.5, 1, 0.4)], **made)
    assert [r["threshold"] for r in judged(given_one)] == [0.4]


def test_without_any_threshold_nothing_is_predicted(opened: Callable[..., Session]) -> None:
    """Where no threshold is known, predicted, error and error_kind are NULL."""
    (only,) = judged(opened(predictions=[row("a", 0.5, 1)]))
    assert only["predicted"] is only["error"] is only["error_kind"] is only["threshold"] is None


def test_a_task_has_one_predicted_class(opened: Callable[..., Session]) -> None:
    """Of a task's targets the highest score is predicted, of equals the first by name; thresholds do not."""
    scores = {"B": 0.4, "a": 0.4, "c": 0.2}
    rows = [row("a", s, int(t == "a"), 0.9, target=t, task="finding") for t, s in scores.items()]
    answer = {r["target"]: (r["predicted"], r["threshold"], r["error_kind"]) for r in judged(opened(predictions=rows))}
    assert answer == {
        "B": (1, None, "false positive"),
        "a": (0, None, "false negative"),
        "c": (0, None, None),
    }


def test_a_class_without_a_score_is_not_predicted(opened: Callable[..., Session]) -> None:
    """Rows of a task that bring a loss alone are neither right nor wrong, and take no other's place."""
    scores = {"a": None, "b": 0.2, "c": None}
    rows = [row("a", s, int(t == "a"), target=t, task="finding") for t, s in scores.items()]
    assert {r["target"]: (r["predicted"], r["error"]) for r in judged(opened(predictions=rows))} == {
        "a": (None, None),
        "b": (1, True),
        "c": (None, None),
    }


predicted_rows = st.lists(
    st.builds(
        row,
        sample=st.sampled_from("abc"),
        score=SCORES,
        label=st.sampled_from([0, 1, None]),
        model=st.sampled_from("mn"),
        target=st.sampled_from("tu"),
        task=st.sampled_from([None, "task"]),
    ),
    max_size=12,
    unique_by=lambda r: (r["sample_id"], r["model"], r["target"]),
)
given_thresholds = st.dictionaries(st.tuples(st.sampled_from("mn"), st.sampled_from("tu")), SCORES)


def expected(rows: list[Row], thresholds: dict[tuple[str, str], float]) -> list[Row]:
    """The rules, row by row."""
    answer = []
    for r in rows:
        rivals = [o for o in rows if all(o[k] == r[k] for k in ("sample_id", "model", "task"))]
        best = min(rivals, key=lambda o: (-o["score"], o["target"]))
        threshold = None if r["task"] else thresholds.get((r["model"], r["target"]))
        predicted = int(best is r) if r["task"] else None if threshold is None else int(r["score"] >= threshold)
        error = None if predicted is None or r["label"] is None else predicted != r["label"]
        kind = ("false negative" if r["label"] else "false positive") if error else None
        answer.append(r | {"threshold": threshold, "predicted": predicted, "error": error, "error_kind": kind})
    return answer


@pytest.mark.slow
@settings(max_examples=25)
@given(rows=predicted_rows, thresholds=given_thresholds)
def test_the_view_follows_the_rules(
    rows: list[Row], thresholds: dict[tuple[str, str], float], open_over: Callable[..., Session]
) -> None:
    """For any predictions and thresholds the view says what the rules say, one row in, one row out."""
    targets = [{"audit_id": "x", "model": m, "target": t, "threshold": v} for (m, t), v in thresholds.items()]
    with open_over({"predictions": rows, "audits": [{"audit_id": "x"}], "audit_targets": targets}) as session:
        seen = judged(session)
    order = sorted(
        expected(rows, thresholds), key=lambda r: (r["sample_id"], r["model"], r["task"] or "~", r["target"])
    )
    assert seen == [r | {"loss": None} for r in order]


def test_reasons_for_leaving_rows_out_are_rows(opened: Callable[..., Session]) -> None:
    """left_out has one row a reason; an audit that left nothing out has none."""
    gone = [{"reason": "no label", "rows": 3}, {"reason": "split is train", "rows": 5}]
    targets = [
        {"audit_id": "x", "model": "m", "target": "t", "left_out": gone},
        {"audit_id": "y", "model": "m", "target": "t", "left_out": []},
        {"audit_id": "z", "model": "m", "target": "t", "left_out": None},
    ]
    answer = opened(audit_targets=targets).query("SELECT audit_id, reason, rows FROM left_out ORDER BY rows")
    assert [tuple(r.values()) for r in answer.to_pylist()] == [
        ("x", "no label", 3),
        ("x", "split is train", 5),
    ]
