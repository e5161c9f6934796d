"""The first line of a table: a row in its place is told without a cell of it, and what nobody sees makes no column."""

import unicodedata

import polars as pl
import pytest
from ingest.ingest_inputs import Inputs

from misread.ingest import ingest
from misread.schemas.errors import InputFaultsError
from misread.store import TableStore


def told(inputs: Inputs, store: TableStore) -> str:
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, inputs.write())
    return repr(caught.value.faults) + str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [["DOE^JANE", "1948-02-29"], ["ROE^RICHARD", "1951-01-01"]],
        [["DOE^JANE", "54"], ["ROE^RICHARD", "61"]],
        [["DOE^JANE", "F"], ["ROE^RICHARD", "F"]],
        [["DOE^JANE", "MRN0012"], ["ROE^RICHARD", "MRN0047"]],
        [["DOE^JANE", "DOE^JANE"], ["ROE^RICHARD", "x"]],
        [["*", "DOE^JANE", "29.02.1948"], ["ROE^RICHARD", "x", "y"]],
    ],
    ids=["date", "number", "below", "shape", "twice", "star"],
)
@pytest.mark.parametrize("kind", ["metadata", "reports", "predictions"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_row_in_the_place_of_names_is_not_shown(
    rows: list[list[str]], kind: str, form: str, inputs: Inputs, store: TableStore
) -> None:
    """It may be a patient's; what is told is what is to stand above it."""
    if form == "parquet":
        if len(set(rows[0])) < len(rows[0]):
            pytest.skip("no Parquet has a name twice")
        place = inputs.folder.parent / "made.parquet"
        pl.DataFrame(dict(zip(rows[0], zip(*rows[1:], strict=True), strict=True))).write_parquet(place)
        inputs.raw[kind] = place.read_bytes()
    inputs.tables[kind] = rows
    text = told(inputs, store)
    assert "DOE" not in text
    assert "seems to have no header" in text
    assert "sample_id," in text


def test_names_of_other_tools_are_still_told(inputs: Inputs, store: TableStore) -> None:
    """Names with digits, and years, above other cells: the header of another tool, beside one name of ours or none."""
    inputs.tables["metadata"][0] = ["Image Index", "Patient ID", "study 2", "file", "age_1", "sex"]
    assert "there is: Image Index, study 2, file, age_1, sex" in told(inputs, store)
    inputs.tables["metadata"][0] = ["Image Index", "patient_id", "study_id", "image", "2019", "2020"]
    assert "there is: Image Index" in told(inputs, store)


@pytest.mark.parametrize(
    "unseen", ["\u200bsample_id", "sample\u200d_id", "\u00a0sample_id\u2003", "\ufeff\ufeffsample_id"]
)
def test_what_nobody_sees_is_no_part_of_a_name(unseen: str, inputs: Inputs, store: TableStore) -> None:
    """A zero-width character or a blank of another kind, as it is copied from a page."""
    inputs.tables["metadata"][0][0] = unseen
    inputs.tables["metadata"][0][4] = "age\u00a0at study"
    ingest(store, inputs.write())
    assert {"sample_id", "age at study"} <= set(store.table("images").schema.names)


def test_one_name_in_two_forms_is_one_column(inputs: Inputs, store: TableStore) -> None:
    """Composed or not, the name is the same: in one file it is there twice, in two it is one column."""
    inputs.tables["metadata"][0][5] = unicodedata.normalize("NFD", "ger\u00e4t")
    ingest(store, inputs.write())
    inputs.tables["metadata"][0][5] = "ger\u00e4t"
    ingest(store, inputs.write())
    assert [name for name in store.table("images").schema.names if name.startswith("ger")] == ["ger\u00e4t"]
    inputs.tables["metadata"][0][4] = unicodedata.normalize("NFD", "ger\u00e4t")
    assert "columns of the same name" in told(inputs, store)


def test_vectors_that_float32_loses_are_told(inputs: Inputs, store: TableStore) -> None:
    """What would be stored is 0, or a few digits; a number that is nothing beside the others may be 0."""
    inputs.embeddings[0]["vector"] = [0.0, 1e-50]
    inputs.embeddings[1]["vector"] = [3.3e-41, 1e-42]
    inputs.embeddings[2]["vector"] = [1e-50, 1.0]
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, inputs.write())
    assert [(fault.row, fault.column) for fault in caught.value.faults] == [(2, "vector"), (3, "vector")]
    assert all("nearly 0 as float32" in fault.reason for fault in caught.value.faults)
