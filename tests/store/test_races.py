"""Of commands that write to an object store at once, one wins, and the others are told."""

import contextlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import lance
import pytest
from pyarrow import fs
from store import racing
from store.store_rows import images, reports

from misread.care import delete_patient
from misread.encode import embed
from misread.schemas.errors import MisreadError, StoreError
from misread.store import TableStore
from misread.store import store as store_module

MEANWHILE = "was changed by another process meanwhile"
AGAIN = "run the same command again; nothing of this one is visible"


def texts(place: str | Path) -> list[str]:
    store = TableStore.open(place)
    return sorted(store.table("reports").read(["report"])["report"].to_pylist()) if store.has("reports") else []


class Racer:
    """A process that commits to a store turn by turn, and waits at the end of each commit; killed after its block."""

    def __init__(self, place: str, who: str, table: str, turns: int) -> None:
        command = [sys.executable, racing.__file__, place, who, table, str(turns)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process as process:
            process.kill()

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def said(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip().split("|")


def ended_at_once(racers: list[Racer]) -> list[list[str]]:
    """How the racers' commits went, which ended in the same moment.

    Who finds another at its table before that may be refused at once.
    """
    for racer in racers:
        racer.go()
    said = [racer.said() for racer in racers]
    ready = [racer for racer, word in zip(racers, said, strict=True) if word == ["ready"]]
    for racer in ready:
        racer.go()
    return [racer.said() for racer in ready] + [word for word in said if word != ["ready"]]


@pytest.mark.slow
def test_of_processes_that_end_in_the_same_moment_one_wins(bucket: str) -> None:
    """Exactly one commit happens, the first of a store too; the losers are told, and the store is the winner's."""
    place, turns, won = f"{bucket}/same-moment", 8, []
    tables = ("reports", "reports", "images", "images")
    with contextlib.ExitStack() as open_racers:
        racers = [Racer(place, f"{name} {n}", name, turns) for n, name in enumerate(tables)]
        for racer in racers:
            open_racers.enter_context(racer)
        for _ in range(turns):
            ends = ended_at_once(racers)
            assert Counter(end[0] for end in ends) == {"won": 1, "refused": len(racers) - 1}, ends
            assert all(MEANWHILE in end[1] and end[2] == AGAIN for end in ends if end[0] == "refused"), ends
            won += [end[1] for end in ends if end[0] == "won"]
            store = TableStore.open(place)
            assert [state.command for state in store.manifest.states] == won
            there = [store.table(name).read(["sample_id"])["sample_id"].to_pylist() for name in store.tables]
            assert sorted(sample for samples in there for sample in samples) == sorted(won)


def test_writers_of_one_table_lose_nothing(bucket: str) -> None:
    """Threads that append to one table and begin again when they are told to: every row is there once."""
    place, told = f"{bucket}/one-table", []
    with TableStore.open_or_new(place).commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))

    def write(name: str) -> None:
        while True:
            try:
                with TableStore.open(place).commit(name) as commit:
                    commit.append("reports", reports((name, None, f"{name} first")))
                    commit.upsert("reports", reports((f"{name}2", None, f"{name} second")))
                return
            except StoreError as error:
                told.append(error.message)

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told
    assert all(MEANWHILE in message for message in told)
    assert texts(place) == ["clear", *(f"w{n} {which}" for n in range(3) for which in ("first", "second"))]
    assert TableStore.open(place).state == 4


def test_an_answer_that_is_lost_is_looked_up(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit whose answer did not arrive has happened, if it is there; else it is an error, and changes nothing."""
    place = f"{bucket}/lost-answers"
    store = TableStore.open_or_new(place)
    happens = lance.LanceDataset.commit

    def lost(*arguments: Any, **options: Any) -> None:
        happens(*arguments, **options)
        raise OSError("connection reset")

    def unsent(*arguments: Any, **options: Any) -> None:
        raise OSError("connection refused")

    def commit(name: str) -> None:
        with store.commit(name) as commit:
            commit.append("reports", reports((name, None, name)))

    for name in ("first", "second"):
        monkeypatch.setattr(lance.LanceDataset, "commit", lost)
        commit(name)
        monkeypatch.setattr(lance.LanceDataset, "commit", unsent)
        with pytest.raises(StoreError, match=r"cannot be written.*connection refused"):
            commit("unsent")
    monkeypatch.setattr(lance.LanceDataset, "commit", happens)
    assert texts(place) == ["first", "second"]


def with_patients(place: str) -> TableStore:
    store = TableStore.open_or_new(place)
    with store.commit("ingest") as commit:
        commit.append("images", images(["a", "b"]))
    with store.commit("more") as commit:
        commit.append("reports", reports(("a", None, "clear"), ("b", None, "effusion")))
    return store


def unknown(place: str) -> None:
    with pytest.raises(MisreadError, match="no patient"):
        delete_patient(TableStore.open(place), "nobody")


@pytest.mark.parametrize(
    ("delete", "left"),
    [(lambda place: delete_patient(TableStore.open(place), "a"), ["effusion"]), (unknown, ["clear", "effusion"])],
    ids=["known", "unknown"],
)
def test_who_writes_while_a_deletion_removes_is_told(
    bucket: str, delete: Callable[[str], object], left: list[str]
) -> None:
    """A deletion removes what it cannot tell from a killed writer's; a living one does not get to name it."""
    place = f"{bucket}/deleting-{len(left)}"
    store = with_patients(place)

    def overtaken() -> None:
        with store.commit("loses") as commit:
            commit.append("reports", reports(("c", None, "lost")))
            commit.put_model("m", {})
            delete(place)

    with pytest.raises(StoreError, match=MEANWHILE):
        overtaken()
    assert texts(place) == left
    with store.commit("again") as commit:
        commit.append("reports", reports(("c", None, "kept")))
    assert texts(place) == sorted([*left, "kept"])


def refitted(place: str) -> None:
    embed(TableStore.open(place), image_encoder=None, refit=True)


def committed(place: str) -> None:
    with TableStore.open(place).commit("more", although_closed=True) as commit:
        commit.append("images", images(["d"]))


@pytest.mark.slow
@pytest.mark.parametrize("ends", [unknown, refitted, committed])
def test_a_store_is_closed_while_older_states_are_removed(
    bucket: str, ends: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until who removes, killed or not, is through, readers read and no other writer begins; the next one ends it."""
    place = f"{bucket}/closed-{ends.__name__}"
    with_patients(place)
    removes = store_module.remove_unnamed
    monkeypatch.setattr(store_module, "remove_unnamed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        delete_patient(TableStore.open(place), "a")
    monkeypatch.setattr(store_module, "remove_unnamed", removes)
    assert texts(place) == ["effusion"]
    assert len(lance.dataset(f"{place}/reports.lance").versions()) > 1
    with pytest.raises(StoreError, match="is closed while its older states"), TableStore.open(place).commit("x"):
        pytest.fail("a closed store was written")
    ends(place)
    assert len(lance.dataset(f"{place}/reports.lance").versions()) == 1
    with TableStore.open(place).commit("again") as commit:
        commit.append("reports", reports(("c", None, "kept")))
    assert texts(place) == ["effusion", "kept"]


def test_a_deletion_leaves_no_older_manifest(bucket: str) -> None:
    """What older manifests said goes from an object store with the states that they named."""
    place = f"{bucket}/older"
    with_patients(place)
    delete_patient(TableStore.open(place), "a")
    kept = [one["version"] for one in lance.dataset(f"{place}/manifest.lance").versions()]
    assert kept == [3, 4]  # the deletion's own: closed, and open again


def test_a_store_can_be_copied_to_a_bucket_and_back(bucket: str, tmp_path: Path) -> None:
    """On a disk and behind a URI a store has its manifest in other places; a copy is read, and written on."""
    disk, back, place = tmp_path / "disk", tmp_path / "back", f"{bucket}/copied"
    with_patients(str(disk))
    fs.copy_files(str(disk), place)
    assert texts(place) == ["clear", "effusion"]
    with TableStore.open(place).commit("there") as commit:
        commit.append("reports", reports(("c", None, "nodule")))
    assert (texts(place), TableStore.open(place).state) == (["clear", "effusion", "nodule"], 3)
    fs.copy_files(place, str(back))
    assert texts(back) == ["clear", "effusion", "nodule"]
    with TableStore.open(back).commit("back") as commit:
        commit.append("reports", reports(("d", None, "oedema")))
    assert (texts(back), TableStore.open(back).state) == (["clear", "effusion", "nodule", "oedema"], 4)
    assert TableStore.open(back, state=2).table("reports").count() == 2
    assert not (back / "manifest.lance").exists()
