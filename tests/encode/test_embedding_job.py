"""Embedding is a job: it goes on where it was, lets others write meanwhile, and becomes visible once and whole."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from encode.encode_inputs import REPORT_TEXTS, encoded, fill, grey, vectors

from misread.encode import embed, inputs, job
from misread.encode.choosing import Choice
from misread.encode.finished import FOLDER
from misread.encode.hog import HogEncoder
from misread.encode.inputs import Pictures
from misread.encode.job import Ready
from misread.schemas.errors import MisreadError
from misread.store import TableStore

PICTURES = {f"s{n:03}": encoded(grey(n, 24, 28)) for n in range(160)}
REPORTS = [(sample, None, f"{REPORT_TEXTS[n % 8]} Film {n}.") for n, sample in enumerate(PICTURES)]
FEW = {sample: PICTURES[sample] for sample in list(PICTURES)[:12]}

SERVER = """
import os, sys
import lance, sklearn.feature_extraction.text, sklearn.utils.extmath, skimage.feature, PIL.Image
from misread.encode import embed, inputs, job
from misread.store import TableStore

inputs.PICTURES_AT_ONCE = inputs.TEXTS_AT_ONCE = 8
job.SECONDS_A_FILE = 0.01
for line in sys.stdin:  # each in a process of its own, forked so that modules are imported once
    child = os.fork()
    if not child:
        embed(TableStore.open(line.rstrip('\\n')))
        os._exit(0)
    print(child, flush=True)
    print('done' if os.waitpid(child, 0)[1] == 0 else 'killed', flush=True)
"""


def fingerprints(store: TableStore) -> dict[str, str]:
    return {name: entry.fingerprint for name, entry in store.manifest.tables.items() if name.startswith("embeddings_")}


def kept(place: Path) -> set[str]:
    """The files of what unfinished jobs have encoded."""
    return {path.name for path in (place / FOLDER).glob("*.arrow")} if (place / FOLDER).exists() else set()


@contextlib.contextmanager
def embedding() -> Iterator[Any]:
    """A function that runs the job on a store; killed after some seconds, if that is sooner. True: it was killed."""
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin
    assert server.stdout

    def run(place: Path, seconds: float | None = None) -> bool:
        print(place, file=server.stdin, flush=True)
        child = int(server.stdout.readline())  # type: ignore[union-attr]
        if seconds is not None:
            time.sleep(seconds)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return server.stdout.readline().strip() == "killed"  # type: ignore[union-attr]

    try:
        yield run
    finally:
        server.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.exhaustive)])
def test_a_job_killed_at_random_moments_loses_no_row_and_makes_none_twice(kills: int, tmp_path: Path) -> None:
    """SIGKILL: what was finished stays, nothing shows before all is there, and then each row is there once."""
    fresh = Path(fill(tmp_path / "fresh", PICTURES, REPORTS).location)
    whole = TableStore.open(shutil.copytree(fresh, tmp_path / "whole"))
    with embedding() as run:
        run(Path(whole.location))
        started = time.monotonic()
        run(Path(shutil.copytree(fresh, tmp_path / "timed")))
        lasts = time.monotonic() - started
        expected = fingerprints(TableStore.open(whole.location))
        chance, killed, ended, resumed = random.Random(kills), 0, 0, 0
        place = Path(shutil.copytree(fresh, tmp_path / "0"))
        while killed < kills:
            before = kept(place)
            resumed += bool(before)
            killed += run(place, chance.uniform(0, lasts))
            store = TableStore.open(place)
            if store.state == 1:
                assert before <= kept(place)
                continue
            assert fingerprints(store) == expected
            ended += 1
            place = Path(shutil.copytree(fresh, tmp_path / str(ended)))
        run(place)
        run(place)  # what a kill between commit and tidying up leaves goes with the next run
    store = TableStore.open(place)
    assert fingerprints(store) == expected
    assert {entry.rows for name, entry in store.manifest.tables.items() if name in expected} == {len(PICTURES)}
    assert (store.state, kept(place)) == (2, set())
    assert resumed > kills // 5


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every picture that was encoded, in order; 2 at a time, each kept at once."""
    monkeypatch.setattr(inputs, "PICTURES_AT_ONCE", 2)
    monkeypatch.setattr(job, "ROWS_A_FILE", 1)
    seen: list[bytes] = []
    inner = HogEncoder.encode

    def encode(self: HogEncoder, items: Sequence[bytes]) -> Any:
        seen.extend(items)
        return inner(self, items)

    monkeypatch.setattr(HogEncoder, "encode", encode)
    return seen


def stop(done: int, total: int, what: str) -> None:
    """Interrupts a job in its midst."""
    if done >= 6:
        raise KeyboardInterrupt


def test_a_job_goes_on_where_it_was(tmp_path: Path, counted: list[bytes]) -> None:
    """Stopped in its midst, nothing shows; the next run encodes the rest alone, and says how far it is."""
    store = fill(tmp_path / "store", FEW)

    with pytest.raises(KeyboardInterrupt):
        embed(store, report_encoder=None, progress=stop)
    assert TableStore.open(store.location).tables == ["images"]
    first, told = list(counted), []
    counted.clear()
    embed(store, report_encoder=None, progress=lambda done, total, what: told.append((done, total)))
    assert told[0] == (len(first), 12)
    assert told[-1] == (12, 12)
    assert sorted(first + counted) == sorted(FEW.values())
    whole = fill(tmp_path / "whole", FEW)
    embed(whole, report_encoder=None)
    assert fingerprints(store) == fingerprints(whole)
    assert store.state == 2
    assert kept(Path(store.location)) == set()


def test_kept_work_that_changed_is_done_again(tmp_path: Path, counted: list[bytes]) -> None:
    """A file of finished vectors whose bytes were flipped is left out, and its rows are encoded again."""
    store = fill(tmp_path / "store", FEW)

    with pytest.raises(KeyboardInterrupt):
        embed(store, report_encoder=None, progress=stop)
    file = sorted((Path(store.location) / FOLDER).glob("*.arrow"))[0]
    assert file.stat().st_mode & 0o077 == 0
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    counted.clear()
    embed(store, report_encoder=None)
    assert len(counted) == 8
    whole = fill(tmp_path / "whole", FEW)
    embed(whole, report_encoder=None)
    assert fingerprints(store) == fingerprints(whole)


def test_equal_pictures_are_encoded_once(tmp_path: Path, counted: list[bytes]) -> None:
    """Each sample has its row, and the work is done once for each different picture."""
    store = fill(tmp_path / "store", FEW | {f"copy{n}": FEW["s000"] for n in range(5)})
    assert embed(store, report_encoder=None).encoders["hog"].encoded == 17
    assert len(counted) == 12
    found = vectors(store, "hog")
    assert all((found[f"copy{n}"] == found["s000"]).all() for n in range(5))


def test_others_write_while_a_job_runs(tmp_path: Path, counted: list[bytes]) -> None:
    """The store is not held: what came meanwhile stays, is told of, and is what the next run encodes."""
    store = fill(tmp_path / "store", FEW)

    def ingest_meanwhile(done: int, total: int, what: str) -> None:
        if done == 6:
            fill(tmp_path / "store", {"late": PICTURES["s100"], "s000": PICTURES["s101"]})

    result = embed(store, report_encoder=None, progress=ingest_meanwhile)
    assert (result.state, TableStore.open(store.location).state) == (3, 3)
    assert result.notices == ("2 images came or changed while hog was encoding: embed again for them",)
    assert set(vectors(store, "hog")) == set(FEW) - {"s000"}
    counted.clear()
    assert embed(store, report_encoder=None).encoders["hog"].encoded == 2
    assert sorted(counted) == sorted([PICTURES["s100"], PICTURES["s101"]])
    whole = fill(tmp_path / "whole", FEW | {"late": PICTURES["s100"], "s000": PICTURES["s101"]})
    embed(whole, report_encoder=None)
    assert fingerprints(store) == fingerprints(whole)


def test_an_input_at_fault_keeps_what_was_finished(tmp_path: Path, counted: list[bytes]) -> None:
    """A picture that cannot be encoded stops the job; the rows before it need not be encoded again."""
    store = fill(tmp_path / "store", FEW | {"s011": b"no picture"})
    with pytest.raises(MisreadError, match="image of sample 's011'"):
        embed(store, report_encoder=None)
    fill(tmp_path / "store", {"s011": FEW["s011"]})
    counted.clear()
    embed(store, report_encoder=None)
    assert len(counted) < 12
    assert set(vectors(store, "hog")) == set(FEW)


def test_two_jobs_at_once_make_each_row_once(tmp_path: Path, counted: list[bytes]) -> None:
    """A second job that overtakes the first, or keeps the same rows again, leaves one vector a sample."""
    store = fill(tmp_path / "store", FEW)
    whole = fill(tmp_path / "whole", FEW)
    embed(whole, report_encoder=None)

    def overtake(done: int, total: int, what: str) -> None:
        if done == 6:
            embed(TableStore.open(store.location), report_encoder=None)

    embed(store, report_encoder=None, progress=overtake)
    assert fingerprints(store) == fingerprints(whole)
    assert (store.state, kept(Path(store.location))) == (2, set())
    twice = fill(tmp_path / "twice", FEW)
    checksums = Pictures(twice).keys
    ready = Ready(HogEncoder(), Choice("hog", "image"), "built-in")
    for part in (list(FEW)[:7], list(FEW)[4:9]):
        found = HogEncoder().encode([FEW[sample] for sample in part])
        ready.finished(twice.files).keep([checksums[sample] for sample in part], found)
    embed(twice, report_encoder=None)
    assert fingerprints(twice) == fingerprints(whole)
