"""slice_size, error_rate and nearest_phrase."""

import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from misread.schemas.values import SIGNIFICANCE
from misread.sql import Session, catalogue, question

CONTEXTS = {
    "beside columns": "SELECT slice_id, slice_size(slice_id) AS n FROM slices",
    "by alias": "SELECT s.slice_id, slice_size(s.slice_id) AS n FROM slices AS s",
    "under a WITH of the view's name": "WITH slices AS (SELECT slice_id FROM slices) "
    "SELECT slice_id, slice_size(slice_id) AS n FROM slices",
    "in WHERE": "SELECT slice_id, confirmation_rows AS n FROM slices WHERE slice_size(slice_id) >= 0",
    "in GROUP BY": "SELECT slice_id, any_value(slice_size(slice_id)) AS n FROM slices GROUP BY slice_id",
    "in HAVING": "SELECT slice_id, sum(confirmation_rows) AS n FROM slices GROUP BY ALL "
    "HAVING slice_size(slice_id) >= 0",
    "in ON": "SELECT a.slice_id, b.confirmation_rows AS n FROM slices a JOIN slices b "
    "ON a.slice_id = b.slice_id AND slice_size(a.slice_id) = slice_size(b.slice_id)",
    "over a column of another name": "SELECT other AS slice_id, slice_size(other) AS n "
    "FROM (SELECT slice_id AS other FROM slices)",
    "over a literal": "SELECT 'x-1' AS slice_id, slice_size('x-1') AS n UNION ALL SELECT 'x-2', slice_size('x-2')",
}


@pytest.mark.parametrize("asked", CONTEXTS.values(), ids=list(CONTEXTS))
def test_the_functions_work_wherever_an_expression_does(session: Session, asked: str) -> None:
    """A slice's size is its own, whatever the tables and columns around the call are called."""
    answer = {row["slice_id"]: row["n"] for row in session.query(asked).to_pylist()}
    assert answer == {"x-1": 10, "x-2": 0}


def test_one_number_says_what_is_significant(monkeypatch: pytest.MonkeyPatch) -> None:
    """The level of SQL's tests is that of Python's, and no view, function or question writes another."""
    for level in (SIGNIFICANCE, 0.01):
        monkeypatch.setattr("misread.sql.session.SIGNIFICANCE", level)
        with Session({}) as one:
            asked = "SELECT [is_significant(q::DOUBLE) FOR q IN [$level::DOUBLE, $level::DOUBLE + 1e-9, NULL]] AS told"
            assert one.query(asked, {"level": level})["told"][0].as_py() == [True, False, False]
    assert not [entry.name for entry in catalogue() if re.search(r"[<>]=? *0?\.05", re.sub("--.*", "", entry.text))]


def test_the_auditors_question(session: Session) -> None:
    """The question that the issue shows: slices with size, error rate and nearest phrase, the worst first."""
    asked = (
        "SELECT slice_id, slice_size(slice_id), error_rate(slice_id), nearest_phrase(slice_id) "
        "FROM slices ORDER BY 3 DESC NULLS LAST"
    )
    rows = [tuple(row.values()) for row in session.query(asked).to_pylist()]
    assert rows == [("x-1", 10, 0.5, "drain"), ("x-2", 0, None, None)]


def test_an_unknown_slice_has_no_size_rate_or_phrase(session: Session) -> None:
    """For an id that does not exist, or NULL, or of another type, each function is NULL."""
    for given in ("'nope'", "NULL", "7"):
        asked = f"SELECT slice_size({given}) AS a, error_rate({given}) AS b, nearest_phrase({given}) AS c"
        assert session.query(asked).to_pylist() == [{"a": None, "b": None, "c": None}]


def test_the_nearest_phrase_is_one_that_is_borne_out_if_there_is_any(opened: Callable[..., Session]) -> None:
    """Phrases of a q-value of at most 0.05 come before the others, each part by rank; the listing of slices agrees."""
    told = [("a", 1, None), ("a", 2, 0.0501), ("a", 3, 0.05), ("a", 4, 0.001), ("b", 2, 0.3), ("b", 1, 0.9)]
    phrases = [{"slice_id": s, "rank": rank, "phrase": f"{s}{rank}", "q_value": q} for s, rank, q in told]
    slices = [{"audit_id": "x", "slice_id": one, "confirmation_rows": 10} for one in "ab"]
    session = opened(phrases=phrases, slices=slices, audits=[{"audit_id": "x"}])
    asked = "SELECT nearest_phrase(s) AS first, nearest_phrases(s, 3) AS three FROM (VALUES ('a'), ('b')) AS t(s)"
    assert [tuple(row.values()) for row in session.query(asked).to_pylist()] == [
        ("a3", ["a3", "a4", "a1"]),
        ("b1", ["b1", "b2"]),
    ]
    listed = session.query(question("slices_found"), {"audit_ids": ["x"]}).to_pylist()
    found = {row["nearest_phrase"]: (row["borne_out"], row["phrase_q_value"]) for row in listed}
    assert found == {"a3": (True, 0.05), "b1": (False, 0.9)}
    for text in ("x", "[x, y]"):
        assert session.query(question("slices_found"), {"audit_ids": text}).to_pylist() == listed


def test_slices_are_found_by_the_name_of_an_audit_the_confirmed_first(opened: Callable[..., Session]) -> None:
    """Who reads from the top reads what is sure, and of that the most wrong, whatever the model and target."""
    told = [
        ("a", "m", False, 0.2, 0.9),
        ("b", "n", True, 0.01, 0.3),
        ("c", "n", True, 0.01, 0.6),
        ("d", "z", True, 0.001, 0.2),
    ]
    names = ("slice_id", "model", "confirmed", "q_value", "error_rate")
    counts = {"audit_id": "x", "confirmation_rows": 90, "confirmation_patients": 90, "baseline_patients": 90}
    slices = [counts | dict(zip(names, row, strict=True)) for row in told]
    session = opened(slices=slices, audits=[{"audit_id": "x", "name": "spring"}, {"audit_id": "y", "name": None}])
    for text in ("x", "spring", "[y, spring]"):
        listed = session.query(question("slices_found"), {"audit_ids": text})
        assert listed["slice_id"].to_pylist() == ["d", "c", "b", "a"]
    assert not session.query(question("slices_found"), {"audit_ids": "y"}).num_rows


def test_without_any_slice_everything_is_null(opened: Callable[..., Session]) -> None:
    """On a store without audits the functions are NULL, not an error."""
    answer = opened().query("SELECT slice_size('a') AS a, error_rate('a') AS b, nearest_phrase('a') AS c")
    assert answer.to_pylist() == [{"a": None, "b": None, "c": None}]


def generated(seed: int) -> dict[str, list[dict[str, Any]]]:
    """Two audits of random rows, with slices whose numbers are counted here, row by row."""
    random = np.random.default_rng(seed)
    tables: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for audit in ("u", "v"):
        for sample in range(60):
            half = "confirmation" if random.random() < 0.5 else "discovery"
            for target in ("s", "t"):
                label, predicted = (int(bit) for bit in random.integers(0, 2, 2))
                row = {
                    "audit_id": audit,
                    "model": "m",
                    "target": target,
                    "sample_id": f"{sample}",
                    "half": half,
                }
                tables["audited"].append(row | {"label": label, "predicted": predicted, "error": label != predicted})
        for number, target in enumerate(("s", "t", "t")):
            taken = {f"{sample}" for sample in random.choice(60, random.integers(0, 30), replace=False)}
            add_slice(tables, audit, f"{audit}-{number}", target, int(random.integers(0, 2)), taken)
    return tables


def add_slice(
    tables: dict[str, list[dict[str, Any]]],
    audit: str,
    name: str,
    target: str,
    true_class: int,
    taken: set[str],
) -> None:
    rows = [
        row
        for row in tables["audited"]
        if row["audit_id"] == audit and row["target"] == target and row["sample_id"] in taken
    ]
    counted = [row for row in rows if row["half"] == "confirmation" and row["label"] == true_class]
    wrong = sum(row["error"] for row in counted)
    of_audit = {"audit_id": audit, "slice_id": name}
    tables["slices"].append(
        of_audit
        | {"model": "m", "target": target, "true_class": true_class}
        | {"confirmation_rows": len(counted), "error_rate": wrong / len(counted) if counted else None}
    )
    tables["memberships"] += [of_audit | {"sample_id": row["sample_id"], "half": row["half"]} for row in rows]


@pytest.mark.parametrize("seed", range(5))
def test_stored_numbers_are_those_counted_from_memberships(seed: int, opened: Callable[..., Session]) -> None:
    """slice_size and error_rate equal the count over memberships joined with audited, slice by slice."""
    asked = """
        SELECT s.slice_id, slice_size(s.slice_id) AS size, error_rate(s.slice_id) AS rate,
               count(a.sample_id) AS counted, avg(a.error::INT) AS share
        FROM slices AS s
        LEFT JOIN memberships AS m ON m.slice_id = s.slice_id AND m.half = 'confirmation'
        LEFT JOIN audited AS a ON a.audit_id = s.audit_id AND a.model = s.model AND a.target = s.target
            AND a.label = s.true_class AND a.sample_id = m.sample_id
        GROUP BY s.slice_id
    """
    answer = opened(**generated(seed)).query(asked).to_pylist()
    assert len(answer) == 6
    for row in answer:
        assert row["size"] == row["counted"]
        assert row["rate"] == pytest.approx(row["share"]) if row["counted"] else row["rate"] is None
