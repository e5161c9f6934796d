"""The list of the most confidently wrong rows."""

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads

from misread.schemas.tables import AUDITED, CHECKSUM
from misread.sql import Session


def test_errors_are_ranked_by_the_score_of_the_class_wrongly_predicted() -> None:
    """Only errors, within model, target and true class; ties by sample id; nothing for an audit without errors."""
    rng = np.random.default_rng(0)
    rows = []
    for i in range(200):
        label, score = int(rng.integers(2)), round(float(rng.random()), 1)
        predicted = int(score >= 0.5)
        rows.append(
            {
                "audit_id": "a",
                "model": f"m{i % 2}",
                "target": "t",
                "sample_id": f"s{i:03d}",
                "label": label,
                "score": score,
                "threshold": 0.5,
                "predicted": predicted,
                "error": predicted != label,
            }
        )
    schema = pa.schema([field for field in AUDITED.fields if field.name != CHECKSUM])
    with Session({"audited": pads.dataset(pa.Table.from_pylist(rows, schema=schema))}) as session:
        found = session.query("SELECT * FROM confident_errors").to_pylist()
    assert len(found) == sum(bool(row["error"]) for row in rows)
    for model in ("m0", "m1"):
        for label in (0, 1):
            wrong = [r for r in rows if r["model"] == model and r["label"] == label and r["error"]]
            wrong.sort(key=lambda r: ((r["score"] if label else -r["score"]), r["sample_id"]))
            listed = sorted(
                (r for r in found if r["model"] == model and r["true_class"] == label), key=lambda r: r["rank"]
            )
            assert [r["sample_id"] for r in listed] == [r["sample_id"] for r in wrong]
            assert [r["rank"] for r in listed] == list(range(1, len(wrong) + 1))
