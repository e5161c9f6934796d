"""A store in an object store: S3, as moto plays it on the loopback."""

import numpy as np
import pytest
from encode.encode_inputs import encoded, grey, image_row, vectors
from store.store_rows import images, picture, reports

from misread.care import Stray, strays
from misread.care.strays import FOREIGN
from misread.encode import embed, inputs, job
from misread.encode.finished import FOLDER
from misread.encode.hog import HogEncoder
from misread.schemas.errors import StoreError
from misread.schemas.tables import IMAGES
from misread.store import EncoderEntry, TableStore
from stores import table


def test_a_store_lives_in_an_object_store(bucket: str) -> None:
    """Everything a store does on a disk it does behind a URI: commits, states, pictures, models."""
    place = f"{bucket}/deep/cxr"
    with pytest.raises(StoreError, match="no misread store"):
        TableStore.open(place)
    store = TableStore.open_or_new(place)
    with store.commit("ingest") as commit:
        commit.append("images", images(["a", "b", "c"], without=["b"]))
        commit.append("reports", reports(("a", None, "clear"), (None, "s", "clear")))
    with store.commit("change") as commit:
        commit.upsert("reports", reports((None, "s", "effusion")))
        commit.writer("images").delete("sample_id = 'c'")
        file = commit.put_model("m", {"a": np.arange(3)})
        commit.set_encoder("e", EncoderEntry("report", 1, "built-in", 2, file))
    read = TableStore.open(place)
    assert sorted(read.table("reports").read(["report"])["report"].to_pylist()) == ["clear", "effusion"]
    assert list(read.table("images").pictures()) == [(["a"], [picture("a")])]
    assert read.read_model(file)["a"].tolist() == [0, 1, 2]
    assert TableStore.open(place, state=1).table("images").count() == 3
    assert strays(read) == []
    read.files.replace("copy/notes.txt", b"12345")
    assert strays(read) == [Stray("copy", 5, FOREIGN)]


def test_the_writer_that_ends_second_is_refused(bucket: str) -> None:
    """Without a lock, a commit over a state that is no longer the newest is a StoreError."""
    place = f"{bucket}/raced"
    first = TableStore.open_or_new(place)
    with first.commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))
    second = TableStore.open(place)

    def overtaken() -> None:
        with second.commit("loses") as commit:
            commit.append("reports", reports(("b", None, "lost")))
            with first.commit("wins") as winner:
                winner.append("reports", reports(("c", None, "kept")))

    with pytest.raises(StoreError, match="changed by another process"):
        overtaken()
    assert sorted(TableStore.open(place).table("reports").read()["report"].to_pylist()) == ["clear", "kept"]


def test_a_job_goes_on_in_an_object_store(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a stopped embedding had finished lies behind the URI, is used, and is gone once the job is done."""
    monkeypatch.setattr(inputs, "PICTURES_AT_ONCE", 2)
    monkeypatch.setattr(job, "ROWS_A_FILE", 1)
    pictures = {f"s{n}": encoded(grey(n, 24, 28)) for n in range(8)}
    store = TableStore.open_or_new(f"{bucket}/embedded")
    with store.commit("ingest") as commit:
        commit.append("images", table(IMAGES, [image_row(*item) for item in pictures.items()]))

    def stop(done: int, total: int, what: str) -> None:
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed(store, report_encoder=None, progress=stop)
    assert len(store.files.names(FOLDER)) == 2
    told: list[int] = []
    embed(store, report_encoder=None, progress=lambda done, total, what: told.append(done))
    assert told == [4, 6, 8]
    assert store.files.names(FOLDER) == []
    np.testing.assert_array_equal(
        [vectors(store, "hog")[sample] for sample in pictures], HogEncoder().encode(list(pictures.values()))
    )
