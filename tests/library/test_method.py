"""What an audit of a made-up store is answered, held against what the same method answered before.

PYTHONPATH=tests python tests/library/test_method.py    # once METHOD was raised: writes what is answered now
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from polars.testing import assert_frame_equal

import misread as mr
from misread.execute.identity import METHOD
from stores import planted_store

ANSWERS = Path(__file__).with_name("answers.json")
ASKED = {
    "slices": "SELECT * EXCLUDE (audit_id) FROM slices ORDER BY slice_id",
    "audit_targets": "SELECT * EXCLUDE (audit_id) FROM audit_targets ORDER BY model, target",
    "phrases": "SELECT * EXCLUDE (audit_id) FROM phrases ORDER BY slice_id, rank",
    "contrast_words": "SELECT * EXCLUDE (audit_id) FROM contrast_words ORDER BY slice_id, rank",
    "examples": "SELECT * EXCLUDE (audit_id) FROM examples ORDER BY slice_id, kind, rank",
    "memberships": """SELECT slice_id, half, count(*) AS rows, avg(score) AS mean_score,
                             string_agg(sample_id, ' ' ORDER BY rank) AS samples
                      FROM memberships GROUP BY ALL ORDER BY ALL""",
    "subgroups": "FROM subgroups(NULL, NULL)",
}


def answers(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Every table of an audit whose patients have two images each, slices by their number alone."""
    store = planted_store(folder / "store", samples=600, per_patient=2, targets=("A", "B"))
    store.scan().discover(permutations=19, stability=2).describe().sink()
    opened = mr.open(store.location)
    told = {name: opened.sql(question).to_dicts() for name, question in ASKED.items()}
    for row in (row for rows in told.values() for row in rows if "slice_id" in row):
        row["slice_id"] = row["slice_id"].partition("-")[2]
    return told


def test_a_method_answers_as_it_did(tmp_path: Path) -> None:
    """An answer that differs is another method's: then METHOD rises, lest an audit made before be handed out for it."""
    known = json.loads(ANSWERS.read_text())
    assert known["method"] == METHOD, "METHOD was raised: record what it answers (see this module's first lines)"
    told = json.loads(json.dumps(answers(tmp_path)))
    assert told.keys() == known["answers"].keys()
    for name, rows in told.items():
        before = pl.DataFrame(known["answers"][name], infer_schema_length=None)
        assert_frame_equal(pl.DataFrame(rows, infer_schema_length=None), before, rel_tol=1e-6, abs_tol=1e-9)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        ANSWERS.write_text(json.dumps({"method": METHOD, "answers": answers(Path(place))}, indent=1) + "\n")
    sys.stdout.write(f"{ANSWERS}: method {METHOD}\n")
