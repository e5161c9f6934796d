"""Input that holds nothing to find: an empty answer with its reason or a clear error, never a made-up slice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import misread as mr
from misread.schemas.errors import AuditError
from tests.stores import write_store

N = 240


def rows(patient_of: Any = lambda i: f"p{i}") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Images and predictions in which 30 % are wrong at random."""
    rng = np.random.default_rng(0)
    images = [{"sample_id": f"s{i:03d}", "patient_id": patient_of(i)} for i in range(N)]
    predictions = []
    for i in range(N):
        label = int(rng.random() < 0.5)
        wrong = rng.random() < 0.3
        score = 0.5 + 0.4 * rng.random() if (label == 1) != wrong else 0.5 - 0.4 * rng.random() - 1e-6
        about = {"sample_id": f"s{i:03d}", "model": "m", "target": "t", "threshold": 0.5}
        predictions.append({**about, "label": label, "score": score})
    return images, predictions


def vectors(kind: str) -> dict[str, list[float]]:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((N, 6))
    if kind == "two points":
        values = np.where(np.arange(N)[:, None] % 2 == 0, values[0], values[1])
    elif kind == "copies":
        values = np.repeat(values[: N // 4], 4, axis=0)
    elif kind == "one number":
        values = values[:, :1]
    return {f"s{i:03d}": row.tolist() for i, row in enumerate(values)}


@pytest.mark.parametrize("kind", ["blob", "two points", "copies", "one number"])
@pytest.mark.parametrize("patients", ["own", "few", "one"])
def test_random_errors_give_no_confirmed_slice(tmp_path: Path, kind: str, patients: str) -> None:
    """Whatever the vectors and patients are like, nothing is confirmed; an empty audit is kept with its reason."""
    of = {"own": lambda i: f"p{i}", "few": lambda i: f"p{i % 6}", "one": lambda i: "p"}[patients]
    images, predictions = rows(of)
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors(kind))
    audit_id = store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    opened = mr.open(store.location)
    assert opened.sql("SELECT count(*) FROM slices WHERE confirmed").item() == 0
    if not opened.sql("SELECT count(*) FROM slices").item():
        assert opened.sql(f"SELECT len(notes) FROM audits WHERE audit_id = '{audit_id}'").item() >= 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    """One NaN or infinity among the vectors is a clear error that says what to do."""
    images, predictions = rows()
    given = vectors("blob")
    given["s007"][2] = value
    store = write_store(tmp_path / "store", images, predictions, vectors=given)
    with pytest.raises(AuditError, match="NaN or infinity"):
        store.scan().fuse(modalities=["image"]).discover(permutations=0).collect()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["longer", "the same"])
def test_vectors_that_drown_all_others_are_told(tmp_path: Path, kind: str) -> None:
    """Damaged vectors, one or several, take all variance, and nothing is found: the audit says so, and of sound vectors
    nothing."""
    images, predictions = rows()
    notes = []
    for number, (count, times) in enumerate(((0, 1.0), (1, 1e4), (12, 1e4), (12, 1e30))):
        sound = vectors("blob")
        names = sorted(sound)[1 : 1 + count]
        damaged = sound | {s: [times * value for value in sound[s if kind == "longer" else "s001"]] for s in names}
        store = write_store(tmp_path / str(number), images, predictions, vectors=damaged)
        store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
        (told,) = mr.open(store.location).sql("SELECT notes FROM audits")["notes"].to_list()
        notes.append([note for note in told if note.startswith("a few image vectors of the discovery half")])
    assert [len(told) for told in notes] == [0, 1, 1, 1]


def test_a_modality_that_nobody_has_is_told(tmp_path: Path) -> None:
    """Vectors for none of the samples asked about: no sample is left, and the reason is counted."""
    images, predictions = rows()
    images = [*images, {"sample_id": "other", "patient_id": "q"}]
    store = write_store(tmp_path / "store", images, predictions, vectors={"other": [1.0, 2.0]})
    with pytest.raises(AuditError, match="no sample is left to audit") as told:
        store.scan().filter("sample_id <> 'other'").fuse(modalities=["image"]).discover().collect()
    assert f"{N} rows (no vector in any chosen modality)" in str(told.value)


def test_an_audit_that_could_judge_nothing_says_why_and_is_asked_like_any(tmp_path: Path) -> None:
    """Without a label no threshold would help; its slices are none, and so is how they moved."""
    images, predictions = rows()
    unlabelled = [row | {"label": None} for row in predictions]
    store = write_store(tmp_path / "store", images, unlabelled, vectors=vectors("blob"))
    audit_id = store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    opened = mr.open(store.location)
    (note,) = opened.sql("SELECT note FROM audit_targets")["note"]
    assert note.startswith("no row has a score and a label")
    assert set(opened.assign(audit_id)["slice_id"]) == {"none"}
    assert opened.moved(audit_id, "sample_id < 's100'").is_empty()
