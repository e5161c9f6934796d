"""What is measured over one archive, each in a process of its own."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

import misread as mr
from benchmarks.peers import Audit, method
from benchmarks.scale.archive import DIMENSION, ENCODERS, PLANTS, parts, patient_numbers
from benchmarks.scale.devices import PROCESSOR, chosen
from benchmarks.timing import peak
from misread.audit.halves import half_of
from misread.execute.costs import costs, whole_cost
from misread.execute.work import Work
from misread.fuse import Block
from misread.plan import Discover, optimise
from misread.schemas.values import CONFIRMATION, DISCOVERY
from misread.threads import in_order, one_thread
from misread.workers import Workers, workers
from misread.workers.tasks import result_of

COMPONENTS = 128
SMALLEST = 10
LOOK = 0.01
BEGAN = "began"
"""A job says so when its clock starts: who waits for it may stop it after a while."""
Result = dict[str, Any]


def reading(location: Path) -> Result:
    """All vectors read once from Lance, and in the same reading a principal component analysis of them."""
    from scipy.linalg import eigh

    store = mr.open(location)
    tables = [store.table(f"embeddings_{encoder}") for encoder in ENCODERS.values()]

    def sums(batches: tuple[pa.RecordBatch, ...]) -> tuple[int, NDArray[np.float64], NDArray[np.floating]]:
        vectors = np.hstack([_numbers(batch.column(0)) for batch in batches])
        return len(vectors), vectors.sum(axis=0, dtype=float), vectors.T @ vectors

    def run() -> None:
        size = len(tables) * DIMENSION
        rows, total, products = 0, np.zeros(size), np.zeros((size, size))
        together = zip(*(table.batches(["vector"]) for table in tables), strict=True)
        with one_thread():
            for count, first, second in in_order(sums, together):
                rows += count
                total += first
                products += second
            mean = total / rows
            eigh(products / rows - np.outer(mean, mean), subset_by_index=(size - COMPONENTS, size - 1))

    return timed(run)


def audit(location: Path, permutations: int | None = 0, beside: Workers | None = None) -> Result:
    """Search and confirmation, from the store to its slices and their rows, which are read as a stream.

    With `permutations` calibration, too.
    """
    store = mr.open(location)
    frame = store.scan().fuse(modalities=["image", "report"]).discover(permutations=permutations, stability=0)
    found: list[pl.DataFrame] = []
    plan = optimise(frame.plan)

    def run(stages: Stages) -> None:
        found.extend(map(held_out_members, Work(store, stages, workers=beside).stream(plan)))
        stages.end()

    with Scratch() as scratch, chosen() as products:
        stages = Stages(scratch)
        spent = timed(lambda: run(stages))
    members = pl.concat(found)
    plant = known_of(location).plant
    whole = whole_cost(costs(plan, store))
    expected = {"cpu": whole.seconds, "peak": whole.held / 2**30, "read": whole.read, "scratch": whole.scratch}
    told = {"expected": expected, "slices": members["slice"].n_unique(), "planted": planted(members, plant)}
    most = max(stage["scratch"] for stage in stages.done().values())
    device = products[-1].device or PROCESSOR
    return spent | {"stages": stages.done(), "scratch": most, "device": device} | told


def calibrated(location: Path) -> Result:
    return audit(location, Discover.permutations)


def over_ray(location: Path) -> Result:
    """The audit with vectors in processes of Ray on this machine: what this one takes, and `received` bytes."""
    received = 0

    def counted(reference: Any) -> Any:
        nonlocal received
        result = result_of(reference)
        received += len(pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
        return result

    with workers("local") as beside, patch.object(import_module("misread.workers.spread"), "result_of", counted):
        return audit(location, beside=beside) | {"received": received}


def domino(location: Path) -> Result:
    """The Domino mixture from the store to scores of held-out rows; every vector is read into memory first."""
    known = known_of(location)

    def run() -> None:
        fitting, scored = held(location, known, [DISCOVERY, CONFIRMATION])
        method("domino").fit(fitting, 0).score(scored, with_labels=True)

    with one_thread():
        return timed(run)


def domino_in_turn(location: Path) -> Result:
    """The same, frugal: held-out vectors are read once those of the fitting half are no longer needed."""
    known = known_of(location)

    def run() -> None:
        found = method("domino").fit(*held(location, known, [DISCOVERY]), 0)
        found.score(*held(location, known, [CONFIRMATION]), with_labels=True)

    with one_thread():
        return timed(run)


JOBS: dict[str, Callable[[Path], Result]] = {
    "reading": reading,
    "audit": audit,
    "audit over Ray": over_ray,
    "calibrated": calibrated,
    "Domino": domino,
    "Domino in halves": domino_in_turn,
}


def measured(job: str, location: Path) -> Result:
    """The job's own result with `seconds`, `cpu` (seconds of processors), `peak` (GB) and `read` (bytes)."""
    loaded()
    return JOBS[job](location)


def loaded() -> None:
    """Reading code from disk is not what is measured."""
    import hdbscan  # noqa: F401
    import scipy.linalg
    import scipy.sparse.csgraph
    import scipy.spatial  # noqa: F401
    import sklearn.cluster
    import sklearn.linear_model  # noqa: F401


def timed(run: Callable[[], object]) -> Result:
    """What a method costs that finds its data where it wants it: what was read before is not counted but as memory."""
    peak(fresh=True)
    before = read_bytes()
    print(BEGAN, flush=True)
    began, worked = time.perf_counter(), time.process_time()
    run()
    spent = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}
    return spent | {"peak": peak(), "read": read_bytes() - before}


@dataclass(frozen=True, eq=False)
class Known:
    """What is known of an archive's rows beside their vectors, all (n,): `plant` as in a part; `half` by name."""

    label: NDArray[np.intp]
    score: NDArray[np.float64]
    patients: NDArray[np.intp]
    plant: NDArray[np.intp]
    half: NDArray[np.str_]

    def of(self, half: str) -> Known:
        mine = self.half == half
        return Known(*(values[mine] for values in (self.label, self.score, self.patients, self.plant, self.half)))

    @property
    def error(self) -> NDArray[np.bool_]:
        return np.asarray((self.score >= 0.5) != (self.label == 1))


def known_rows(rows: int, seed: int = 0) -> Known:
    told = list(parts(rows, seed, with_vectors=False))
    label, score, plant = (np.concatenate([getattr(part, n) for part in told]) for n in ("label", "score", "plant"))
    half = np.where(held_out(rows), CONFIRMATION, DISCOVERY)
    return Known(label.astype(np.intp), score, patient_numbers(rows), plant, half)


def known_of(location: Path) -> Known:
    return known_rows(mr.open(location).table("images").count())


def held(location: Path, rows: Known, halves: Sequence[str]) -> list[Audit]:
    """Some halves of an archive with their vectors, in one reading."""
    store = mr.open(location)
    found = {half: np.flatnonzero(rows.half == half) for half in halves}
    blocks: dict[str, dict[str, Block]] = {half: {} for half in halves}
    for modality, encoder in ENCODERS.items():
        vectors = {half: np.empty((len(mine), DIMENSION), np.float32) for half, mine in found.items()}
        start = 0
        for batch in store.table(f"embeddings_{encoder}").batches(["vector"]):
            numbers = _numbers(batch.column(0))
            for half, mine in found.items():
                low, high = np.searchsorted(mine, [start, start + len(numbers)])
                np.take(numbers, mine[low:high] - start, axis=0, out=vectors[half][low:high])
            start += len(numbers)
        for half, mine in found.items():
            blocks[half][modality] = Block(vectors[half], np.ones(len(mine), bool))
    return [audit_of(blocks[half], rows.of(half)) for half in halves]


def audit_of(blocks: Mapping[str, Block], rows: Known) -> Audit:
    predicted = (rows.score >= 0.5).astype(np.intp)
    return Audit(blocks, pl.DataFrame(), rows.label, rows.score, predicted, rows.error, rows.patients)


def fused(location: Path) -> NDArray[np.float64]:
    """The fused vectors of the discovery half, as an audit has them."""
    frame = mr.open(location).scan().fuse(modalities=["image", "report"])
    vectors = []
    for batch in frame.stream():
        mine = batch.column("half").to_numpy(zero_copy_only=False) == DISCOVERY
        vectors.append(_numbers(batch.column("vector"))[mine])
    return np.concatenate(vectors)


def held_out(rows: int) -> NDArray[np.bool_]:
    """(rows,): which are of patients of the confirmation half."""
    patients = patient_numbers(rows)
    held = np.array([half_of(f"p{patient:08d}", 0) == CONFIRMATION for patient in range(patients[-1] + 1)])
    return np.asarray(held[patients])


def _numbers(column: pa.Array) -> NDArray[np.floating]:
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1))


class Scratch:
    """Watches how many bytes lie in files without a name that this process holds open, while it is entered."""

    def __init__(self) -> None:
        self._done = Event()
        self._watching = Thread(target=self._watch, daemon=True)
        self._most = 0

    def __enter__(self) -> Scratch:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._watching.join()

    def most(self) -> int:
        """The most at once since this was last asked; looked at every hundredth of a second."""
        now = scratch_bytes()
        most, self._most = max(self._most, now), now
        return most

    def _watch(self) -> None:
        while not self._done.wait(LOOK):
            self._most = max(self._most, scratch_bytes())


def scratch_bytes() -> int:
    """What the files on disk take whose names are gone already."""
    found = 0
    for opened in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # closed in the meantime
            if str(opened.readlink()).endswith(" (deleted)"):
                found += opened.stat().st_blocks * 512
    return found


class Stages:
    """A progress that notes seconds, bytes read, bytes on disk and peak memory of every stage of an audit."""

    def __init__(self, scratch: Scratch) -> None:
        self._name, self._began, self._worked = "choosing rows", time.perf_counter(), time.process_time()
        self._read, self._scratch = read_bytes(), scratch
        self._found: dict[str, Result] = {}

    def __call__(self, done: int, total: int, what: str) -> None:  # noqa: ARG002 - told alike to all
        if what != self._name:
            self.end()
            self._name = what

    def end(self) -> None:
        now, worked, read = time.perf_counter(), time.process_time(), read_bytes()
        spent = {"seconds": now - self._began, "cpu": worked - self._worked, "read": read - self._read}
        self._found[self._name] = spent | {"peak": peak(), "scratch": self._scratch.most()}
        self._began, self._worked, self._read = now, worked, read

    def done(self) -> dict[str, Result]:
        return self._found


def read_bytes() -> int:
    """What this process has asked of files so far, cached or not."""
    counted = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return int(counted["rchar"])


def held_out_members(batch: pa.RecordBatch) -> pl.DataFrame:
    """Of memberships those of held-out rows with a label: slice, label, rank and the row's number in the archive."""
    held = (pl.col("half") == CONFIRMATION) & pl.col("label").is_not_null()
    return pl.DataFrame(batch).filter(held).select(
        "label", "rank", slice=pl.col("slice_id").str.slice(-2).cast(pl.Int8),
        row=pl.col("sample_id").str.slice(1).cast(pl.Int32),
    )  # fmt: skip


def planted(members: pl.DataFrame, plant: NDArray[np.intp]) -> dict[str, Result]:
    """For every planted slice the found one that agrees best with it (F1) on held-out rows of its class."""
    held = members.sort("slice", "rank")
    waiting = held_out(len(plant))
    told = {}
    for number, one in enumerate(PLANTS):
        whole = int((waiting & (plant == number)).sum())
        best = {"p10": 0.0, "precision": 0.0, "recall": 0.0, "f1": 0.0}
        for (_,), rows in held.filter(pl.col("label") == one.true_class).group_by(["slice"], maintain_order=True):
            inside = plant[rows["row"].to_numpy()] == number
            best = max(best, agreement(inside, whole), key=lambda found: found["f1"])
        told[one.name] = best
    return told


def agreement(inside: NDArray[np.bool_], whole: int) -> Result:
    """`inside` (n,): which of a slice's rows, best first, are planted, of `whole` held-out ones."""
    hits = int(inside.sum())
    precision, recall = hits / max(len(inside), 1), hits / max(whole, 1)
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {
        "p10": float(inside[:10].mean()) if len(inside) else 0.0,
        "precision": precision,
        "recall": recall,
        "f1": f1,
    }
