"""Tables: rows changed in place, pictures, and names of their content."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.store_rows import images, picture, reports

from misread.care import verify
from misread.schemas.errors import StoreError, UnknownNameError
from misread.schemas.tables import CHECKSUM, CONTRACTS, MEMBERSHIPS, PREDICTIONS, embeddings_contract
from misread.store import TableStore
from misread.store.checksums import fingerprint, with_checksums
from stores import table

SAMPLES = [f"s{i:03d}" for i in range(60)]


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    return TableStore.open_or_new(tmp_path / "store")


def pictures(store: TableStore, **options: object) -> dict[str, bytes]:
    batches = list(store.table("images").pictures(7, **options))  # type: ignore[arg-type]
    assert all(ids and len(ids) == len(contents) for ids, contents in batches)
    return {sample: content for ids, contents in batches for sample, content in zip(ids, contents, strict=True)}


def test_pictures_come_back_with_their_samples(store: TableStore) -> None:
    """After deletions, upserts, new columns and rows without pictures, every picture is its sample's."""
    with store.commit("one") as commit:
        commit.append("images", images(SAMPLES, without=SAMPLES[::5]))
    with store.commit("two") as commit:
        writer = commit.writer("images")
        writer.delete("sample_id < 's004' OR sample_id = 's031'")
        commit.upsert("images", images(["s010", "s011", "t1"], round_=1, without=["s011"]))
        view = pa.table({"sample_id": [*SAMPLES, "t1"], "view": ["AP"] * (len(SAMPLES) + 1)})
        writer.set_columns(view, "sample_id")
    with store.commit("three") as commit:
        commit.writer("images").delete("sample_id = 's020'")
        commit.append("images", images(["t2"]))
    expected = {s: picture(s) for s in SAMPLES if s not in SAMPLES[::5] and s >= "s004"}
    for gone in ("s011", "s031"):
        expected.pop(gone, None)
    expected |= {"s010": picture("s010", 1), "t1": picture("t1", 1), "t2": picture("t2")}
    assert pictures(store) == expected
    assert pictures(store, only={"t1", "s012", "nobody"}) == {s: expected[s] for s in ("t1", "s012")}
    assert pictures(store, only=set()) == {}


def test_pictures_of_a_table_without_any(store: TableStore) -> None:
    """No rows, or rows without pictures, give no batch."""
    with store.commit("none") as commit:
        commit.append("images", images([]))
    assert pictures(store) == {}
    with store.commit("some") as commit:
        commit.append("images", images(["a", "b"], without=["a", "b"]))
    assert pictures(store) == {}


def test_upsert_replaces_by_key_and_adds_the_rest(store: TableStore) -> None:
    """A key is there once after an upsert, with its new row; a NULL in a key equals a NULL."""
    with store.commit("one") as commit:
        commit.upsert("reports", reports(("a", None, "1"), (None, "s", "1"), (None, "a", "1"), ("a", "s", "1")))
    with store.commit("two") as commit:
        commit.upsert("reports", reports(("a", None, "2"), (None, "s'", "2"), (None, "s", "2"), ("a", "s", "2")))
    found = {(r["sample_id"], r["study_id"]): r["report"] for r in store.table("reports").read().to_pylist()}
    assert store.table("reports").count() == len(found)
    assert found == {("a", None): "2", (None, "s"): "2", (None, "s'"): "2", (None, "a"): "1", ("a", "s"): "2"}


@pytest.mark.parametrize("key", [("a", None), ("a", "s")])
def test_an_upsert_with_a_key_twice_is_refused(store: TableStore, key: tuple[str, str | None]) -> None:
    """Which of two rows of one key would stay is nobody's guess."""
    with pytest.raises(StoreError, match="same key"), store.commit("fails") as commit:
        commit.upsert("reports", reports((*key, "1"), (*key, "2")))


def test_set_columns_adds_and_replaces_whole_columns(store: TableStore) -> None:
    """Columns are given by key, whatever the order; the others and the pictures stay."""
    with store.commit("one") as commit:
        commit.append("images", images(SAMPLES))
    ages = pa.table({"sample_id": SAMPLES[::-1], "age": list(range(len(SAMPLES))), "view": SAMPLES})
    with store.commit("two") as commit:
        commit.writer("images").set_columns(ages, "sample_id")
    rows = {row["sample_id"]: row for row in store.table("images").read().to_pylist()}
    assert [rows[s]["age"] for s in SAMPLES[::-1]] == list(range(len(SAMPLES)))
    assert [rows[s]["view"] for s in SAMPLES[::-1]] == SAMPLES
    assert pictures(store) == {s: picture(s) for s in SAMPLES}


def test_replacing_takes_another_schema(store: TableStore) -> None:
    """A table may be written anew with vectors of another length; the older state keeps its own."""
    for size in (3, 5):
        contract = embeddings_contract("hog", size)
        rows = table(contract, [{"sample_id": s, "vector": [0.5] * size} for s in "ab"])
        with store.commit(f"of {size}") as commit:
            commit.writer(contract.name, contract)
            commit.append_batches(contract.name, [rows], rows.schema, replacing=True)
    assert store.table("embeddings_hog").schema.field("vector").type.list_size == 5
    assert store.table("embeddings_hog").count() == 2
    assert TableStore.open(store.location, state=1).table("embeddings_hog").schema.field("vector").type.list_size == 3


def test_a_table_that_is_not_there_is_named_beside_those_that_are(store: TableStore) -> None:
    """An unknown table is an error with the names that exist."""
    with store.commit("one") as commit:
        commit.append("reports", reports(("a", None, "1")))
    with pytest.raises(UnknownNameError, match=r"did you mean 'reports'"):
        store.table("report")


def print_of(store: TableStore, name: str = "reports") -> str:
    return store.manifest.tables[name].fingerprint


WRITTEN = [(f"s{i}", None, f"text {i}") for i in range(12)]


@settings(max_examples=8)
@given(order=st.permutations(WRITTEN), cut=st.integers(0, 12))
def test_a_fingerprint_names_content_alone(
    tmp_path_factory: pytest.TempPathFactory, order: list[tuple[str, None, str]], cut: int
) -> None:
    """Neither the order of rows nor how they were split into commits shows in it."""
    store = TableStore.open_or_new(tmp_path_factory.mktemp("f") / "store")
    with store.commit("first") as commit:
        commit.append("reports", reports(*order[:cut]))
    with store.commit("rest") as commit:
        commit.append("reports", reports(*order[cut:]))
    assert print_of(store) == fingerprint(with_checksums(reports(*WRITTEN)).to_batches())


def test_a_fingerprint_forgets_what_was_taken_back(store: TableStore) -> None:
    """A table changed and changed back has the fingerprint it had; one row less or twice has not."""
    with store.commit("one") as commit:
        commit.append("reports", reports(*WRITTEN))
    first = print_of(store)
    with store.commit("two") as commit:
        commit.upsert("reports", reports(("s3", None, "other"), ("new", None, "new")))
    assert print_of(store) != first
    with store.commit("three") as commit:
        commit.upsert("reports", reports(("s3", None, "text 3")))
        commit.writer("reports").delete("sample_id = 'new'")
    assert print_of(store) == first
    with store.commit("four") as commit:
        commit.append("reports", reports(WRITTEN[0]))
    assert print_of(store) != first
    assert store.manifest.tables["reports"].rows == len(WRITTEN) + 1


@pytest.mark.parametrize("how", ["append", "upsert"])
def test_a_table_takes_rows_with_columns_that_its_contract_has_since(
    store: TableStore, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A table written before its contract had a column is widened by it, also by repeated text; the rows that are there
    have NULL in it, and stay as they were written."""
    old = [{"audit_id": "a", "slice_id": f"a-{n}", "sample_id": "s"} for n in range(3)]
    new = {"audit_id": "b", "slice_id": "b-1", "sample_id": "s", "half": "discovery", "score": 0.5}
    before = replace(MEMBERSHIPS, fields=tuple(f for f in MEMBERSHIPS.fields if f.name not in ("half", "score")))
    with monkeypatch.context() as then, store.commit("before") as commit:
        then.setitem(CONTRACTS, "memberships", before)
        commit.append("memberships", table(before, old))
    with store.commit("since") as commit:
        getattr(commit, how)("memberships", table(MEMBERSHIPS, [new]))
    rows = store.table("memberships").read([*MEMBERSHIPS.key, "half", "score"]).sort_by("slice_id").to_pylist()
    assert rows[-1] == {name: new.get(name) for name in rows[-1]}
    assert [(row["slice_id"], row["half"], row["score"]) for row in rows[:-1]] == [
        (f"a-{n}", None, None) for n in range(3)
    ]
    assert store.table("memberships").schema.names[-2:] == ["half", "score"]
    assert not verify(store)


BASE: dict[str, object] = {
    "sample_id": "a",
    "model": "m",
    "task": None,
    "target": "t",
    "label": 1,
    "score": 0.5,
    "threshold": None,
}
OTHERS: list[dict[str, object]] = [
    {"sample_id": "b"}, {"model": "n"}, {"task": "t"}, {"label": 0}, {"label": None},
    {"score": 0.5000000000000001}, {"score": None}, {"threshold": 0.5}, {"loss": 0.5}, {"sample_id": "a "},
]  # fmt: skip


def test_checksums_differ_when_anything_differs() -> None:
    """Every value of a row counts, NULL as a value of its own, and so does the column a value stands in."""
    rows = [BASE, *(BASE | other for other in OTHERS)]
    sums = with_checksums(table(PREDICTIONS, rows))[CHECKSUM].to_pylist()
    assert len(set(sums)) == len(rows)
    assert {len(one) for one in sums} == {16}


def test_checksums_of_vectors_differ_in_one_bit() -> None:
    """A flipped bit of a vector is another checksum; the same vector at another place of a column is not."""
    vectors = np.zeros((3, 8), np.float32)
    vectors[1] = vectors[2] = np.linspace(0, 1, 8)
    vectors.view(np.uint32)[2, 5] ^= 1
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8)
    whole = pa.table({"sample_id": ["a", "a", "a"], "vector": column})
    sums = with_checksums(whole)[CHECKSUM].to_pylist()
    assert len(set(sums)) == 3
    assert with_checksums(whole.slice(1, 1))[CHECKSUM].to_pylist() == sums[1:2]


@pytest.mark.parametrize(
    "changed",
    [
        lambda rows: rows.select(rows.column_names[::-1]),
        lambda rows: rows.append_column("empty", pa.nulls(rows.num_rows, pa.string())),
        lambda rows: pa.concat_tables([rows.slice(0, 2), rows.slice(2)]),
        with_checksums,
    ],
    ids=["order of columns", "empty column", "chunks", "checksums already there"],
)
def test_checksums_do_not_depend_on_layout(changed: Callable[[pa.Table], pa.Table]) -> None:
    """Order of columns, columns without values and chunks are no content."""
    rows = reports(*WRITTEN)
    assert with_checksums(changed(rows))[CHECKSUM].to_pylist() == with_checksums(rows)[CHECKSUM].to_pylist()


def test_the_fingerprint_of_nothing_is_zero() -> None:
    """No rows, and batches without rows, add up to nothing; a sliced batch adds its own rows alone."""
    summed = with_checksums(reports(*WRITTEN))
    assert fingerprint([]) == fingerprint(summed.slice(0, 0).to_batches()) == "0" * 32
    batch = summed.to_batches()[0]
    assert fingerprint([batch.slice(3, 4), batch.slice(0, 3), batch.slice(7)]) == fingerprint([batch])
