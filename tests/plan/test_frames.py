"""Frames as people use them: names, errors, cache, memory, other libraries."""

import datetime as dt
import pickle
import stat
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import misread as mr
from misread.execute import fusing
from misread.frame import LazyFrame
from misread.library import Store
from misread.plan import RULES, CycleError, Head, Node, optimise
from misread.schemas.errors import AuditError, MisreadError, UnknownNameError
from stores import write_store


@pytest.mark.parametrize(
    "predicate",
    [
        pl.col("age") > 40,
        pl.col("age").is_nan() | pl.col("age").is_null(),
        ~(pl.col("view") == "PA"),
        (pl.col("view") != "it's") & pl.col("portable"),
        pl.col("visits").is_in([1, 2, None]),
        pl.col("age").is_in([40.0, float("inf"), float("nan")]),
        pl.col("view").is_in(["É", "PA"]),
        pl.col("visits").is_between(-1, 2, closed="left"),
        pl.col("sample_id").str.starts_with("s01") | pl.col("sample_id").str.ends_with("7"),
        pl.col("view").str.contains("t's", literal=True),
        pl.col("taken") >= dt.date(2020, 1, 2),
        pl.col("taken").is_not_null(),
        pl.lit(True),
    ],
    ids=str,
)
def test_polars_expressions_choose_what_they_choose_in_polars(mixed: Store, predicate: pl.Expr) -> None:
    """A polars expression as a predicate keeps the rows that polars keeps."""
    images = mixed.scan_table("images")
    assert_frame_equal(images.filter(predicate).collect(cache=False), images.collect(cache=False).filter(predicate))


def test_a_plan_is_a_value(mixed: Store) -> None:
    """Equal plans are equal frames; a frame pickles, and what comes back gives the same rows."""
    frame = mixed.scan("m").filter("age < 40").sort("score").head(5)
    assert frame == mixed.scan("m").filter("age < 40").sort("score").head(5)
    assert frame != frame.head(4)
    again = pickle.loads(pickle.dumps(frame))
    assert again == frame
    assert_frame_equal(again.collect(), frame.collect())


def test_rows_reach_other_libraries_unchanged(mixed: Store, tmp_path: Path) -> None:
    """polars (lazily), Arrow, DuckDB and a Parquet file hold the rows of collect; the file is its owner's alone."""
    frame = mixed.scan().filter("age < 60").select("sample_id", "model", "target", "age", "taken")
    rows = frame.collect(cache=False)
    assert_frame_equal(frame.lazy().collect(), rows)
    for count in (0, 1, 5, 40):
        for asked in (
            lambda lazy, count=count: lazy.head(count).filter(pl.col("age") > 3),
            lambda lazy, count=count: lazy.filter(pl.col("age") > 3).head(count),
            lambda lazy, count=count: lazy.head(2 * count).filter(pl.col("age") > 3).head(count),
        ):
            assert_frame_equal(asked(frame.lazy()).collect(), asked(rows.lazy()).collect())
    assert_frame_equal(
        frame.lazy().filter(pl.col("age") > 3).select("age").head(4).collect(),
        rows.filter(pl.col("age") > 3).select("age").head(4),
    )
    numbered = frame.lazy().with_row_index().select("index").collect()  # polars asks for no column
    assert_frame_equal(numbered, rows.with_row_index().select("index"))
    assert_frame_equal(pl.DataFrame(frame.to_arrow()), rows)
    assert_frame_equal(frame.to_duckdb().pl(), rows)
    target = tmp_path / "rows.parquet"
    assert frame.sink_parquet(target) == rows.height
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert_frame_equal(pl.read_parquet(target), rows)
    with pytest.raises(MisreadError, match="cannot be written"):
        frame.sink_parquet(tmp_path / "no" / "rows.parquet")


def test_a_frame_is_shown_as_its_plan(mixed: Store) -> None:
    """What an interpreter prints of a frame is what `explain` tells, not how the plan is built."""
    frame = mixed.scan_table("images").filter("age > 3")
    assert repr(frame) == str(frame) == frame.explain()


def test_completion_offers_what_a_store_is_for(mixed: Store) -> None:
    """Everything that `dir` lists has a docstring; how a store is written and read is not among it."""
    offered = dir(mixed)
    assert {"scan", "sql", "report", "encoders", "location", "state", "tables"} <= set(offered)
    assert not {"commit", "files", "manifest", "purge", "read_model", "table_at"} & set(offered)
    assert all(getattr(Store, name).__doc__ for name in offered)


def test_a_notebook_shows_the_plan_and_a_preview(mixed: Store) -> None:
    """The page holds the plan, its markup escaped, and the first rows; nothing is fused for it."""
    page = mixed.scan_table("images").filter("view < '<b>'")._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<table" in page
    assert "<table" not in mixed.scan().discover()._repr_html_()


def test_a_plan_reads_what_it_was_written_over(mixed: Store, tmp_path: Path) -> None:
    """A store that changes meanwhile changes no plan; one of the new state reads the new rows; they can be joined."""
    import shutil

    shutil.copytree(mixed.location, tmp_path / "store")
    store = mr.open(tmp_path / "store")
    frame = store.scan_table("predictions").filter("model = 'm'")
    before = frame.collect()
    with mr.open(store.location).commit("test") as commit:
        commit.writer("predictions").delete("target = 'A'")
    assert_frame_equal(frame.collect(cache=False), before)
    assert_frame_equal(frame.collect(), before)
    after = mr.open(store.location).scan_table("predictions").filter("model = 'm'")
    assert after.collect().height < before.height
    keys = ["sample_id", "model", "target"]
    gone = frame.join(after, on=keys, how="anti").collect()  # of two states, from the older one on
    assert gone["target"].unique().to_list() == ["A"]
    assert gone.height == before.height - after.collect().height
    assert after.join(frame, on=keys, how="anti").collect().is_empty()


def test_a_filter_that_leaves_nothing_gives_no_rows(mixed: Store) -> None:
    """Rows: none, with their columns; vectors: an error that says why."""
    empty = mixed.scan().filter("age < -5")
    assert (empty.collect().height, empty.collect().columns) == (0, empty.columns)
    with pytest.raises(AuditError, match="no sample is left"):
        empty.fuse().collect()


def test_fused_rows_go_with_samples_in_polars(mixed: Store) -> None:
    """Beside the vector columns have the types that the schema tells, so that frames can be joined and stacked."""
    fused = mixed.scan("m").fuse(modalities="image")
    told = pl.DataFrame(fused.schema.empty_table()).drop("vector").schema
    rows = fused.collect(cache=False).drop("vector")
    assert rows.schema == told
    halves = mixed.scan("m").select("sample_id", "half").collect().unique()
    assert_frame_equal(rows.join(halves, on=["sample_id", "half"], how="semi"), rows)


def test_memory_that_would_not_be_enough_is_told_before(mixed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors that do not fit in the budget are an error with the figures, not a crash."""
    monkeypatch.setattr(fusing, "HELD_PER_NUMBER", 10**9)
    with pytest.raises(AuditError, match=r"takes about \d+ MB; the budget is 134 MB"):
        mixed.scan().discover().collect(memory=128 << 20)


def test_rules_that_come_to_no_end_are_found(mixed: Store) -> None:
    """The optimiser stops on rules that go round in a circle, and on those that go on for ever, and names them."""

    def turn(node: Node) -> Node:
        return Head(node.input, 11 - node.rows) if isinstance(node, Head) else node

    def grow(node: Node) -> Node:
        return Head(node.input, node.rows + 1) if isinstance(node, Head) else node

    for rule in (turn, grow):
        with pytest.raises(CycleError, match=rule.__name__):
            optimise(mixed.scan_table("images").head(5).plan, [rule])


def test_every_rule_shows_what_it_does() -> None:
    """Each rule has a before and after in its docstring."""
    assert all("→" in (rule.__doc__ or "") for rule in RULES)


def test_audits_have_names(mixed: Store, tmp_path: Path) -> None:
    """sink then scan: the rows of collect, found by the audit's name; a name stands for one audit."""
    import shutil

    shutil.copytree(mixed.location, tmp_path / "store")
    store = mr.open(tmp_path / "store")
    audit: LazyFrame = store.scan("m").discover(permutations=0, stability=0)
    audit_id = audit.sink("2026-11")
    opened = mr.open(store.location)
    stored = opened.scan_table("memberships").filter(f"audit_id = '{audit_id}'").collect()
    assert_frame_equal(stored, audit.collect(cache=False).select(stored.columns).sort("slice_id", "sample_id"))
    slices = opened.scan_table("slices").filter(f"audit_id = '{audit_id}'").collect()
    assert_frame_equal(slices, audit.describe().collect(cache=False).select(slices.columns))
    assert opened.audit_id("2026-11") == audit_id == opened.audit_id(audit_id)
    assert opened.sql("SELECT audit_id FROM audits WHERE name = '2026-11'")["audit_id"].to_list() == [audit_id]
    assert opened.scan("m").discover(permutations=0, stability=0).sink("november") == audit_id
    assert mr.open(store.location).audit_id("november") == audit_id
    with pytest.raises(AuditError, match="already named"):
        opened.scan("n").discover(permutations=0, stability=0).sink("november")
    with pytest.raises(UnknownNameError, match="did you mean"):
        mr.open(store.location).audit_id("novembre")
    with pytest.raises(AuditError, match="cannot be the name"):
        opened.scan("n").discover().sink("a/b")
    with pytest.raises(AuditError, match="an audit's id"):
        opened.scan("n").discover().sink("0123456789ab")


def test_a_seed_that_is_none_is_told_as_it_is_given(mixed: Store) -> None:
    """Not by what draws with it, hours later."""
    for seed in (-1, 2**63):
        with pytest.raises(AuditError, match=f"{seed} is no seed"):
            mixed.scan(seed=seed)
    mixed.scan(seed=2**63 - 1).discover(permutations=0, stability=0).collect(cache=False)


def test_scores_hold_every_sample_and_assignments_those_above_the_cut(mixed: Store, tmp_path: Path) -> None:
    """Score gives each sample under each slice; those from the slice's cut on are the ones that assign puts there."""
    import shutil

    shutil.copytree(mixed.location, tmp_path / "store")
    store = mr.open(tmp_path / "store")
    store.scan("m").fuse(modalities=["image"]).discover(permutations=0, stability=0, min_patients=1, min_size=2).sink(
        "x"
    )
    store = mr.open(store.location)
    images = store.scan_table("images").filter("sample_id < 's040'")
    scored, assigned = images.score("x").collect(), images.assign("x").collect()
    cuts = pl.DataFrame(store.table("slices").read(["slice_id", "cut"]))
    above = scored.join(cuts, on="slice_id").filter(pl.col("score") >= pl.col("cut"))
    inside = assigned.filter(pl.col("slice_id") != "none")
    assert inside.height
    assert set(above.select("slice_id", "sample_id").iter_rows()) == set(
        inside.select("slice_id", "sample_id").iter_rows()
    )
    assert scored.height == cuts.height * assigned["sample_id"].n_unique()


def test_pictures_come_last(tmp_path: Path) -> None:
    """Pictures are fetched for the rows that are left, byte for byte; NULL where there is none."""
    from stores import write_store

    images = [
        {
            "sample_id": f"s{k}",
            "patient_id": "p",
            "picture": bytes([k]) * 9 if k % 3 else None,
            "sha256": f"{k}" if k % 3 else None,
        }
        for k in range(12)
    ]
    store = write_store(tmp_path / "store", images, [])
    frame = store.scan_table("images", pictures=True).filter("sample_id < 's5'").sort("sample_id", descending=True)
    chosen = frame.head(4).select("sample_id", "picture")
    assert chosen.collect(cache=False).rows() == [
        ("s4", b"\x04" * 9),
        ("s3", None),
        ("s2", b"\x02" * 9),
        ("s11", b"\x0b" * 9),
    ]
    assert_frame_equal(chosen.collect(cache=False), chosen.collect(cache=False, optimised=False))
    assert "picture" not in store.scan_table("images").columns
    assert pa.types.is_large_binary(chosen.schema.field("picture").type)


def test_what_a_plan_cannot_mean_is_told_as_it_is_written(mixed: Store) -> None:
    """No score is above a threshold that is no number; no name is not every name; a name is not its letters."""
    samples = mixed.scan("m", "A")
    for threshold in (float("nan"), 1.5, -0.1):
        with pytest.raises(AuditError, match=f"the threshold is {threshold}"):
            samples.discover(threshold=threshold)
    for names in ({"model": []}, {"target": ()}):
        with pytest.raises(AuditError, match=f"no {next(iter(names))} is named"):
            mixed.scan(**names)
    with pytest.raises(MisreadError, match="other is of type DataFrame\ngive a LazyFrame"):
        samples.join(samples.head(1).collect(cache=False), on="sample_id")  # type: ignore[arg-type]
    assert samples.fuse(metadata="age") == samples.fuse(metadata=["age"])


def test_no_file_of_rows_lies_in_the_store(mixed: Store) -> None:
    """What is deleted from a store must not be left beside its tables."""
    inside = Path(mixed.location) / "rows.parquet"
    with pytest.raises(MisreadError, match="lies in the store"):
        mixed.scan_table("images").sink_parquet(inside)
    assert not inside.exists()


def test_columns_that_differ_in_case_alone_are_told_apart(tmp_path: Path) -> None:
    """A column of images that has a name of ours in any case is called as in the view samples, wherever it stands."""
    names = ("Label", "half", "metadata_half", "Model", "note")
    images = [{"sample_id": f"s{row}", **{name: f"{name} {row}" for name in names}} for row in range(6)]
    predictions = [
        {"sample_id": f"s{row}", "model": "m", "target": "A", "label": row % 2, "score": 0.5} for row in range(6)
    ]
    fields = [pa.field(name, pa.string()) for name in names]
    store = write_store(tmp_path / "store", images, predictions, metadata=fields)
    called = ["metadata_Label", "metadata_half_1", "metadata_half", "metadata_Model", "note"]
    frame = store.scan()
    for asked in (frame, frame.filter("label = 1"), frame.select(*called), frame.select("metadata_half_1")):
        rows = asked.collect(cache=False)
        assert_frame_equal(asked.collect(cache=False, optimised=False), rows)
        for name, told in zip(names, called, strict=True):
            if told in rows.columns:
                assert {text.rpartition(" ")[0] for text in rows[told]} == {name}
    assert set(called) < set(store.sql("SELECT * FROM samples").columns)
    for chooses, told in (("metadata_Label = 'x'", "ingest it under another name"), ("label = 1", "model said")):
        with pytest.raises(AuditError, match=told):
            frame.filter(chooses).discover()
    both = "both frames have 'label'"
    with pytest.raises(MisreadError, match=both):
        store.scan_table("images").join(store.scan_table("predictions").select("sample_id", "label"), on="sample_id")


def test_a_join_is_ordered_by_all_columns_where_keys_were_left_out(mixed: Store) -> None:
    """Keys that were not selected cannot order what is joined; its other columns do."""
    scores = mixed.scan_table("predictions").select("sample_id", "score")
    joined = scores.join(mixed.scan_table("images").select("sample_id", "view"), on="sample_id")
    rows = joined.collect(cache=False)
    assert_frame_equal(rows, rows.sort("sample_id", "score", nulls_last=True))


def test_a_frame_cut_short_by_a_hidden_key_joins_with_that_key(mixed: Store) -> None:
    """The key that a head is ordered by, though it was not selected, is not taken for the other frame's."""
    views = mixed.scan_table("images").select("view").head(20)
    joined = views.join(mixed.scan_table("images").select("sample_id", "view").head(5), on="view")
    assert set(joined.collect(cache=False, optimised=False)["sample_id"]) <= {f"s{row:03d}" for row in range(5)}


@pytest.mark.parametrize("text", ["age < 1e309", "age > -1e400", "visits >= -9223372036854775808"])
def test_constants_that_lance_has_no_word_for_are_left_to_duckdb(mixed: Store, text: str) -> None:
    """Numbers beyond those of a float64, and the least whole number, choose rows as they do in SQL."""
    frame = mixed.scan_table("images").filter(text)
    assert_frame_equal(frame.collect(cache=False), frame.collect(cache=False, optimised=False))
    assert frame.collect(cache=False).height == mixed.sql(f"SELECT count(*) AS n FROM images WHERE {text}")["n"][0] > 0
