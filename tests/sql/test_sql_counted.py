"""Views and questions over several models, targets and audits at once, counted again row by row."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from audited_rows import Row, Tables, audited_tables, opened_over

from misread.sql import Session, question


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Made-up rows, with a model that is called as a target, slices without phrases, and three models compared."""
    rng = np.random.default_rng(3)
    tables = audited_tables()
    renamed = [row | {"model": "t", "loss": None} for row in tables["predictions"] if row["model"] == "n"]
    tables["predictions"] += [row for row in renamed if row["target"] == "t" and rng.random() < 0.7]
    for row in tables["slices"]:
        row |= {
            "error_kind": "false negative" if row["true_class"] else "false positive",
            "confirmation_errors": int(rng.integers(1, 9)),
            "baseline_patients": int(rng.integers(8, 90)),
            "error_rate": float(rng.random()),
            "lift": float(rng.random()),
        }
        tables["phrases"] += [
            {
                "audit_id": row["audit_id"],
                "slice_id": row["slice_id"],
                "rank": rank,
                "phrase": f"{row['slice_id']} {rank}",
                "q_value": (0.2, 0.01, None, 0.02)[(rank + len(tables["phrases"])) % 4],
            }
            for rank in range(1, int(rng.integers(1, 5)))
        ]
    tables["comparisons"] = [
        {
            "audit_id": row["audit_id"],
            "slice_id": row["slice_id"],
            "model": model,
            "rows": int(rng.integers(90)),
            "misread": bool(rng.random() < 0.5),
        }
        for row in tables["slices"]
        for model in ("t", "m", "n")
    ]
    return tables


@pytest.fixture(scope="module", params=[True, False])
def session(tables: Tables, request: pytest.FixtureRequest) -> Iterator[Session]:
    with opened_over(tables, allow_small_cells=request.param) as opened:
        yield opened


def asked(session: Session, text: str, parameters: dict[str, Any] | None = None) -> list[Row]:
    rows: list[Row] = session.query(text, parameters).to_pylist()
    return rows


def test_the_most_confidently_wrong_of_every_audit(session: Session, tables: Tables) -> None:
    """Ranked within audit, model, target and class: two audits of the same rows are two lists."""
    lists: dict[tuple[Any, ...], list[tuple[float, str]]] = defaultdict(list)
    for row in tables["audited"]:
        if row["error"]:
            confidence = 1 - row["score"] if row["label"] else row["score"]
            list_of = lists[row["audit_id"], row["model"], row["target"], row["label"]]
            list_of.append((-confidence, row["sample_id"]))
    wanted = [(*of, rank, sample) for of, one in lists.items() for rank, (_, sample) in enumerate(sorted(one), 1)]
    columns = ("audit_id", "model", "target", "true_class", "rank", "sample_id")
    told = [tuple(row[name] for name in columns) for row in asked(session, "FROM confident_errors")]
    assert {of[:3] for of in wanted} == {("old", "m", "s"), ("old", "m", "t"), ("new", "m", "t")}
    assert sorted(told) == sorted(wanted)


def test_predictions_of_every_model_and_target(session: Session, tables: Tables) -> None:
    """A row each, whatever is called alike; nothing here is of few patients."""
    of: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables["predictions"]:
        of[row["model"], row["target"]].append(row)
    wanted = [
        (*pair, len(rows), sum(r["label"] is not None for r in rows), sum(r["label"] == 1 for r in rows))
        for pair, rows in sorted(of.items())
    ]
    columns = ("model", "target", "predictions", "labelled", "positive")
    told = asked(session, question("models_and_targets"))
    assert [tuple(row[name] for name in columns) for row in told] == wanted
    assert len(wanted) == 5


def test_audits_and_the_slices_found_by_each(session: Session, tables: Tables) -> None:
    """Audits newest first; a row a slice of those asked for, with the first of its phrases that is borne out, or the
    first, and no number where few patients are inside or outside."""
    assert [row["audit_id"] for row in asked(session, question("audits_made"))] == ["new", "old"]
    for audits in (["old"], ["new", "old", "none"]):
        wanted = {row["slice_id"]: row for row in tables["slices"] if row["audit_id"] in audits}
        rows = asked(session, question("slices_found"), {"audit_ids": audits})
        told = {row["slice_id"]: row for row in rows}
        assert len(rows) == len(wanted)
        assert told.keys() == wanted.keys()
        for name, row in wanted.items():
            few = not session.limits.allow_small_cells and row["baseline_patients"] < 11
            numbers = ("rows", "confirmation_rows"), ("errors", "confirmation_errors"), ("lift", "lift")
            assert [told[name][shown] for shown, _ in numbers] == [None if few else row[own] for _, own in numbers]
            phrases = [one for one in tables["phrases"] if one["slice_id"] == name]
            phrases.sort(key=lambda one: (one["q_value"] is None or one["q_value"] > 0.05, one["rank"]))
            first = [(one["phrase"], one["q_value"]) for one in phrases[:1]] or [(None, None)]
            assert [(told[name]["nearest_phrase"], told[name]["phrase_q_value"])] == first


def test_who_misreads_each_slice(session: Session, tables: Tables) -> None:
    """A row a slice and model, with all models that misread this slice, and no other slice's."""
    slices = {row["slice_id"]: row for row in tables["slices"]}
    readers: dict[str, list[str]] = defaultdict(list)
    for row in tables["comparisons"]:
        if row["misread"]:
            readers[row["slice_id"]].append(row["model"])
    wanted = [
        (
            row["slice_id"],
            row["model"],
            row["rows"],
            slices[row["slice_id"]]["target"],
            sorted(readers[row["slice_id"]]),
        )
        for row in tables["comparisons"]
    ]
    columns = ("slice_id", "model", "rows", "target", "misread_by")
    told = [tuple(row[name] or [] for name in columns) for row in asked(session, "FROM model_differences")]
    assert sorted(map(str, told)) == sorted(str(tuple(part or [] for part in row)) for row in wanted)
    assert len(asked(session, "FROM comparisons")) == len(wanted) == 36
