"""Questions made to use up time or memory are stopped, and the next one is answered."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from misread.library import Store
from misread.query import open_session
from misread.schemas.errors import QueryError
from misread.sql import Limits, Session
from stores import AGE, VIEW, dataset, write_store

SECONDS = 1.0
PATIENCE = 30.0
"""What stopping may take beyond the limit on a busy machine; unstopped, each would run for hours or end the process."""

BOMBS = {
    "a join of everything": "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range <> b.range",
    "a join of views": "SELECT count(*) FROM images a, images b, images c, images d, images e, images f, images g",
    "an endless recursion": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "a recursion that doubles": "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t, range(2)) "
    "SELECT count(*) FROM t",
    "a text that doubles": "WITH RECURSIVE t(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM t) SELECT max(s) FROM t",
    "a list of everything": "SELECT list(range) FROM range(10000000000)",
    "a list of lists": "SELECT list(list_value(range, range, range)) FROM range(10000000000)",
    "a text of everything": "SELECT string_agg(md5(range::VARCHAR), '') FROM range(10000000000)",
    "a histogram of everything": "SELECT histogram(md5(range::VARCHAR)) FROM range(10000000000)",
    "a sort of everything": "SELECT md5(range::VARCHAR) AS m FROM range(10000000000) ORDER BY m",
    "distinct of everything": "SELECT count(DISTINCT md5(range::VARCHAR)) FROM range(10000000000)",
    "a window over everything": "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY md5(range::VARCHAR)) AS n "
    "FROM range(10000000000))",
    "an answer without end": "FROM generate_series(1, 10000000000)",
    "a wide answer": "SELECT range, md5(range::VARCHAR), repeat('x', 1000) FROM range(10000000000)",
    "a list in one call": "SELECT len(range(4000000000))",
    "a list in one call, in a table": "SELECT len(generate_series(1, 4000000000)) FROM images",
    "a text in one call": "SELECT length(repeat('x', 4000000000))",
    "a longer list in one call": "SELECT len(list_resize([1], 4000000000))",
    "lists of lists in one call": "SELECT len(list_transform(range(60000), lambda x: range(60000)))",
    "texts in texts": "SELECT length(repeat(repeat(repeat('x', 4000), 4000), 200))",
    "rows from one call": "SELECT count(*) FROM (SELECT unnest(range(4000000000)))",
    "rates of a wide join": "SELECT max(r) FROM (SELECT error_rate(a.label, b.predicted) AS r FROM predictions a, "
    "predictions b, predictions c, predictions d GROUP BY a.sample_id, b.sample_id, c.sample_id)",
    "all reports against all reports": "SELECT count(*) FROM range(1000000) r, search_reports('effusion ' || r.range)",
    "all samples' neighbours, over and over": "SELECT count(*) FROM range(100000000) r, images i, "
    "nearest_samples(i.sample_id, k := 50)",
    "neighbours of everyone, a row at a time": "SELECT sum(list_sum(vector_of(i.sample_id, 'image'))) "
    "FROM images i, range(100000000)",
    "subgroups without end": "SELECT count(*) FROM range(100000000) r, "
    "subgroups('m', 't', min_size := 1 + r.range % 9)",
}
assert len(BOMBS) > 20


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    rng = np.random.default_rng(0)
    ids = [f"s{i:03d}" for i in range(300)]
    return write_store(
        tmp_path_factory.mktemp("bombs") / "store",
        [{"sample_id": s, "view": ["PA", "AP"][i % 2], "age": 20 + i % 60} for i, s in enumerate(ids)],
        [
            {
                "sample_id": s,
                "model": "m",
                "target": "t",
                "label": i % 2,
                "score": float(rng.random()),
                "threshold": 0.5,
            }
            for i, s in enumerate(ids)
        ],
        vectors={s: rng.standard_normal(16) for s in ids},
        reports=[{"sample_id": s, "report": f"No effusion. Film {s}."} for s in ids],
        metadata=[VIEW, AGE],
    )


@pytest.fixture(scope="module")
def session(store: Store) -> Iterator[Session]:
    with open_session(store, Limits(SECONDS, "200MB")) as one:
        yield one


@pytest.mark.slow
@pytest.mark.parametrize("asked", BOMBS.values(), ids=list(BOMBS))
def test_bombs_are_stopped(session: Session, store: Store, asked: str) -> None:
    """Each ends within moments as an error in words; the store is as it was, and the next question is answered."""
    manifest = Path(store.location, "manifest.json").read_bytes()
    began = time.monotonic()
    with pytest.raises(QueryError) as refused:
        session.query(asked)
    assert time.monotonic() - began < SECONDS + PATIENCE
    assert "longer than" in refused.value.message or "memory" in refused.value.message
    assert Path(store.location, "manifest.json").read_bytes() == manifest
    assert session.query(
        "SELECT count(*) AS n, error_rate(label, predicted) IS NOT NULL AS r FROM samples"
    ).to_pylist() == [{"n": 300, "r": True}]


def test_time_is_up_inside_python_too() -> None:
    """A function that Python works out is stopped where it asks, and what it raises comes through."""

    def endless(check: object, vectors: pa.Array) -> pa.Array:
        while True:
            time.sleep(0.01)
            check()  # type: ignore[operator]

    began = time.monotonic()
    with Session({}, backed={"nearest_phrase": endless}, limits=Limits(0.3)) as session:
        with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
            session.query("SELECT nearest_phrase([1.0, 2.0])")
        assert time.monotonic() - began < PATIENCE
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


@pytest.mark.slow
def test_memory_is_bounded_inside_python_too() -> None:
    """A function of Python that takes more than the process may grow by is refused it."""

    def greedy(check: object, vectors: pa.Array) -> pa.Array:
        np.zeros(1 << 34, np.uint8)
        return pa.nulls(len(vectors), pa.string())

    if not Path("/proc/self/statm").exists():
        pytest.skip("this system keeps no such limit")
    with Session({}, backed={"nearest_phrase": greedy}, limits=Limits(30, "100MB")) as session:
        with pytest.raises(QueryError, match="memory"):
            session.query("SELECT nearest_phrase([1.0, 2.0])")
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    assert len(bytearray(1 << 29)) == 1 << 29


def test_without_a_time_limit_a_question_may_take_its_time() -> None:
    """None is no limit; a limit that is none is refused in words."""
    with Session({"images": dataset("images", [{"sample_id": "a"}])}, limits=Limits(None)) as session:
        assert session.query("SELECT count(*) AS n FROM images").to_pylist() == [{"n": 1}]
    for wrong in ({"seconds": 0.0}, {"seconds": -1.0}, {"memory": "much"}, {"memory": "0GB"}):
        with pytest.raises(QueryError):
            Limits(**wrong)  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_spills_does_not_fill_the_disk() -> None:
    """A sort of more than ten times the memory is refused, and what it had put on disk is gone."""
    with Session({}, limits=Limits(120, "50MB")) as session:
        with pytest.raises(QueryError, match="memory"):
            session.query(
                "SELECT max(m) FROM (SELECT md5(range::VARCHAR) AS m FROM range(15000000) ORDER BY m OFFSET 1)"
            )
        assert session.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_the_process_may_grow_again_afterwards(session: Session) -> None:
    """What bounds the process while a question runs is gone when it has ended, however it ended."""
    if not hasattr(os, "getrusage") and not Path("/proc/self/statm").exists():
        pytest.skip("this system keeps no such limit")
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    session.query("SELECT 1")
    with pytest.raises(QueryError):
        session.query("SELECT len(range(4000000000))")
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
