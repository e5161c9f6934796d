"""Multi-class questions: a task's targets are its classes, and the highest score is the prediction."""

from pathlib import Path

import numpy as np

import misread as mr
from stores import write_store

CLASSES = ("none", "mild", "severe")


def test_a_class_misread_as_another_is_found_on_both_sides(tmp_path: Path) -> None:
    """A group of one class read as the next is missed as the one and falsely called the other."""
    rng = np.random.default_rng(0)
    samples = 900
    vectors = rng.standard_normal((samples, 8))
    group = rng.random(samples) < 0.25
    vectors[group, 0] += 4
    images, predictions = [], []
    for i in range(samples):
        label = int(rng.integers(3))
        wrong = rng.random() < (0.7 if group[i] and label == 1 else 0.1)
        predicted = (label + 1) % 3 if wrong else label
        images.append({"sample_id": f"s{i:04d}", "patient_id": f"p{i}"})
        predictions += [
            {
                "sample_id": f"s{i:04d}",
                "model": "m",
                "task": "grade",
                "target": target,
                "label": int(label == k),
                "score": 0.6 if predicted == k else 0.2,
            }
            for k, target in enumerate(CLASSES)
        ]
    by_sample = {f"s{i:04d}": vectors[i] for i in range(samples)}
    store = write_store(tmp_path / "store", images, predictions, vectors=by_sample)
    store.scan().fuse(modalities=["image"]).discover(permutations=19, threshold=0.25).sink()
    opened = mr.open(store.location)
    assert set(opened.sql("SELECT threshold_source FROM audit_targets")["threshold_source"]) == {"argmax"}
    notes = opened.sql("SELECT note FROM audit_targets")["note"].fill_null("")
    assert all("the threshold 0.25 was not used" in note for note in notes)
    confirmed = set(opened.sql("SELECT target, error_kind FROM slices WHERE confirmed").rows())
    assert {("mild", "false negative"), ("severe", "false positive")} <= confirmed
    one = opened.sql("SELECT sum(predicted) AS n FROM predictions GROUP BY sample_id")["n"]
    assert set(one) == {1}
