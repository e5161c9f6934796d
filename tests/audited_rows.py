"""Made-up rows of two audits, for tests of what SQL says of them."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from misread.ask import backing_of_columns
from misread.sql import Limits, Session
from stores import dataset

if TYPE_CHECKING:
    pass

Row = dict[str, Any]
Tables = dict[str, list[Row]]


def audited_tables(seed: int = 0, samples: int = 400) -> Tables:
    """Two models and targets, an older and a newer audit with two slices of each class; patients repeat."""
    rng = np.random.default_rng(seed)
    tables: Tables = {name: [] for name in ("images", "predictions", "audits", "audit_targets", "audited", "slices")}
    tables |= {"memberships": [], "phrases": []}
    for i in range(samples):
        tables["images"].append(
            {
                "sample_id": f"s{i:03d}",
                "patient_id": f"p{i // 2}" if i % 5 else None,
                "split": "train" if i % 10 == 0 else None,
                "sex": ("F", "M", None)[int(rng.integers(3))],
                "age": float(rng.integers(20, 90)) if rng.random() < 0.9 else None,
                "beds": int(rng.integers(3)),
                "label": "noise",
            }
        )
    for model in ("m", "n"):
        for target in ("s", "t"):
            for i in range(samples):
                label = None if i % 50 == 7 else int(rng.integers(2))
                row = {"sample_id": f"s{i:03d}", "model": model, "target": target, "label": label}
                tables["predictions"].append(row | {"score": float(rng.random()), "threshold": 0.5})
    for number, audit in enumerate(("old", "new")):
        made = datetime(2026, 1, number + 1, tzinfo=UTC)
        tables["audits"].append({"audit_id": audit, "created_at": made})
        for target in ("s", "t") if audit == "old" else ("t",):
            add_audit(tables, rng, audit, target)
    return tables


def add_audit(tables: Tables, rng: np.random.Generator, audit: str, target: str) -> None:
    tables["audit_targets"].append({"audit_id": audit, "model": "m", "target": target, "threshold": 0.5})
    judged = [
        p | {"audit_id": audit, "half": "confirmation" if rng.random() < 0.6 else "discovery"}
        for p in tables["predictions"]
        if (p["model"], p["target"]) == ("m", target) and p["label"] is not None
    ]
    for row in judged:
        row["predicted"] = int(row["score"] >= 0.5)
        row["error"] = row["predicted"] != row["label"]
    tables["audited"] += judged
    for number in range(4):
        name = f"{audit}-{target}-{number}"
        taken = [row for row in judged if rng.random() < 0.4]
        inside = [r for r in taken if r["half"] == "confirmation" and r["label"] == number % 2]
        patients = {patient_of(tables, r["sample_id"]) for r in inside}
        tables["slices"].append(
            {
                "audit_id": audit,
                "slice_id": name,
                "model": "m",
                "target": target,
                "true_class": number % 2,
                "confirmed": number >= 2,
                "q_value": 0.01 * number,
                "confirmation_rows": len(inside),
                "confirmation_patients": len(patients),
            }
        )
        tables["memberships"] += [
            {"audit_id": audit, "slice_id": name, "sample_id": r["sample_id"], "half": r["half"]} for r in taken
        ]


def image_of(tables: Tables, sample: str) -> Row:
    return tables["images"][int(sample[1:])]


def patient_of(tables: Tables, sample: str) -> str:
    return image_of(tables, sample)["patient_id"] or sample


def opened_over(tables: Tables, **limits: Any) -> Session:
    datasets = {name: dataset(name, rows) for name, rows in tables.items()}
    return Session(datasets, backed=backing_of_columns(), limits=Limits(**limits))


def rows_of(tables: Tables, question: str, **limits: Any) -> list[Row]:
    with opened_over(tables, **limits) as session:
        rows: list[Row] = session.query(question).to_pylist()
        return rows


def members(tables: Tables, row: Row) -> list[Row]:
    """The confirmation rows of a slice's class that it takes."""
    taken = {m["sample_id"] for m in tables["memberships"] if m["slice_id"] == row["slice_id"]}
    return [r for r in judged_of(tables, row) if r["sample_id"] in taken]


def judged_of(tables: Tables, row: Row) -> list[Row]:
    return [
        r
        for r in tables["audited"]
        if (r["audit_id"], r["model"], r["target"]) == (row["audit_id"], row["model"], row["target"])
        and (r["half"], r["label"]) == ("confirmation", row["true_class"])
    ]
