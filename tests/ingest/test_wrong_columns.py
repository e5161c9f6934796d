"""A column that is wrong as a whole is one fault of the column, which nothing skips; a slip is one of its row."""

import math
import re

import pytest
from ingest.ingest_inputs import Inputs, Spoil

from misread.ingest import ingest
from misread.schemas.errors import Fault, InputFaultsError
from misread.store import TableStore

PREDICTIONS = "predictions.csv"


def rewritten(column: str, *cells: str) -> Spoil:
    return lambda inputs: [inputs.cell("predictions", row, column, cell) for row, cell in enumerate(cells, 2)]


def logits(*scores: float) -> tuple[str, ...]:
    return tuple(f"{math.log(score / (1 - score)):.3f}" for score in scores)


def faults(inputs: Inputs, store: TableStore, *, skip_faulty: bool) -> tuple[Fault, ...]:
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, inputs.write(), skip_faulty=skip_faulty)
    return caught.value.faults


@pytest.mark.parametrize("skip_faulty", [False, True])
@pytest.mark.parametrize(
    ("spoil", "column", "told"),
    [
        (rewritten("score", "90", "25", "0.1", "3", "99"), "score", "4 of 5 .* '90' in row 2.*divided by 100"),
        (rewritten("score", "90%", "25%", "0.1%", "3%", "99%"), "score", "leave out the percent sign"),
        (rewritten("score", *logits(0.1, 0.6, 0.2, 0.65, 0.4)), "score", r"3 of 5 .*1 / \(1 \+ exp\(-logit\)\)"),
        (rewritten("score", "0,9", "0,25", "0,1", "0", "1"), "score", "3 of 5 .* with a point"),
        (rewritten("label", "yes", "no", "", "yes", "no"), "label", "4 of 4 .* in place of 'no', 'yes'"),
        (rewritten("label", "2", "1", "2", "2", "1"), "label", "3 of 5 .* in place of '2'"),
    ],
)
def test_a_column_on_another_scale(
    spoil: Spoil, column: str, told: str, skip_faulty: bool, inputs: Inputs, store: TableStore
) -> None:
    """What would be left of it after skipping is no sample of it: percents below 1, logits above 0."""
    spoil(inputs)
    (fault,) = faults(inputs, store, skip_faulty=skip_faulty)
    assert (fault.file, fault.row, fault.column) == (PREDICTIONS, None, column)
    assert re.search(told, fault.reason)
    assert not store.files.exists("manifest.json")


def test_slips_stay_faults_of_their_rows(inputs: Inputs, store: TableStore) -> None:
    """Two of five wrong cells are told one by one."""
    rewritten("score", "0.9", "25", "0.1", "30", "1")(inputs)
    assert [fault.row for fault in faults(inputs, store, skip_faulty=False)] == [3, 5]


def test_labels_may_be_written_as_truth_values(inputs: Inputs, store: TableStore) -> None:
    """CSV of a table of booleans holds what its Parquet holds."""
    rewritten("label", "True", "False", "", "TRUE", " false ")(inputs)
    ingest(store, inputs.write())
    labels = {tuple(row.values()) for row in store.table("predictions").read(["sample_id", "label"]).to_pylist()}
    assert labels == {("a", 1), ("b", 0), ("007", None)}


@pytest.mark.parametrize("skip_faulty", [False, True])
@pytest.mark.parametrize("start", ["gone/", "/data/cxr/", "../"])
def test_pictures_that_lie_in_another_folder(start: str, skip_faulty: bool, inputs: Inputs, store: TableStore) -> None:
    """Where no picture is found it is the folder that is wrong: it is named, with a path to find in the right one."""
    for row in inputs.tables["metadata"][1:5]:
        row[3] = f"{start}{row[3]}"
    sources = inputs.write()
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, sources, skip_faulty=skip_faulty)
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.column) == ("metadata.csv", None, "image")
    assert str(sources.images) in fault.reason
    assert repr(f"{start}a.jpg") in fault.reason


@pytest.mark.parametrize("skip_faulty", [False, True])
@pytest.mark.parametrize("kind", ["predictions", "reports"])
def test_a_file_that_writes_its_ids_another_way(
    kind: str, skip_faulty: bool, inputs: Inputs, store: TableStore
) -> None:
    """Where no id is known it is told once, with how either writes it."""
    for row in inputs.tables["metadata"][1:]:
        row[0] = f"film-{row[0]}"
    inputs.only = ("metadata", kind)
    for row in inputs.tables[kind][1:]:
        row[0] = f"film-{row[0]}.png"
    (fault,) = faults(inputs, store, skip_faulty=skip_faulty)
    assert (fault.file, fault.row, fault.column) == (f"{kind}.csv", None, "sample_id")
    assert "there is 'film-a', here 'film-a.png'" in fault.reason


def test_columns_as_other_tools_call_them(inputs: Inputs, store: TableStore) -> None:
    """What is missing is told with the column that looks like it."""
    inputs.tables["predictions"][0] = ["Image Index", "Classifier", "Finding", "y_true", "Probability"]
    told = {fault.column: fault.reason for fault in faults(inputs, store, skip_faulty=False)}
    ours = ("sample_id", "model", "target", "label", "score")
    assert set(told) == set(ours)
    for name, theirs in zip(ours, inputs.tables["predictions"][0], strict=True):
        assert f"did you mean {theirs!r}?" in told[name]
