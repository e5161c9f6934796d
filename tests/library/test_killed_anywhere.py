"""The commands, killed (SIGKILL) at random moments of their real run."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

import misread as mr
from misread.schemas.errors import StoreError
from misread.store import TableStore
from stores import planted_store

KILLS = 20

SERVER = """
import gc, os, sys
import misread.library, misread.execute, misread.ingest, misread.query
import lance, sklearn.linear_model, hdbscan, scipy.stats
from pathlib import Path
from misread.ingest import Sources, ingest
from misread.store import TableStore

def discover(store):
    misread.library.open(store).scan().discover(permutations=19, stability=2).describe().sink()

def fill(store, files):
    files = Path(files)
    ingest(TableStore.open_or_new(store), Sources(metadata=files / 'metadata.csv', predictions=files / 'p.csv'))

gc.freeze()  # nor is what was imported looked through for garbage in each
for line in sys.stdin:  # each in a process of its own, forked so that modules are imported once
    name, *arguments = line.rstrip('\\n').split('\\t')
    child = os.fork()
    if not child:
        {'discover': discover, 'fill': fill}[name](*arguments)
        os._exit(0)
    print(child, flush=True)
    print('done' if os.waitpid(child, 0)[1] == 0 else 'killed', flush=True)
"""


class Server:
    """Runs commands in processes that can be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *words: str | Path, kill_after: float | None = None) -> bool:
        """Runs one command, killed after some seconds; whether it came to its end."""
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write("\t".join(map(str, words)) + "\n")
        process.stdin.flush()
        child = int(process.stdout.readline())
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return process.stdout.readline() == "done\n"

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


def kill_at_random(server: Server, *words: str | Path) -> Iterator[bool]:
    """Kills one run after another at moments drawn over a whole run, most of them late, where the writing is.

    Gives, after each, whether the run had come to its end before; goes on until 20 had not.
    """
    draw = random.Random(7)
    seconds = 1.0
    killed = 0
    while killed < KILLS:
        moment = seconds * draw.uniform(0, 1) ** 0.5
        ended = server.run(*words, kill_after=moment)
        # the length of a run differs from machine to machine: follow it
        seconds *= 0.9 if ended else 1.1
        killed += not ended
        yield ended


@pytest.mark.slow
def test_a_killed_discover_is_never_seen(server: Server, tmp_path: Path) -> None:
    """After each of 20 kills the store opens with no audit or the whole one; a last run gives what no kill gives."""
    whole, killed, fresh = tmp_path / "whole", tmp_path / "killed", tmp_path / "fresh"
    planted_store(fresh, samples=300)
    shutil.copytree(fresh, whole)
    shutil.copytree(fresh, killed)
    assert server.run("discover", whole)
    expected = mr.open(whole).sql("SELECT * FROM slices ORDER BY slice_id")
    assert expected.height > 0
    for ended in kill_at_random(server, "discover", killed):
        store = mr.open(killed)
        audits, slices = store.sql("SELECT (SELECT count(*) FROM audits), (SELECT count(*) FROM slices)").row(0)
        assert audits in ((1,) if ended else (0, 1))
        assert slices == (expected.height if audits else 0)
        if audits:  # begin again, over what is as it was
            shutil.rmtree(killed)
            shutil.copytree(fresh, killed)
    assert server.run("discover", killed)
    assert mr.open(killed).sql("SELECT * FROM slices ORDER BY slice_id").equals(expected)


@pytest.mark.slow
def test_a_killed_ingest_is_never_seen(server: Server, tmp_path: Path) -> None:
    """After each of 20 kills there is no store or the whole one; a last run gives what no kill gives."""
    files = tmp_path / "files"
    files.mkdir()
    rng = np.random.default_rng(0)
    for i in range(120):
        Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(files / f"{i}.png")
    ids = [f"s{i}" for i in range(120)]
    pl.DataFrame({"sample_id": ids, "image": [f"{i}.png" for i in range(120)]}).write_csv(files / "metadata.csv")
    pl.DataFrame({"sample_id": ids, "model": "m", "target": "t", "label": 1, "score": 0.5}).write_csv(files / "p.csv")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert server.run("fill", whole, files)
    expected = contents(TableStore.open(whole))
    for ended in kill_at_random(server, "fill", killed, files):
        try:
            found = contents(TableStore.open(killed))
        except StoreError:
            assert not ended
            continue
        assert found == expected
        shutil.rmtree(killed)
    assert server.run("fill", killed, files)
    store = TableStore.open(killed)
    assert contents(store) == expected
    assert sum(len(names) for names, _ in store.table("images").pictures()) == 120


def contents(store: TableStore) -> dict[str, str]:
    return {name: entry.fingerprint for name, entry in store.manifest.tables.items()}
