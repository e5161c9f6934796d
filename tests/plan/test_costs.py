"""What a plan is said to cost before it runs."""

import re
import time
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from misread.discover import MOST_ERRORS
from misread.execute import costs as reckoning
from misread.execute.costs import Cost, costs, plan_with_costs, whole_cost
from misread.library import Store
from misread.plan import Discover, Fuse, Scan, optimise
from stores import planted_store


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    folder = tmp_path_factory.mktemp("costs")
    return planted_store(folder / "small", samples=300), planted_store(folder / "large", samples=1_200)


def test_rows_are_bounds_and_bytes_those_of_the_files(stores: tuple[Store, Store]) -> None:
    """No step gives more rows than it was said to; columns cost what they take in the files, and no more."""
    store = stores[1]
    location = Path(store.location)
    frame = store.scan().filter("age > 40").fuse(modalities=["image"]).discover(permutations=0, stability=0)
    each = costs(optimise(frame.plan), store)
    for node, cost in each.items():
        if isinstance(node, Scan):
            files = sum(f.stat().st_size for f in (location / f"{node.table}.lance").rglob("*.lance"))
            assert 0 < cost.read <= files
            assert cost.rows == store.table(node.table).count()
    fuse = next(cost for node, cost in each.items() if isinstance(node, Fuse))
    assert fuse.read == pytest.approx(1.5 * 1_200 * 12 * 4, rel=0.1)
    assert frame.collect().height <= next(cost.rows for node, cost in each.items() if isinstance(node, Discover))


def test_the_digests_of_files_are_read_too(tmp_path: Path) -> None:
    """What tells copies in both halves: 64 characters an image, and the work of comparing them."""
    store = planted_store(tmp_path / "store", samples=300)
    digests = [sha256(f"{i}".encode()).hexdigest() for i in range(300)]
    table = pa.table({"sample_id": [f"s{i:04d}" for i in range(300)], "sha256": digests})
    told = []
    for _ in range(2):
        opened = Store.open(store.location)
        each = costs(opened.scan().fuse(modalities=["image"]).discover().plan, opened)
        told.append(next(cost for node, cost in each.items() if isinstance(node, Fuse)))
        with store.commit("files") as commit:
            commit.writer("images").set_columns(table, "sample_id")
    assert told[1].read - told[0].read >= 300 * 64
    assert told[1].seconds > told[0].seconds >= 300 * reckoning.ROW


def test_samples_put_into_slices_cost_their_vectors(tmp_path: Path) -> None:
    """A sample may lie in every slice, and is scored along each; all vectors are read, whoever is asked for."""
    store = planted_store(tmp_path / "store", samples=600)
    audit = store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    store = Store.open(store.location)
    slices, vectors = store.table("slices").count(), store.table("embeddings_outside").stored_bytes(["vector"])
    images = store.scan_table("images")
    asked = [(images, 600), (images.filter("sample_id = 's0001'"), 600), (images.filter("sample_id < ''"), 600)]
    for frame, most in asked:
        for placed, each in ((frame.assign(audit), max(slices, 1)), (frame.score(audit), slices)):
            plan = optimise(placed.plan)
            cost = costs(plan, store)[plan]
            assert placed.collect(cache=False).height <= cost.rows == most * each
            assert cost.read == vectors > 0
    assert images.assign(audit).collect().height > 600


def test_samples_without_any_prediction_cost_their_rows(tmp_path: Path) -> None:
    """The last patient with a prediction may have been deleted; what is left is images."""
    store = planted_store(tmp_path / "store", samples=300)
    with store.commit("deleted") as commit:
        commit.writer("predictions").delete("true")
    plan = optimise(Store.open(store.location).scan().plan)
    assert costs(plan, store)[plan].rows == 300


def test_more_rows_and_more_shuffles_cost_more(stores: tuple[Store, Store]) -> None:
    """Four times the rows are four times the bytes; shuffles and resamples add their time to discovery alone."""
    small, large = (costs(s.scan().fuse(modalities=["image"]).discover().plan, s) for s in stores)
    fused = [next(cost for node, cost in each.items() if isinstance(node, Fuse)) for each in (small, large)]
    assert fused[1].read == 4 * fused[0].read
    frame = stores[1].scan().fuse(modalities=["image"])
    seconds = []
    for permutations, stability in ((0, 0), (99, 0), (99, 20)):
        each = costs(frame.discover(permutations=permutations, stability=stability).plan, stores[1])
        seconds.append({type(node): cost.seconds for node, cost in each.items()})
    assert seconds[0][Discover] < seconds[1][Discover] < seconds[2][Discover]
    assert seconds[0][Fuse] == seconds[2][Fuse]


def test_what_every_shuffle_takes_is_told_beside_what_most_classes_take(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 399 that may be made a class takes some 110 on average; of fewer all are counted, and so they are of classes
    of more than 50,000 rows, which are shuffled 99 times."""

    def told(**options: int) -> Cost:
        each = costs(stores[1].scan().fuse(modalities=["image"]).discover(stability=0, **options).plan, stores[1])
        return next(cost for node, cost in each.items() if isinstance(node, Discover))

    none, some, every = told(permutations=0), told(permutations=99), told()
    one = (some.seconds - none.seconds) / 99
    assert none.further == some.further == 0
    assert every.seconds == pytest.approx(none.seconds + reckoning.SHUFFLED * one)
    assert every.seconds + every.further == pytest.approx(none.seconds + 399 * one)
    assert told(permutations=399) == every
    monkeypatch.setattr("misread.discover.calibrate.MANY_ROWS", 299)
    assert told() == some


def test_what_was_said_of_an_audit_is_what_it_takes(stores: tuple[Store, Store]) -> None:
    """Of a few hundred samples, too, within what machines and classes differ in: five times."""
    frame = stores[1].scan().fuse(modalities=["image"]).discover()
    plan = optimise(frame.plan)
    said = whole_cost(costs(plan, stores[1]))
    began = time.process_time()
    frame.collect(cache=False)
    used = time.process_time() - began
    assert said.seconds / 5 < used < 5 * (said.seconds + said.further)


def test_a_larger_pool_costs_more(stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """The default pool is the search's own; a larger one costs time and memory, one larger than the errors no more."""
    assert Discover.pool == MOST_ERRORS
    monkeypatch.setattr(reckoning, "MOST_ERRORS", 10)
    frame = stores[1].scan().fuse(modalities=["image"])
    found = []
    for pool in (10, 30, 10_000, 20_000):
        each = costs(frame.discover(pool=pool).plan, stores[1])
        found.append(next(cost for node, cost in each.items() if isinstance(node, Discover)))
    assert [cost.held == 0 for cost in found] == [True, False, False, False]
    assert found[0].seconds < found[1].seconds < found[2].seconds == found[3].seconds
    assert found[1].held < found[2].held == found[3].held


def test_scratch_is_said_where_vectors_are_put_aside(
    stores: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing lies on disk where all vectors are held; else more with more rows, and the last line tells it."""
    frames = [store.scan().fuse(modalities=["image"]).discover() for store in stores]
    held = [whole_cost(costs(frame.plan, frame.store)) for frame in frames]
    assert [cost.scratch for cost in held] == [0, 0]
    assert "scratch" not in frames[0].explain(costs=True)
    monkeypatch.setattr(reckoning, "HELD_BYTES", 1)
    aside = [whole_cost(costs(frame.plan, frame.store)) for frame in frames]
    assert 0 < aside[0].scratch < aside[1].scratch == pytest.approx(4 * aside[0].scratch)
    assert frames[1].explain(costs=True).endswith(" of scratch")


def test_the_tree_tells_every_step_and_the_whole(stores: tuple[Store, Store]) -> None:
    """`explain(costs=True)` is the plan with a bound of rows on every line, then what it comes to; nothing is run."""
    frame = stores[0].scan().fuse(modalities=["image"]).discover().describe()
    lines = frame.explain(costs=True).splitlines()
    plain = frame.explain().splitlines()
    assert [line.split("  (at most")[0] for line in lines[:-1]] == plain
    assert lines[-1].startswith("in all: reads ")
    assert re.search(r"about (\d+\.\d) s of a processor \(\d+\.\d s if every shuffle is made\), at most ", lines[-1])
    assert plan_with_costs(optimise(frame.plan), stores[0]) == frame.explain(costs=True)
    told = str(Cost(1_200, 3.1e9, 400.0, 2e6))
    assert told == "at most 1,200 rows, reads 3.1 GB, about 7 min of a processor, holds 2.0 MB"
    told = str(Cost(10, seconds=250.0, further=350.0))
    assert told == "at most 10 rows, about 250.0 s of a processor (10 min if every shuffle is made)"
