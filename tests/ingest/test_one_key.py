"""A store's ids are written one way: another key, or none, is a fault, and no sample is there twice."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from ingest.ingest_inputs import Inputs, tree_hash

from misread.ingest import Sources, ingest
from misread.ingest.pseudonyms import Pseudonyms
from misread.schemas.errors import InputFaultsError
from misread.store import TableStore

KEY, OTHER = Pseudonyms(b"0123456789abcdef"), Pseudonyms(b"fedcba9876543210")


def reasons(store: TableStore, sources: Sources) -> set[tuple[str, str | None, str]]:
    """File, column and the first words of every fault; the store stays as it was, and nothing can be skipped."""
    before = tree_hash(Path(store.location))
    with pytest.raises(InputFaultsError) as caught:
        ingest(TableStore.open(store.location), sources, skip_faulty=True)
    assert tree_hash(Path(store.location)) == before
    return {(fault.file, fault.column, " ".join(fault.reason.split()[:5])) for fault in caught.value.faults}


@pytest.mark.parametrize("only", [("metadata", "reports", "predictions", "embeddings"), ("predictions",)])
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (KEY, None, "the ids in the store"),
        (KEY, OTHER, "the ids in the store"),
        (None, KEY, "the store holds these ids"),
    ],
)
def test_another_key_is_a_fault_of_every_file(
    first: Pseudonyms | None,
    second: Pseudonyms | None,
    told: str,
    only: tuple[str, ...],
    inputs: Inputs,
    store: TableStore,
) -> None:
    """Whatever file comes, it is told once, and none of its rows is told as of an unknown sample."""
    ingest(store, replace(inputs.write(), pseudonyms=first))
    inputs.only = only
    found = reasons(store, replace(inputs.write(), pseudonyms=second))
    endings = {kind: "parquet" if kind == "embeddings" else "csv" for kind in only}
    assert found == {(f"{kind}.{ending}", "sample_id", told) for kind, ending in endings.items()}


def test_new_ids_may_stand_beside_hashes_when_they_are_named(inputs: Inputs, store: TableStore) -> None:
    """--keep-identifiers sample_id is how to say that ids are stored as they are."""
    ingest(store, replace(inputs.write(), pseudonyms=KEY))
    result = ingest(TableStore.open(store.location), replace(inputs.write(), identifiers_kept=("sample_id",)))
    assert result.tables["images"].added == 5


def test_hashes_are_known_without_a_key(inputs: Inputs, store: TableStore, tmp_path: Path) -> None:
    """Ids that an answer of the store gave find their samples again."""
    ingest(store, replace(inputs.write(), pseudonyms=KEY))
    path = tmp_path / "again.csv"
    ids = [KEY.of("sample_id", "a"), KEY.of("sample_id", "b")]
    pl.DataFrame({"sample_id": ids, "model": "m3", "target": "T", "label": [1, 0], "score": 0.5}).write_csv(path)
    assert ingest(TableStore.open(store.location), Sources(predictions=path)).tables["predictions"].added == 2


def test_a_second_archive_under_a_key(inputs: Inputs, store: TableStore) -> None:
    """Other samples may come under a key into a store that holds ids as they are."""
    ingest(store, inputs.write())
    for kind in inputs.tables:
        for row in inputs.tables[kind][1:]:
            row[0] = f"other {row[0]}"
    inputs.only = ("metadata", "reports", "predictions")
    result = ingest(TableStore.open(store.location), replace(inputs.write(), pseudonyms=KEY))
    assert result.tables["images"].added == 5
