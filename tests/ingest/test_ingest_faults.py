"""Every fault gives its row in the fault table, and leaves the store as it was, byte for byte."""

import re
from pathlib import Path

import polars as pl
import pytest
from ingest.fault_cases import CASES, E, Expected, M, P, R
from ingest.ingest_inputs import Inputs, encoded, tree_hash

from misread.ingest import Sources, ingest
from misread.schemas.errors import Fault, InputFaultsError, MisreadError
from misread.schemas.values import PRETRAINED
from misread.store import EncoderEntry, TableStore


def _failed(store: TableStore, sources: Sources) -> tuple[Fault, ...]:
    with pytest.raises(InputFaultsError) as caught:
        ingest(store, sources)
    return caught.value.faults


def _assert_faults(faults: tuple[Fault, ...], expected: Expected) -> None:
    assert [(f.file, f.row, f.column) for f in faults] == sorted(
        ((file, row, column) for file, row, column, _ in expected), key=lambda f: (f[1] or 0, f[2] or "")
    )
    for file, row, column, reason in expected:
        (fault,) = (f for f in faults if (f.file, f.row, f.column) == (file, row, column))
        assert re.search(reason, fault.reason), fault


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_told_and_makes_no_store(name: str, inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Each fault gives exactly its rows in the fault table; where there was no store, there is none after."""
    spoil, expected = CASES[name]
    spoil(inputs)
    sources = inputs.write()
    before = tree_hash(tmp_path)
    _assert_faults(_failed(store, sources), expected)
    assert tree_hash(tmp_path) == before


@pytest.mark.parametrize("name", CASES)
def test_a_fault_leaves_a_store_unchanged(name: str, inputs: Inputs, filled_store: TableStore, tmp_path: Path) -> None:
    """A store that is there stays as it was, byte for byte, whatever is wrong with further input."""
    spoil, expected = CASES[name]
    spoil(inputs)
    sources = inputs.write()
    before = tree_hash(tmp_path)
    _assert_faults(_failed(filled_store, sources), expected)
    assert tree_hash(tmp_path) == before


def test_all_faults_at_once(inputs: Inputs, store: TableStore) -> None:
    """Every fault of every file is told in one go, by file and row."""
    inputs.cell("metadata", 2, "image", "z.jpg")
    inputs.cell("metadata", 6, "sample_id", "")
    inputs.tables["reports"].append(["z", "Clear."])
    inputs.cell("predictions", 2, "score", "7")
    inputs.cell("predictions", 3, "label", "x")
    inputs.embeddings[0]["vector"] = [float("nan"), 0.0]
    told = [(f.file, f.row, f.column) for f in _failed(store, inputs.write())]
    # e has lost its row, so that its report has no sample
    assert told == [
        (M, 2, "image"),
        (M, 6, "sample_id"),
        (R, 3, "sample_id"),
        (R, 4, "sample_id"),
        (P, 2, "score"),
        (P, 3, "label"),
        (E, 2, "vector"),
    ]


def test_a_file_that_cannot_be_read_hides_no_other_fault(inputs: Inputs, store: TableStore) -> None:
    """Without readable metadata, the other files are still checked for what can be judged."""
    inputs.raw["metadata"] = b""
    inputs.cell("predictions", 2, "score", "7")
    assert [(f.file, f.row) for f in _failed(store, inputs.write())] == [(M, None), (P, 2)]


def test_a_symbolic_link_out_of_the_images_folder(inputs: Inputs, store: TableStore) -> None:
    """A picture that is a link to a file outside of the images folder is refused; one inside is taken."""
    sources = inputs.write()
    assert sources.images is not None
    outside = inputs.folder / "secret.jpg"
    outside.write_bytes(encoded("JPEG"))
    (sources.images / "a.jpg").unlink()
    (sources.images / "a.jpg").symlink_to(outside)
    (fault,) = _failed(store, sources)
    assert (fault.row, fault.column) == (2, "image")
    assert f"out of the images folder, by a link to {outside.parent} (" in fault.reason
    (sources.images / "a.jpg").unlink()
    (sources.images / "a.jpg").symlink_to(sources.images / "d.jpg")
    assert ingest(store, sources).tables["images"].added == 5


def test_a_file_that_does_not_exist(inputs: Inputs, store: TableStore) -> None:
    """A file name that leads nowhere is a fault with the nearest name that does."""
    inputs.write()
    (fault,) = _failed(store, Sources(metadata=inputs.folder / "metadat.csv"))
    assert fault.file == "metadat.csv"
    assert "did you mean 'metadata.csv'" in fault.reason
    (fault,) = _failed(store, Sources(metadata=inputs.folder))
    assert "a folder, not a file" in fault.reason


def test_an_images_folder_that_does_not_exist(inputs: Inputs, store: TableStore) -> None:
    """A missing folder of images is one fault, not one for each picture."""
    inputs.write()
    sources = Sources(metadata=inputs.folder / "metadata.csv", images=inputs.folder / "nowhere")
    (fault,) = _failed(store, sources)
    assert "no such folder" in fault.reason


def test_two_files_of_one_name_are_told_apart(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Faults name files of the same base name by their whole paths."""
    sources = inputs.write()
    other = tmp_path / "other" / "metadata.csv"
    other.parent.mkdir()
    other.write_bytes(b"sample_id,report\nz,x\n")
    (fault,) = _failed(store, Sources(sources.metadata, sources.images, reports=other))
    assert fault.file == str(other)


@pytest.mark.parametrize("given", [(), ("predictions",), ("images",)])
def test_a_store_needs_samples_first(given: tuple[str, ...], inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Nothing to ingest, or nothing to hang it on, is an error that makes no store."""
    sources = inputs.write()
    with pytest.raises(MisreadError):
        ingest(store, Sources(**{name: getattr(sources, name) for name in given}))
    assert not (tmp_path / "store").exists()


def test_labels_and_thresholds_are_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """New predictions may not contradict the label, threshold or class that stays in the store."""
    inputs.only = ("predictions",)
    inputs.tables["predictions"] = [
        ["sample_id", "model", "target", "label", "score", "threshold"],
        ["a", "m3", "T", "0", "0.5", "0.5"],
    ]
    (fault,) = _failed(filled_store, inputs.write())
    assert re.search(r"0 \(row 2\), 1 \(in the store\)", fault.reason)
    inputs.cell("predictions", 2, "label", "1")
    ingest(filled_store, inputs.write())
    rows = [["b", "m3", "T", "0", "0.5", "0.4"], ["007", "m3", "T", "0", "0.5", "0.4"]]
    inputs.tables["predictions"][1:] = rows
    faults = _failed(filled_store, inputs.write())
    assert [(f.row, f.column) for f in faults] == [(2, "threshold"), (3, "threshold")]
    # a file that replaces every row of the sample and target may correct the label
    inputs.tables["predictions"][1:] = [["a", model, "T", "0", "0.5", "0.4"] for model in ("m1", "m2", "m3")]
    assert ingest(filled_store, inputs.write()).tables["predictions"].changed == 3


def test_being_in_a_task_is_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """A later file may not put a part of a model and target into a task; one that brings all of its rows may."""
    inputs.only = ("predictions",)
    header = ["sample_id", "model", "target", "label", "score", "task"]
    a, b = (["a", "m4", "U", "0", "0.5"], ["b", "m4", "U", "0", "0.5"])
    inputs.tables["predictions"] = [header, [*a, ""]]
    ingest(filled_store, inputs.write())
    inputs.tables["predictions"] = [header, [*b, "kind"]]
    (fault,) = _failed(filled_store, inputs.write())
    assert (fault.row, fault.column) == (2, "task")
    assert "the row has the task kind; other rows of its model and target have none" in fault.reason
    inputs.tables["predictions"] = [header, [*a, "kind"], [*b, "kind"]]
    assert ingest(filled_store, inputs.write()).tables["predictions"].changed == 1


def test_vectors_are_held_against_the_store(inputs: Inputs, filled_store: TableStore) -> None:
    """Further vectors of an encoder have the length, modality and spelling of those in the store."""
    inputs.only = ("embeddings",)
    inputs.embeddings = [{"sample_id": "e", "encoder": "clip", "vector": [1.0, 2.0, 3.0], "modality": "report"}]
    faults = _failed(filled_store, inputs.write())
    assert [f.column for f in faults] == ["modality", "vector"]
    inputs.embeddings = [{"sample_id": "e", "encoder": "CLIP", "vector": [1.0, 2.0]}]
    (fault,) = _failed(filled_store, inputs.write())
    assert "differs from 'CLIP' in case alone" in fault.reason


def test_vectors_that_embed_made_are_told_from_those_of_built_in_encoders(
    inputs: Inputs, filled_store: TableStore
) -> None:
    """An encoder of the store that a pretrained model stands behind takes no vectors from elsewhere, and says why."""
    with filled_store.commit("embed") as commit:
        commit.set_encoder("rad-dino", EncoderEntry("image", 2, PRETRAINED, commit.next_state))
    inputs.only = ("embeddings",)
    inputs.embeddings = [{"sample_id": "e", "encoder": "rad-dino", "vector": [1.0, 2.0]}]
    (fault,) = _failed(filled_store, inputs.write())
    assert "'rad-dino' in the store are of embed" in fault.reason


def test_vectors_as_json_in_csv(inputs: Inputs, store: TableStore) -> None:
    """CSV may hold vectors as JSON lists; what is none is a fault of its row, and ids read as written."""
    path = inputs.folder / "vectors.csv"
    sources = inputs.write()
    path.write_text('sample_id,encoder,vector\na,x,"[1, 2.5]"\n007,x,oops\nb,x,"[1, ""2""]"\ne,x,\n331a,x,"[NaN, 1]"\n')
    faults = _failed(store, Sources(sources.metadata, sources.images, embeddings=path))
    assert [(f.row, f.column, f.reason) for f in faults] == [
        (3, "vector", "the vector is not a JSON list of numbers"),
        (4, "vector", "the vector is not a JSON list of numbers"),
        (5, "vector", "the vector is missing"),
        (6, "vector", "the vector holds NaN"),
    ]
    path.write_text('sample_id,encoder,vector\na,x,"[1, 2.5]"\n007,x,"[0, 1]"\n')
    ingest(store, Sources(sources.metadata, sources.images, embeddings=path))
    assert store.table("embeddings_x").read(["sample_id", "vector"]).to_pylist() == [
        {"sample_id": "a", "vector": [1.0, 2.5]},
        {"sample_id": "007", "vector": [0.0, 1.0]},
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pl.Series([1.5, 2.0]), "sample_id is to be text or whole numbers, not Float64"),
        (pl.Series([True, False]), "not Boolean"),
        (pl.Series([[1], [2]]), r"not List\(Int64\)"),
    ],
)
def test_ids_in_parquet_are_text_or_whole_numbers(
    values: pl.Series, reason: str, store: TableStore, tmp_path: Path
) -> None:
    """A Parquet id column of another type is one fault of the column."""
    pl.DataFrame({"sample_id": values, "age": [1, 2]}).write_parquet(tmp_path / "m.parquet")
    (fault,) = _failed(store, Sources(metadata=tmp_path / "m.parquet"))
    assert (fault.row, fault.column) == (None, "sample_id")
    assert re.search(reason, fault.reason)


def test_infinite_metadata_in_parquet(store: TableStore, tmp_path: Path) -> None:
    """An infinite number is a fault of its row; NaN is missing."""
    pl.DataFrame({"sample_id": ["a", "b"], "dose": [float("nan"), float("inf")]}).write_parquet(tmp_path / "m.parquet")
    (fault,) = _failed(store, Sources(metadata=tmp_path / "m.parquet"))
    assert (fault.row, fault.column, fault.reason) == (3, "dose", "dose is infinite")
