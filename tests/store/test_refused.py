"""What the disk refuses a writer is told: what, where, what to do; and nothing half-written is named."""

import contextlib
import errno
import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from store.store_rows import images, reports

from misread.cli.messages import told
from misread.execute.cache import Cache
from misread.ingest.rejects import rejects_folder, write_rejects
from misread.schemas.errors import MisreadError, StoreError, command
from misread.store import TableStore
from misread.writing import replacing

WRITE_MUCH = """
import resource
import sys
from store.store_rows import images, reports
from misread.cli.messages import told
from misread.store import TableStore
import numpy as np

store = TableStore.open(sys.argv[1])
what = sys.argv[2]
many = [f"s{i}" for i in range(4000)]
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
try:
    with store.commit("ingest") as commit:
        if what == "append":
            commit.append("images", images(many))
        elif what == "upsert":
            commit.upsert("reports", reports(*((s, None, s * 30) for s in many)))
        else:
            commit.put_model("m", {"a": np.random.default_rng(0).random(9000)})
except BaseException as error:
    raise SystemExit(told(error))
"""


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    store = TableStore.open_or_new(tmp_path / "store")
    with store.commit("ingest") as commit:
        commit.append("images", images(["a"]))
        commit.append("reports", reports(("a", None, "clear")))
    return store


@pytest.mark.slow
@pytest.mark.parametrize("what", ["append", "upsert", "model"])
def test_a_disk_that_takes_no_more_is_told(store: TableStore, what: str) -> None:
    """Wherever in a commit the bytes run out: an error in words, no state, no half-written file; later commits work."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command_line = [sys.executable, "-c", WRITE_MUCH, store.location, what]
    done = subprocess.run(command_line, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    first, hint = done.stderr.strip().splitlines()
    assert first.startswith("Error: the ")
    assert store.location in first
    assert first.endswith("cannot be written: File too large")
    assert hint.startswith("make room there")
    again = TableStore.open(store.location)
    assert (again.state, again.table("images").count()) == (1, 1)
    assert not [path for path in Path(store.location).rglob(".*") if path.is_file()]
    with again.commit("ingest") as commit:
        commit.append("images", images(["b"]))
    assert TableStore.open(store.location).table("images").count() == 2


@pytest.mark.parametrize(
    ("code", "hint"), [(errno.ENOSPC, "make room"), (errno.EROFS, "not read-only"), (errno.EACCES, "yours to write")]
)
def test_a_store_that_cannot_be_written_is_told(
    store: TableStore, code: int, hint: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Small files, the lock, and answers that are cleared: none is told as a fault of misread itself."""

    def refuses(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    cache = Path(store.location) / "cache"
    cache.mkdir()
    (cache / "x.arrow").write_bytes(b"")
    doors = {
        "tempfile.mkstemp": lambda: store.files.replace("models/x", b"x"),
        "os.open": lambda: store.files.writing().__enter__(),
        "pathlib.Path.unlink": lambda: Cache(store).clear(),
        "pathlib.Path.mkdir": lambda: TableStore.open_or_new(f"{store.location}2").commit("x").__enter__(),
    }
    for name, door in doors.items():
        with monkeypatch.context() as patched:
            patched.setattr(name, refuses)
            with pytest.raises(StoreError, match=f"the store {store.location}2? cannot be written") as caught:
                door()
        told(caught.value)
        shown = capsys.readouterr().err
        assert os.strerror(code) in shown
        assert hint in shown


def test_what_the_rows_come_from_is_not_told_as_the_store(store: TableStore) -> None:
    """An OSError of the source of rows passes as it was raised."""

    def rows() -> Iterator[pa.Table]:
        yield images(["b"])
        raise PermissionError(errno.EACCES, "Permission denied", "picture.png")

    schema = pa.schema([field for field in images(["b"]).schema if field.name != "checksum"])
    with pytest.raises(PermissionError, match=r"picture\.png"), store.commit("ingest") as commit:
        commit.append_batches("images", rows(), schema)


def test_a_full_disk_is_told_of_a_file_that_is_written(tmp_path: Path) -> None:
    """An answer that does not fit is told, what was there stays, and nothing is left beside it."""
    target = tmp_path / "answer.csv"
    target.write_text("before")

    def write() -> None:
        with replacing(target) as stream:
            stream.write(b"part")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(MisreadError, match=r"answer\.csv cannot be written: No space left on device"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["answer.csv"]
    assert target.read_text() == "before"


def test_a_store_in_a_folder_that_was_there_is_private(tmp_path: Path) -> None:
    """An empty folder that others may enter is closed when a store is made of it; who is let in later stays so."""
    place = tmp_path / "store"
    place.mkdir()
    place.chmod(0o755)
    store = TableStore.open_or_new(place)
    with store.commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(0o750)
    with store.commit("ingest") as commit:
        commit.append("reports", reports(("b", None, "clear")))
    assert stat.S_IMODE(place.stat().st_mode) == 0o750


def test_rejected_rows_are_private_in_a_folder_that_was_there(store: TableStore) -> None:
    """A folder that others may enter is closed before rejected rows are written to it."""
    folder = rejects_folder(store)
    folder.mkdir()
    folder.chmod(0o755)
    write_rejects(folder, [], [])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_files_of_another_user_are_told_as_that(store: TableStore) -> None:
    """A command run once as root leaves files that the store's own user may not read: they are to be given back."""
    with store.commit("ingest") as commit:
        commit.append("reports", reports(("a", None, "clear")))
    place = Path(store.location)
    table = place / "reports.lance"
    for hidden in (table, place):
        mode = hidden.stat().st_mode
        hidden.chmod(0)
        try:
            with _as_somebody(), pytest.raises(StoreError, match="Permission denied") as caught:
                TableStore.open(place).table("reports")
        finally:
            hidden.chmod(mode)
        assert "chown" in caught.value.hint
    table.rename(place / "lost")
    with pytest.raises(StoreError) as caught:
        TableStore.open(place).table("reports")
    assert "chown" not in caught.value.hint


@contextlib.contextmanager
def _as_somebody() -> Iterator[None]:
    """Without the rights of root."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_commands_can_be_copied_whatever_the_name() -> None:
    """A shell reads a suggested command as the words that it was made of."""
    words = ["slices", "my store; rm x", "--audit", "a'b", "$(x)", "*"]
    assert shlex.split(command(*words)) == ["misread", *words]
    assert command("info", "./store") == "misread info ./store"
    with pytest.raises(StoreError) as caught:
        TableStore.open("not here; at all")
    assert "misread ingest 'not here; at all' --metadata" in caught.value.hint
