"""Folders in TMPDIR go with their process, killed or not."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from misread.schemas.errors import MisreadError
from misread.sql import Session, temporary
from misread.sql.temporary import TemporaryFolder

HOLD = """
import sys, time
from misread.sql import Session
session = Session({})
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    temporary._remove_abandoned.cache_clear()
    return tmp_path


def test_what_a_killed_process_left_goes_and_a_living_ones_stays(place: Path) -> None:
    """A process that makes its first folder removes those whose process was killed, and no other's."""
    environment = os.environ | {"TMPDIR": str(place)}
    both = [
        subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(2)
    ]
    try:
        assert [process.stdout.readline() for process in both if process.stdout] == ["ready\n"] * 2
        assert len(list(place.glob("misread-sql-*"))) == 2
        both[0].send_signal(signal.SIGKILL)
        both[0].wait()
        with Session({}):
            assert len(list(place.glob("misread-sql-*"))) == 2
        assert len(list(place.glob("misread-sql-*"))) == 1
    finally:
        for process in both:
            process.kill()
            process.communicate()


def test_folders_of_other_names_or_without_a_lock_stay(place: Path) -> None:
    """What looks like misread's, but was not made like this, is not removed; one's own are not either."""
    (place / "misread-demo").mkdir()
    (place / "misread-demo" / "lock").touch()
    (place / "misread-sql-abcdefgh").mkdir()
    with TemporaryFolder("rows") as mine:
        temporary._remove_abandoned.cache_clear()
        with TemporaryFolder("index"):
            assert mine.is_dir()
    assert sorted(path.name for path in place.iterdir()) == ["misread-demo", "misread-sql-abcdefgh"]


def test_a_folder_that_another_process_takes_for_abandoned_is_made_anew(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes between a folder's making and its lock may remove it, at leisure: another one is made."""
    opened, removed = os.open, threading.Event()

    def remove(folder: Path, rival: int) -> None:
        shutil.rmtree(folder)
        os.close(rival)
        removed.set()

    def rivalled(path: Path, flags: int, *rest: int) -> int:
        descriptor = opened(path, flags, *rest)
        monkeypatch.setattr(os, "open", opened)
        rival = opened(path, os.O_RDWR)
        fcntl.flock(rival, fcntl.LOCK_EX | fcntl.LOCK_NB)
        threading.Timer(0.3, remove, [path.parent, rival]).start()
        return descriptor

    monkeypatch.setattr(os, "open", rivalled)
    with TemporaryFolder("rows") as mine:
        assert removed.wait(10)
        assert mine.is_dir()
        assert list(place.iterdir()) == [mine]


def test_no_folder_to_write_in_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither TMPDIR nor any usual place may be written, the error names TMPDIR."""

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    with pytest.raises(MisreadError, match="No usable temporary directory") as told:
        Session({})
    assert "TMPDIR" in told.value.hint
