"""Rejected rows under a key hold no id as it was; mended, they complete the store; a deletion removes them too."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest.ingest_inputs import Inputs, fingerprints

from misread.care import delete_patient
from misread.ingest import Sources, ingest
from misread.ingest.pseudonyms import DIGITS, IDS, Pseudonyms
from misread.store import TableStore

KEYED = Pseudonyms(b"0123456789abcdef")
PATIENT = "mrn-4711"
SAMPLES = ("film-a", "film-b")


@pytest.fixture
def named(inputs: Inputs) -> Inputs:
    """The valid input, a patient's ids such that nothing else holds them, and columns that tell them again."""
    for at, sample in enumerate(SAMPLES):
        for kind in ("metadata", "reports", "predictions"):
            for row in inputs.tables[kind]:
                row[0] = sample if row[0] == "ab"[at] else row[0]
        inputs.embeddings[at]["sample_id"] = sample
        inputs.cell("metadata", at + 2, "patient_id", PATIENT)
    inputs.column("metadata", "case", [row[1] for row in inputs.tables["metadata"][1:]])
    inputs.column("metadata", "Surname", ["Doe"] * 5)
    inputs.column("predictions", "MRN", [PATIENT] * 5)
    return inputs


def keyed(inputs: Inputs) -> Sources:
    return replace(inputs.write(), pseudonyms=KEYED)


def spoil(inputs: Inputs) -> Sources:
    """Both films of the patient have no picture, and a score is a word."""
    inputs.cell("metadata", 2, "image", "gone.jpg")
    inputs.cell("metadata", 3, "image", "lost.png")
    inputs.cell("predictions", 4, "score", "high")
    return keyed(inputs)


def mend(folder: Path, images: Path | None) -> Sources:
    """The rejected files, mended where they lie."""
    paths = {path.stem: path for path in folder.iterdir()}
    for wrong, right in ((b"gone.jpg", b"a.jpg"), (b"lost.png", b"b.png"), (b"high", b"1e-3")):
        for path in paths.values():
            path.write_bytes(path.read_bytes().replace(wrong, right))
    return Sources(images=images, pseudonyms=KEYED, **paths)


def told(folder: Path) -> str:
    return "\n".join(path.read_text() for path in folder.iterdir())


def test_mended_rows_complete_the_store_under_a_key(named: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Rejected, mended and ingested again, rows make the store that they would have made at once; no id is hashed
    twice, and deleting the patient removes every row and every copy."""
    whole = TableStore.open_or_new(tmp_path / "whole")
    ingest(whole, keyed(named))
    sources = spoil(named)
    result = ingest(store, sources, skip_faulty=True)
    assert result.rejected is not None
    assert store.table("images").count() == 3
    done = ingest(TableStore.open(store.location), mend(result.rejected, sources.images))
    assert (done.tables["images"].added, done.faults) == (2, ())
    after = TableStore.open(store.location)
    assert fingerprints(after) == fingerprints(whole)
    removed = delete_patient(after, PATIENT, also_known_as=KEYED.of("patient_id", PATIENT))
    assert removed.rows == {"images": 2, "reports": 1, "predictions": 4, "embeddings_clip": 2}
    hashed = [KEYED.of("patient_id", PATIENT), *(KEYED.of("sample_id", sample) for sample in SAMPLES)]
    assert not any(one in told(result.rejected) for one in (PATIENT, *SAMPLES, *hashed))
    assert TableStore.open(store.location).table("images").count() == 3


def test_rejected_rows_tell_nobody(named: Inputs, store: TableStore) -> None:
    """With a key neither ids nor identifiers nor copies of ids are written beside the store."""
    result = ingest(store, spoil(named), skip_faulty=True)
    assert result.rejected is not None
    assert {path.stem for path in result.rejected.iterdir()} == {"metadata", "reports", "predictions", "embeddings"}
    text = told(result.rejected)
    assert KEYED.of("patient_id", PATIENT) in text
    assert not any(one in text for one in (PATIENT, *SAMPLES, "Doe", "mrn"))


@pytest.mark.parametrize("by_study", [False, True])
def test_a_deletion_finds_rows_of_samples_that_were_never_stored(
    by_study: bool, named: Inputs, store: TableStore
) -> None:
    """Rejected predictions, vectors and reports name the sample or study alone: whose it is stands in the rejected
    metadata. Rows of others stay."""
    if by_study:
        named.tables["reports"] = [["study_id", "report"], ["s1", "x"], ["s4", "y"]]
    named.cell("metadata", 4, "image", "none.png")  # of another patient
    result = ingest(store, spoil(named), skip_faulty=True)
    assert result.rejected is not None
    removed = delete_patient(TableStore.open(store.location), PATIENT, also_known_as=KEYED.of("patient_id", PATIENT))
    assert removed.rejected == 2 + 1 + 4 + 2
    left = {path.stem: path.read_text().count("\n") - 1 for path in result.rejected.iterdir()}
    assert left == {"metadata": 1, "reports": 0, "predictions": 1, "embeddings": 1}
    assert KEYED.of("sample_id", "007") in told(result.rejected)


def test_a_study_of_two_patients_is_not_taken_for_one(named: Inputs, store: TableStore) -> None:
    """The rejected report of a study that another patient has too stays."""
    named.tables["reports"] = [["study_id", "report"], ["s1", "x"], ["s1", "y"]]
    named.cell("metadata", 6, "study_id", "s1")
    result = ingest(store, spoil(named), skip_faulty=True)
    assert result.rejected is not None
    delete_patient(TableStore.open(store.location), PATIENT, also_known_as=KEYED.of("patient_id", PATIENT))
    assert (result.rejected / "reports.csv").read_text().count(KEYED.of("study_id", "s1")) >= 2


@given(st.text(max_size=40), st.sampled_from(IDS))
def test_hashing_is_idempotent(text: str, kind: str) -> None:
    """A pseudonym stays as it is under its key and kind; for another key or kind, or changed, it is any text."""
    once = KEYED.of(kind, text)
    assert len(once) == DIGITS
    assert KEYED.of(kind, once) == once != text
    assert Pseudonyms(b"another key 0123").of(kind, once) != once
    assert all(KEYED.of(other, once) != once for other in (*IDS, "image") if other != kind)
    for at in (0, DIGITS - 13, DIGITS - 1):
        changed = once[:at] + ("0" if once[at] != "0" else "1") + once[at + 1 :]
        assert KEYED.of(kind, changed) != changed


def test_ids_like_pseudonyms_are_hashed() -> None:
    """Digests that other tools give as ids, of the same form, prove nothing."""
    assert not any(KEYED.of("sample_id", f"{n:032x}") == f"{n:032x}" for n in range(2000))


def test_float_ids_of_rejected_rows_stay_the_same(store: TableStore, tmp_path: Path) -> None:
    """Whole floats are written as they are read, so that a mended row is of the same patient."""
    frame = pl.DataFrame({"sample_id": ["a", "b", "b"], "patient_id": [7.0, 7.0, 7.0]})
    frame.write_parquet(tmp_path / "m.parquet")
    result = ingest(store, Sources(metadata=tmp_path / "m.parquet"), skip_faulty=True)
    assert result.rejected is not None
    path = result.rejected / "m.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:2]))
    ingest(TableStore.open(store.location), Sources(metadata=path))
    rows = TableStore.open(store.location).table("images").read(["patient_id"])
    assert rows["patient_id"].to_pylist() == ["7", "7"]
