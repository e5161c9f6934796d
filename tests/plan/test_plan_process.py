"""Plans in a process of their own: what they hold, and what an interruption leaves behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest

from misread.library import Store
from stores import VIEW, write_store

FILMS = 2500

MANY = """
import sys
import misread as mr
store = mr.open(sys.argv[1])
images = store.scan_table("images").select("view", "sample_id")
reports = store.scan_table("reports").select("sample_id", "report")
patients = store.scan_table("images").select("view", "patient_id")
many = images.join(reports, on="sample_id").join(patients, on="view").sort("patient_id", "report")
"""
"""Three million rows, none of them stored: each film beside every film of its view."""

GROWTH = (
    MANY
    + """
import threading
import psutil
images.sort("view").collect(cache=False)
own = psutil.Process().memory_info
before, peak, done = own().rss, [0], threading.Event()
def watch():
    while not done.wait(0.005):
        peak.append(own().rss)
watching = threading.Thread(target=watch)
watching.start()
try:
    rows = sum(batch.num_rows for batch in many.stream(memory=int(sys.argv[2]) << 20))
finally:
    done.set()
print(rows, (max(peak) - before) >> 20)
"""
)

ENDLESS = (
    MANY
    + """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are born deaf to it
more = store.scan_table("images").select("view", "taken")
endless = many.join(more, on="view").sort("taken")
endless.collect() if sys.argv[2] == "collect" else endless.sink_parquet(sys.argv[2])
"""
)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Store:
    rows = [
        {"sample_id": f"s{k}", "patient_id": f"p{k * 7919 % FILMS}", "view": ("AP", "PA")[k % 2], "taken": f"day {k}"}
        for k in range(FILMS)
    ]
    reports = [{"sample_id": f"s{k}", "report": f"film {k * 7 % FILMS} of a long series"} for k in range(FILMS)]
    metadata = (VIEW, pa.field("taken", pa.string()))
    return write_store(tmp_path_factory.mktemp("films") / "store", rows, [], reports=reports, metadata=metadata)


def grown(films: Store, megabytes: int) -> int:
    """By how many megabytes the process grew."""
    command = [sys.executable, "-c", GROWTH, films.location, str(megabytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows, growth = map(int, done.stdout.split())
    assert rows == FILMS * FILMS // 2
    return growth


@pytest.mark.slow
def test_a_budget_of_memory_holds(films: Store) -> None:
    """Sorting more than fits spills to disk: the process grows by no more than the budget, as it would without."""
    budget = 200
    assert grown(films, budget) <= budget < grown(films, 4000)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["collect", "sink_parquet"])
def test_an_interruption_leaves_nothing_behind(films: Store, tmp_path: Path, end: str) -> None:
    """Ctrl-C stops a plan at once: no answer kept, no file begun, nothing left of what was spilled."""
    spilled, out = tmp_path / "spilled", tmp_path / "out"
    spilled.mkdir()
    out.mkdir()
    where = str(out / "rows.parquet") if end == "sink_parquet" else "collect"
    command = [sys.executable, "-c", ENDLESS, films.location, where]
    environment = {**os.environ, "TMPDIR": str(spilled)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not list(spilled.iterdir()) and process.poll() is None:  # DuckDB is being opened
            time.sleep(0.05)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        try:
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode != 0
    assert told.rstrip().endswith("KeyboardInterrupt")
    assert not list(spilled.iterdir())
    assert not list(out.iterdir())
    assert not list(Path(films.location).glob("cache/*"))
