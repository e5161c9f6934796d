"""What of a metadata file is not stored: identifiers, dates, copies of hashed ids; and patients under another name."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ingest.ingest_inputs import Inputs, as_csv

from misread.ingest import IngestResult, Sources, ingest
from misread.ingest.pseudonyms import Pseudonyms
from misread.schemas.errors import InputFaultsError
from misread.store import TableStore

KEYED = Pseudonyms(b"0123456789abcdef")


def taken(
    store: TableStore, folder: Path, columns: dict[str, list[Any]], **given: Any
) -> tuple[set[str], IngestResult]:
    """The columns that are stored of a metadata file, and the result."""
    path = folder / "m.csv"
    path.write_bytes(as_csv([list(columns), *map(list, zip(*columns.values(), strict=True))]))
    result = ingest(store, Sources(metadata=path, **given))
    return set(store.table("images").schema.names), result


def people(count: int = 6) -> dict[str, list[Any]]:
    return {
        "sample_id": [f"film{n}" for n in range(count)],
        "patient_id": [f"mrn{n // 2}" for n in range(count)],
        "study_id": [f"1.2.{n}" for n in range(count)],
    }


def test_direct_identifiers_stay_outside(store: TableStore, tmp_path: Path) -> None:
    """Direct identifiers are dropped at the door with a notice each, unless they are named to be kept."""
    further = {
        "Patient Name": ["Doe"],
        "birth_date": ["1970-01-01"],
        "MRN": [9],
        "AccessionNumber": ["A7"],
        "age": [54],
    }
    shown, result = taken(store, tmp_path, people(1) | further, identifiers_kept=("mrn", "ssn"))
    assert {"MRN", "age"} <= shown
    assert not shown & {"Patient Name", "birth_date", "AccessionNumber"}
    assert sum("direct identifier" in n for n in result.notices) == 3
    assert any("no column 'ssn' to keep" in n for n in result.notices)


def test_dates_of_patients_stay_outside(store: TableStore, tmp_path: Path) -> None:
    """Full dates are identifiers; years and ages may be stored, as the notice says."""
    further = {"study_date": ["2020-01-31"] * 6, "study_year": [2020] * 6, "birth_year": [1970] * 6}
    shown, result = taken(store, tmp_path, people() | further)
    assert {"study_year", "birth_year"} <= shown
    assert "study_date" not in shown
    assert any("'study_date'" in n and "years and ages may be stored" in n for n in result.notices)


def test_our_ids_in_another_spelling_stay_outside(store: TableStore, tmp_path: Path) -> None:
    """Beside our own columns, other spellings of them are dropped, and the notice says which column they look like."""
    given = people()
    further = {"PatientID": given["patient_id"], "StudyInstanceUID": given["study_id"], "SampleID": given["sample_id"]}
    shown, result = taken(store, tmp_path, given | further)
    assert not shown & further.keys()
    for name, ours in (("PatientID", "patient_id"), ("StudyInstanceUID", "study_id"), ("SampleID", "sample_id")):
        assert any(repr(name) in notice and f"{ours} in another spelling" in notice for notice in result.notices)


@pytest.mark.parametrize("name", ["PatientID", "pid", "subject_id", "Patientennummer"])
def test_patients_under_another_name_are_a_fault(name: str, store: TableStore, tmp_path: Path) -> None:
    """Without patient_id each sample would count as a patient: what looks like it is to be renamed, or kept by name."""
    given = people()
    given[name] = given.pop("patient_id")
    with pytest.raises(InputFaultsError) as caught:
        taken(store, tmp_path, given)
    (fault,) = caught.value.faults
    assert (fault.column, fault.row) == (name, None)
    assert "no column 'patient_id'" in fault.reason
    assert "rename it" in fault.reason
    shown, _ = taken(store, tmp_path, given, identifiers_kept=(name,))
    assert name in shown


def test_samples_under_another_name_are_named(store: TableStore, tmp_path: Path) -> None:
    """A file without sample_id is told which of its columns looks like it."""
    given = people()
    given["SOPInstanceUID"] = given.pop("sample_id")
    with pytest.raises(InputFaultsError, match=r"no column 'sample_id'; did you mean 'SOPInstanceUID'\?"):
        taken(store, tmp_path, given)


@pytest.mark.parametrize("copied", ["sample_id", "patient_id", "study_id"])
@pytest.mark.parametrize("form", ["{}", " {} ", "a/{}.png"])
def test_copies_of_hashed_ids_stay_outside(copied: str, form: str, store: TableStore, tmp_path: Path) -> None:
    """With a key, a column most of whose cells are or hold the id of their row is dropped: no raw id is left."""
    given = people()
    given["case"] = [form.format(one) for one in given[copied]]
    given["case"][0] = ""
    given["case"][1] = "other"
    shown, result = taken(store, tmp_path, given, pseudonyms=KEYED)
    assert "case" not in shown
    assert any(f"'case' repeats the {copied}" in n for n in result.notices)
    held = repr(store.table("images").read().to_pylist())
    assert not any(one in held for name in ("sample_id", "patient_id", "study_id") for one in given[name])


def test_copies_stay_where_they_tell_nothing(store: TableStore, tmp_path: Path) -> None:
    """Without a key, where the user names them, and where but a few cells are equal by chance, columns are stored."""
    given = people(10) | {"sample_id": list(range(10))}
    given["case"] = given["patient_id"]
    given["grade"] = [0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    given["place"] = ["12", "10", "21", "13", "14", "15", "61", "71", "18", "19"]
    assert "case" in taken(store, tmp_path, given)[0]
    other = TableStore.open_or_new(tmp_path / "other")
    shown, _ = taken(other, tmp_path, given, pseudonyms=KEYED, identifiers_kept=("case",))
    assert {"case", "grade", "place"} <= shown


def test_a_word_for_missing_ids_makes_no_copy(store: TableStore, tmp_path: Path) -> None:
    """One value that many rows share, such as `unknown`, is counted once."""
    given = people(8)
    given["patient_id"] = ["unknown"] * 6 + ["p7", "p8"]
    given["race"] = ["unknown"] * 6 + ["A", "B"]
    assert "race" in taken(store, tmp_path, given, pseudonyms=KEYED)[0]


def test_kept_ids_may_be_copied(store: TableStore, tmp_path: Path) -> None:
    """Where an id is stored as it is, its copy tells nothing more."""
    given = people()
    given["case"] = given["patient_id"]
    assert "case" in taken(store, tmp_path, given, pseudonyms=replace(KEYED, kept=frozenset({"patient_id"})))[0]


@pytest.mark.parametrize(("kind", "large"), [(pl.Float64, 2**53), (pl.Float32, 2**24)])
@pytest.mark.parametrize("name", ["sample_id", "patient_id", "study_id"])
@pytest.mark.parametrize("pseudonyms", [None, KEYED])
def test_ids_that_floats_merge_are_refused(
    name: str, kind: Any, large: int, pseudonyms: Pseudonyms | None, store: TableStore, tmp_path: Path
) -> None:
    """Two ids beyond what floats tell apart would be one patient: the rows are named, and nothing is stored."""
    ids = {one: ["a", "b", "c"] for one in ("sample_id", "patient_id", "study_id")}
    frame = pl.DataFrame(ids | {name: pl.Series([1, large, large + 1]).cast(pl.Float64).cast(kind)})
    frame.write_parquet(tmp_path / "m.parquet")
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, Sources(metadata=tmp_path / "m.parquet", pseudonyms=pseudonyms), skip_faulty=True)
    (fault,) = caught.value.faults
    assert fault.column == name
    assert "rows 3, 4" in fault.reason
    assert "store them as text or as integers" in fault.reason


@pytest.mark.parametrize("kind", [pl.Int64, pl.String])
def test_large_ids_of_other_types_are_told_apart(kind: Any, store: TableStore, tmp_path: Path) -> None:
    """Integers and texts hold ids of any length; floats hold them up to 2^53 - 1."""
    large = pl.Series([2**53, 2**53 + 1]).cast(kind)
    frame = pl.DataFrame({"sample_id": ["a", "b"], "patient_id": large, "study_id": [float(2**53 - 1), None]})
    frame.write_parquet(tmp_path / "m.parquet")
    ingest(store, Sources(metadata=tmp_path / "m.parquet"))
    rows = store.table("images").read(["patient_id", "study_id"]).to_pylist()
    assert [row["patient_id"] for row in rows] == ["9007199254740992", "9007199254740993"]
    assert rows[0]["study_id"] == "9007199254740991"


def test_endless_ids_are_refused(store: TableStore, tmp_path: Path) -> None:
    """An infinite float is no missing patient."""
    pl.DataFrame({"sample_id": ["a", "b"], "patient_id": [1.0, float("inf")]}).write_parquet(tmp_path / "m.parquet")
    with pytest.raises(InputFaultsError, match="row 3"):
        ingest(store, Sources(metadata=tmp_path / "m.parquet"))


def test_predictions_by_float_ids_are_refused(inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """So it is in every file that names samples."""
    frame = pl.DataFrame({"sample_id": [1e17], "model": ["m"], "target": ["T"], "label": [1], "score": [0.5]})
    frame.write_parquet(tmp_path / "p.parquet")
    with pytest.raises(InputFaultsError, match="cannot tell ids as large as in row 2 apart"):
        ingest(filled_store, Sources(predictions=tmp_path / "p.parquet"))


def test_texts_of_reports_are_no_metadata(store: TableStore, tmp_path: Path) -> None:
    """One table of everything: a column of reports is left out of metadata with a notice, unless it is named."""
    further = {"Report": [f"The heart is large, {n}." for n in range(6)], "report_date_known": ["yes"] * 6}
    shown, result = taken(store, tmp_path, people() | further)
    assert "report_date_known" in shown
    assert "Report" not in shown
    assert any("'Report' holds the text of reports (give this file as --reports, too)" in n for n in result.notices)
    assert "Report" in taken(store, tmp_path, people() | further, identifiers_kept=("report",))[0]


def test_predictions_are_no_metadata(store: TableStore, tmp_path: Path) -> None:
    """A file of predictions in the place of metadata is one fault that says where it belongs."""
    given = {"sample_id": ["a"], "model": ["m"], "target": ["T"], "label": [1], "score": [0.5]}
    with pytest.raises(InputFaultsError, match="give it as --predictions") as caught:
        taken(store, tmp_path, given)
    assert len(caught.value.faults) == 1
    assert "score" in taken(store, tmp_path, {name: given[name] for name in ("sample_id", "model", "score")})[0]
