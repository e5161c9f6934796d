"""The store's small files: manifest, models, and who may read them."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from store.store_rows import reports

from misread.schemas.errors import StoreError
from misread.store import EncoderEntry, TableStore

ARRAYS = {"words": np.array(["a", "né"]), "weights": np.linspace(0, 1, 5, dtype=np.float32), "none": np.zeros((0, 3))}


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    store = TableStore.open_or_new(tmp_path / "store")
    with store.commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))
    return store


def manifest(store: TableStore) -> Path:
    return Path(store.location) / "manifest.json"


def rewritten(store: TableStore, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(manifest(store).read_text())
    change(document)
    manifest(store).write_text(json.dumps(document))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"format": "misread"}', b'{"format_version": 1, "states": []}'],
)
def test_a_damaged_manifest_is_said_to_be_damaged(store: TableStore, content: bytes) -> None:
    """Whatever stands in the manifest's place, the error names the store and what to do."""
    manifest(store).write_bytes(content)
    for door in (TableStore.open, TableStore.open_or_new):
        with pytest.raises(StoreError, match=r"manifest of .* is damaged") as caught:
            door(store.location)
        assert store.location in caught.value.message
        assert "copy" in caught.value.hint
    with pytest.raises(StoreError, match="damaged"), store.commit("fails"):
        pytest.fail("a damaged store was written")
    assert manifest(store).read_bytes() == content


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["states"][0].pop("tables"),
        lambda document: document["states"][0]["tables"]["reports"].pop("version"),
        lambda document: document["states"][0]["tables"]["reports"].update(colour="red"),
        lambda document: document["states"].append(3),
        lambda document: document.update(format="another"),
    ],
)
def test_a_manifest_with_a_hole_is_damaged(store: TableStore, change: Callable[[dict[str, Any]], object]) -> None:
    """Missing and unknown fields are found at the door."""
    rewritten(store, change)
    with pytest.raises(StoreError, match="damaged"):
        TableStore.open(store.location)


def test_another_format_version_is_refused(store: TableStore) -> None:
    """A store of a later misread is neither read nor written, and both versions are named."""
    rewritten(store, lambda document: document.update(format_version=5, states="in another way"))
    before = manifest(store).read_bytes()
    with pytest.raises(StoreError, match="format version 5; this misread reads version 4"):
        TableStore.open(store.location)
    with pytest.raises(StoreError, match="format version"), store.commit("fails"):
        pytest.fail("a store of another version was written")
    assert manifest(store).read_bytes() == before


def test_a_missing_table_is_told(store: TableStore) -> None:
    """A table that was removed by hand is a StoreError, for readers and for writers."""
    (Path(store.location) / "reports.lance").rename(Path(store.location) / "elsewhere")
    with pytest.raises(StoreError, match="'reports' cannot be read: "):
        TableStore.open(store.location).table("reports")
    with pytest.raises(StoreError, match="'reports' cannot be read"), store.commit("fails") as commit:
        commit.append("reports", reports(("b", None, "x")))


def test_there_is_no_store_where_there_is_none(tmp_path: Path) -> None:
    """A missing folder, a file and a folder of other things are told apart, and nothing is written."""
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_text("x")
    other.mkdir()
    (other / "notes.txt").write_text("x")
    for place in (tmp_path / "none", other):
        with pytest.raises(StoreError, match="no misread store"):
            TableStore.open(place)
    with pytest.raises(StoreError, match="not a misread store"):
        TableStore.open_or_new(other)
    for door in (TableStore.open, TableStore.open_or_new):
        with pytest.raises(StoreError, match="is a file, and a store is a folder"):
            door(file)
    with pytest.raises(StoreError, match="cannot reach"):
        TableStore.open_or_new("nothing://like/this")
    assert TableStore.open_or_new(tmp_path / "none").tables == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "other"]


def test_a_new_store_is_its_owners_alone(tmp_path: Path) -> None:
    """Patients' pictures are private: the folder is mode 0700 whatever the umask."""
    old = os.umask(0o000)
    try:
        store = TableStore.open_or_new(tmp_path / "deep" / "store")
        with store.commit("ingest") as commit:
            commit.append("reports", reports(("a", None, "clear")))
            commit.put_model("m", ARRAYS)
    finally:
        os.umask(old)
    for name in ("", "models"):
        assert stat.S_IMODE((Path(store.location) / name).stat().st_mode) == 0o700
    for path in (manifest(store), *(Path(store.location) / "models").iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    """file:// names the same store as the path, blanks and all."""
    place = tmp_path / "my store"
    with TableStore.open_or_new(place.as_uri()).commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))
    assert TableStore.open(place).location == TableStore.open(place.as_uri()).location == str(place)
    assert TableStore.open(place.as_uri()).table("reports").count() == 1


def test_models_come_back_as_they_were_kept(store: TableStore) -> None:
    """Arrays keep type, shape and content; equal arrays are one file, other arrays another."""
    with store.commit("fit") as commit:
        file = commit.put_model("m", ARRAYS)
        assert commit.put_model("m", dict(reversed(ARRAYS.items()))) == file
        others = [commit.put_model("m", ARRAYS | {"weights": ARRAYS["weights"] + 1}), commit.put_model("n", ARRAYS)]
    assert len({file, *others}) == 3
    found = store.read_model(file)
    assert list(found) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    with pytest.raises(ValueError, match="Object arrays"), store.commit("fails") as commit:
        commit.put_model("m", {"objects": np.array([{}], dtype=object)})


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "swapped", "empty"])
def test_a_damaged_model_is_told(store: TableStore, damage: str) -> None:
    """A model that is not what was written is never used."""
    with store.commit("fit") as commit:
        file = commit.put_model("m", ARRAYS)
        other = commit.put_model("m", {"a": np.zeros(3)})
    path = Path(store.location) / file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    elif damage == "swapped":
        path.write_bytes((Path(store.location) / other).read_bytes())
    else:
        middle = content.find(ARRAYS["weights"].tobytes())
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"cut": content[:-40], "flipped": flipped, "empty": b""}[damage])
    with pytest.raises(StoreError, match=r"m-\w+\.npz"):
        store.read_model(file)


def test_an_encoder_of_no_modality_is_refused() -> None:
    """The manifest says image, report or metadata of an encoder, and nothing else."""
    with pytest.raises(StoreError, match="none of image, report, metadata"):
        EncoderEntry("sound", 2, "built-in", 1)  # type: ignore[arg-type]
