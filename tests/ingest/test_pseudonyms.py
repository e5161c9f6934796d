"""The key of hashed ids: made once, whole or not at all, its owner's alone, and refused where it is none."""

import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from misread.ingest.pseudonyms import by_key_in, kept_key, key_beside, new_key, read_key
from misread.schemas.errors import MisreadError

KILLED = """
import os, signal, sys
from pathlib import Path
from misread.ingest.pseudonyms import kept_key, new_key

step, is_done, path = sys.argv[1:]
real = getattr(os, step)

def then_die(*arguments):
    if is_done == "True":
        real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(os, step, then_die)
kept_key(Path(path), new_key())
"""
"""Makes a key in a process that kills itself (SIGKILL) before or after a step is done."""


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", ["fsync", "link"])
def test_a_key_is_whole_or_not_there(step: str, is_done: bool, tmp_path: Path) -> None:
    """Killed at any step of its making, the next has a whole key; one that is there is never another."""
    path = tmp_path / "store.key"
    ended = subprocess.run([sys.executable, "-c", KILLED, step, str(is_done), str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    before = path.read_bytes() if path.exists() else None
    assert before is None or len(before) == 65
    assert len(kept_key(path, new_key())) == 64
    assert before is None or path.read_bytes() == before
    assert kept_key(path, new_key()) == read_key(path)


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    """In a folder that is not there yet too, as a store may be."""
    path = tmp_path / "new" / "store.key"
    kept_key(path, new_key())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["store.key"]


def test_all_who_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    """The first key that is there stays."""
    together = Barrier(8)

    def make(_: int) -> bytes:
        together.wait()
        return kept_key(tmp_path / "store.key", new_key())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(8)))) == 1


def test_a_key_is_kept_before_what_is_hashed_with_it(tmp_path: Path) -> None:
    """A new key is in no file until it is to be kept; one that another made meanwhile stays, and is told."""
    path = tmp_path / "store.key"
    first, second = by_key_in(path, frozenset()), by_key_in(path, frozenset())
    assert not path.exists()
    first.keep_key()
    first.keep_key()
    assert by_key_in(path, frozenset()).of("patient_id", "p") == first.of("patient_id", "p")
    with pytest.raises(MisreadError, match="another command made the key"):
        second.keep_key()
    assert read_key(path) == first.key


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "is empty"), (b" \n", "is empty"), (b"0123456789abcde\n", "has 15 bytes")]
)
def test_a_file_that_holds_no_key_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    """Empty or short, beside a store too: it is not written over, for ids may be stored with what it held."""
    path = tmp_path / "store.key"
    path.write_bytes(content)
    for read in (read_key, lambda path: kept_key(path, new_key()), lambda path: by_key_in(path, frozenset())):
        with pytest.raises(MisreadError, match=told):
            read(path)
    assert path.read_bytes() == content


def test_a_place_that_cannot_hold_a_key_is_told(tmp_path: Path) -> None:
    """A file in place of the folder is an error with its reason."""
    (tmp_path / "file").write_text("")
    with pytest.raises(MisreadError, match="cannot be made: "):
        kept_key(tmp_path / "file" / "store.key", new_key())


@pytest.mark.parametrize(
    ("store", "key"),
    [
        ("{place}/my store", "{place}/my store.key"),
        ("{place}/my store/", "{place}/my store.key"),
        ("file://{place}/my%20store", "{place}/my store.key"),
        ("s3://bucket/audits/cxr/", "{place}/cxr.key"),
    ],
)
def test_a_stores_key_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str, key: str) -> None:
    """However the store is named; in the working directory for one in an object store."""
    monkeypatch.chdir(tmp_path)
    assert str(key_beside(store.format(place=tmp_path))) == key.format(place=tmp_path)
