"""Laws of plans, on plans that nobody wrote."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import misread as mr
from misread.execute.costs import costs
from misread.frame import LazyFrame
from misread.library import Store
from misread.plan import RULES, optimise

TEXTS = ("'PA'", "'it''s'", "'É'", "''", "NULL")
NUMBERS = ("0", "-1", "40", "41.5", "2.0", "1e3", "1e309", "-9223372036854775808", "9223372036854775807")


@dataclass(frozen=True)
class Predicates:
    """Predicates over the columns a frame happens to have."""

    schema: pa.Schema

    def one(self) -> st.SearchStrategy[str]:
        leaves = [self.about(name, self.schema.field(name).type) for name in self.schema.names]
        known = [leaf for leaf in leaves if leaf is not None]
        leaf = st.one_of(known) if known else st.sampled_from(["true", "false"])
        return st.recursive(
            leaf,
            lambda inner: st.one_of(
                st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
                inner.map(lambda p: f"NOT ({p})"),
            ),
            max_leaves=4,
        )

    def about(self, name: str, kind: pa.DataType) -> st.SearchStrategy[str] | None:
        quoted = f'"{name}"'
        signs = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
        null = st.sampled_from([f"{quoted} IS NULL", f"{quoted} IS NOT NULL"])
        if kind == pa.string():
            compared = st.tuples(signs, st.sampled_from(TEXTS)).map(lambda p: f"{quoted} {p[0]} {p[1]}")
            other = st.sampled_from([f"lower({quoted}) = 'pa'", f"{quoted} IN ('PA', 'AP')", f"{quoted} LIKE 's%1'"])
            return st.one_of(compared, other, null)
        if kind in (pa.float64(), pa.int64(), pa.int8()):
            compared = st.tuples(signs, st.sampled_from(NUMBERS)).map(lambda p: f"{quoted} {p[0]} {p[1]}")
            other = st.sampled_from([f"{quoted} BETWEEN 0 AND 41", f"{quoted} IN (0, 40)", f"{quoted} + 1 > 2"])
            return st.one_of(compared, other, null)
        if kind == pa.bool_():
            return st.one_of(st.sampled_from([quoted, f"{quoted} = true"]), null)
        if kind == pa.date32():
            return st.one_of(signs.map(lambda s: f"{quoted} {s} DATE '2020-01-02'"), null)
        return None


@st.composite
def frames(draw: st.DrawFn, store: Store, depth: int = 2) -> LazyFrame:
    """A frame of a few steps over the store's tables."""
    starts = ["samples", "images", "predictions", "reports", "embeddings_outside", "slices"]
    start = draw(st.sampled_from(starts))
    frame = store.scan(draw(st.sampled_from([None, "m"]))) if start == "samples" else store.scan_table(start)
    for _ in range(draw(st.integers(0, 5))):
        step = draw(st.sampled_from(["filter", "filter", "select", "sort", "head", "join"]))
        if step == "filter":
            frame = frame.filter(draw(Predicates(frame.schema).one()))
        elif step == "select":
            frame = frame.select(*draw(st.lists(st.sampled_from(frame.columns), min_size=1, max_size=6)))
        elif step == "sort":
            by = draw(st.lists(st.sampled_from(sortable(frame)), max_size=2, unique=True)) if sortable(frame) else []
            frame = frame.sort(*by, descending=draw(st.lists(st.booleans(), min_size=len(by), max_size=len(by))))
        elif step == "head":
            frame = frame.head(draw(st.sampled_from([0, 1, 7, 25, 1000])))
        elif depth:
            frame = joined(draw, frame, draw(frames(store, depth - 1)))
    return frame


def sortable(frame: LazyFrame) -> list[str]:
    return [field.name for field in frame.schema if not pa.types.is_nested(field.type)]


def joined(draw: st.DrawFn, frame: LazyFrame, other: LazyFrame) -> LazyFrame:
    common = [name for name in sortable(frame) if name in sortable(other)]
    if not common:
        return frame
    on = "sample_id" if "sample_id" in common and draw(st.booleans()) else draw(st.sampled_from(common))
    how = draw(st.sampled_from(["inner", "left", "semi", "anti"]))
    kept = [name for name in other.columns if name == on or name not in frame.columns]
    return frame.join(other.select(*kept), on=on, how=how)


@pytest.mark.slow
@settings(max_examples=100)
@given(st.data())
def test_an_optimised_plan_gives_the_rows_of_the_plan_as_written(mixed: Store, data: st.DataObject) -> None:
    """Whatever the plan, the rules change neither its rows, nor their order, nor its columns."""
    frame = data.draw(frames(mixed))
    written = frame.collect(cache=False, optimised=False)
    assert frame.optimised().columns == frame.columns == written.columns
    assert_frame_equal(frame.collect(cache=False), written)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.data(), st.integers(1, 70))
def test_rows_that_are_streamed_or_sunk_are_the_rows_of_collect(
    mixed: Store, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, batch_rows: int
) -> None:
    """In batches of any size, of which none is larger, and in a Parquet file: the rows, their order and their types."""
    frame = data.draw(frames(mixed))
    rows = frame.collect(cache=False)
    batches = list(frame.stream(batch_rows))
    assert all(batch.num_rows <= batch_rows for batch in batches)
    assert_frame_equal(pl.DataFrame(pa.Table.from_batches(batches, frame.schema)), rows)
    path = tmp_path_factory.mktemp("sunk") / "rows.parquet"
    assert frame.sink_parquet(path) == rows.height
    assert_frame_equal(pl.read_parquet(path), rows)


@pytest.mark.slow
@settings(max_examples=30)
@given(st.data())
def test_the_order_in_which_rows_are_stored_does_not_matter(mixed: Store, turned: Store, data: st.DataObject) -> None:
    """Rows, and the first of them, are the same from a store that was written the other way round."""
    on = data.draw(st.sampled_from(["sample_id", "view", "patient_id"]))
    some = st.sets(st.sampled_from(["sample_id", "patient_id", "view", "age", "visits"]))
    mine = data.draw(some) | {on, data.draw(st.sampled_from(["score", "label", "half", "model"]))}
    other = mixed.scan_table("images").select(on, *sorted(data.draw(some) - mine))
    frame = mixed.scan().select(*sorted(mine)).join(other, on=on).head(data.draw(st.sampled_from([5, 10_000])))
    assert_frame_equal(LazyFrame(turned, frame.plan).collect(cache=False), frame.collect(cache=False))


@pytest.mark.slow
@settings(max_examples=40)
@given(st.data())
def test_no_step_gives_more_rows_than_it_was_said_to(mixed: Store, data: st.DataObject) -> None:
    """Whatever is joined with what, and where a table is not there yet."""
    frame = data.draw(frames(mixed))
    rows = frame.collect(cache=False).height
    for plan in (frame.plan, frame.optimised().plan):
        assert rows <= costs(plan, mixed)[plan].rows


@pytest.mark.slow
@settings(max_examples=50)
@given(st.data())
def test_every_rule_keeps_the_rows(mixed: Store, data: st.DataObject) -> None:
    """Each rule that finds something to do, by itself and wherever it can be applied, leaves the answer as it was."""
    frame = data.draw(frames(mixed, depth=1))
    written = frame.collect(cache=False, optimised=False)
    for plan in dict.fromkeys(optimise(frame.plan, [rule]) for rule in RULES):
        if plan == frame.plan:
            continue
        alone = LazyFrame(mixed, plan)
        assert alone.columns == frame.columns
        assert_frame_equal(alone.collect(cache=False, optimised=False), written)


@st.composite
def audits(draw: st.DrawFn, store: Store) -> LazyFrame:
    """An audit of some samples, by some of what is known of them."""
    frame = store.scan(draw(st.sampled_from([None, "m", "n"])), draw(st.sampled_from([None, "A"])), seed=draw(SEEDS))
    chosen = draw(st.sampled_from(["", "view IS NOT NULL", "visits >= 0", "sample_id < 's050' AND NOT isnan(age)"]))
    frame = frame.filter(chosen) if chosen else frame
    modalities = draw(st.sampled_from([["image"], ["metadata"], ["image", "metadata"]]))
    return frame.fuse(modalities=modalities).discover(  # type: ignore[arg-type]
        permutations=0,
        stability=draw(st.sampled_from([0, 2])),
        min_size=draw(st.integers(2, 6)),
        min_patients=1,
        most=draw(st.integers(1, 5)),
    )


SEEDS = st.integers(0, 3)


@pytest.mark.slow
@settings(max_examples=8)
@given(st.data())
def test_an_audit_that_is_sunk_and_scanned_is_the_audit_collected(
    mixed: Store, copied: Path, data: st.DataObject
) -> None:
    """Memberships and slices of the store are the rows of collect, whatever the audit."""
    audit = data.draw(audits(mr.open(copied, state=mixed.state)))
    audit_id = audit.sink()
    store = mr.open(copied)
    for table, collected in (("memberships", audit), ("slices", audit.describe())):
        stored = store.scan_table(table).filter(f"audit_id = '{audit_id}'")
        assert_frame_equal(stored.collect(), collected.collect().select(stored.columns).sort(*stored.plan.keys))


@pytest.fixture(scope="module")
def copied(mixed: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store, to be written."""
    return Path(shutil.copytree(mixed.location, tmp_path_factory.mktemp("copied") / "store"))
