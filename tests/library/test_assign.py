"""Frozen slices: rows that came later, put into the slices of an audit."""

import shutil
from html import escape
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import misread as mr
from misread.execute.moving import MOVED, without_small_cells
from misread.library import Store
from misread.schemas.errors import AuditError, UnknownNameError
from misread.schemas.tables import REPORTS, embeddings_contract
from misread.store import EncoderEntry
from stores import planted_store, table, write_store

CHANGES = {
    rate: {f"{rate}_change{end}" for end in ("", "_low", "_high")} for rate in ("share", "error_rate", "mean_loss")
}
TABLES = ("images", "predictions", "reports", "embeddings_outside")
EARLY, LATE = "sample_id < 's0600'", "sample_id >= 's0600'"


def rows_of(source: Store, name: str, predicate: str | None = None) -> pa.Table:
    rows = source.table(name).read(predicate=predicate).drop_columns("checksum")
    return rows.append_column("picture", pa.nulls(rows.num_rows, pa.large_binary())) if name == "images" else rows


def add(source: Store, store: Store, predicate: str, *, parts: int = 1, shuffle: int = 0) -> None:
    """Copies the rows of `source` for which the predicate is true, shuffled, in several commits."""
    rows = {name: rows_of(source, name, predicate) for name in TABLES}
    for part in range(parts):
        with store.commit("ingest") as commit:
            for number, (name, table) in enumerate(rows.items()):
                order = np.random.default_rng([shuffle, number]).permutation(table.num_rows)
                commit.append(name, table.take(np.array_split(order, parts)[part]))
            if not commit.manifest.encoders:
                commit.set_encoder("outside", EncoderEntry("image", 12, "external", 1))


def audit(store: Store, *predicates: str) -> str:
    return store.scan(model="m").filter(*predicates).discover(permutations=19, stability=0).describe().sink()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return planted_store(tmp_path_factory.mktemp("whole") / "store", per_patient=2)


@pytest.fixture(scope="module")
def early(whole: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A store of 600 samples, audited; to be copied."""
    store = Store.open_or_new(tmp_path_factory.mktemp("early") / "store")
    add(whole, store, EARLY)
    return store, audit(mr.open(store.location))


@pytest.fixture
def audited(early: tuple[Store, str], tmp_path: Path) -> tuple[Store, str]:
    """A copy of it, to be written to."""
    return copied(early[0], tmp_path), early[1]


@pytest.fixture(scope="module")
def grown(whole: Store, early: tuple[Store, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """The store of 600 samples, audited, to which 300 have come in three commits since."""
    store = copied(early[0], tmp_path_factory.mktemp("grown"))
    add(whole, store, LATE, parts=3, shuffle=1)
    return mr.open(store.location), early[1]


def copied(store: Store, folder: Path) -> Store:
    return mr.open(shutil.copytree(store.location, folder / "store"))


def memberships(store: Store) -> pl.DataFrame:
    return store.sql(
        "SELECT sample_id, model, target, slice_id, m.score, class_probability, rank "
        "FROM memberships AS m JOIN slices USING (slice_id) ORDER BY slice_id, rank"
    )


@pytest.mark.parametrize(("parts", "shuffle"), [(1, 0), (7, 3)])
def test_assigning_its_own_rows_gives_an_audits_memberships(
    whole: Store, tmp_path: Path, parts: int, shuffle: int
) -> None:
    """Every membership with its score and rank, and nobody else, in whatever order and chunks the store holds rows."""
    store = Store.open_or_new(tmp_path / "store")
    add(whole, store, "true", parts=parts, shuffle=shuffle)
    audit_id = audit(mr.open(store.location))
    found = memberships(mr.open(store.location))
    rows = mr.open(store.location).assign(audit_id, where="true")
    taken = rows.filter(pl.col("slice_id") != "none")
    assert found.height > 0
    assert taken.equals(found)
    assert set(rows["sample_id"]) == {f"s{i:04d}" for i in range(900)}
    assert set(rows.filter(pl.col("slice_id") == "none")["sample_id"]).isdisjoint(found["sample_id"])


def test_rows_that_came_later_are_assigned(grown: tuple[Store, str]) -> None:
    """By default exactly the samples the audit never judged; one without a slice is there once, as none."""
    store, audit_id = grown
    rows = store.assign(audit_id)
    assert set(rows["sample_id"]) == {f"s{i:04d}" for i in range(600, 900)}
    alone = rows.filter(pl.col("slice_id") == "none")
    assert alone.select(pl.col("score", "rank").null_count()).row(0) == (alone.height, alone.height)
    assert alone["sample_id"].is_unique().all()
    for _, group in rows.filter(pl.col("slice_id") != "none").group_by("slice_id", maintain_order=True):
        assert group["rank"].to_list() == list(range(1, group.height + 1))
        assert group["score"].is_sorted(descending=True)


def test_a_sample_has_the_same_slices_whoever_comes_with_it(grown: tuple[Store, str]) -> None:
    """Slices and scores of a sample depend on the sample alone."""
    store, audit_id = grown
    few = store.assign(audit_id, where="sample_id > 's0880'").drop("rank").sort("sample_id", "slice_id")
    every = store.assign(audit_id).drop("rank").filter(pl.col("sample_id") > "s0880").sort("sample_id", "slice_id")
    assert few.equals(every)
    assert (
        store.assign(audit_id, where=pl.col("sample_id") > "s0880")
        .sort("sample_id", "slice_id")
        .drop("rank")
        .equals(few)
    )


def test_moves_are_counts_over_rows(grown: tuple[Store, str]) -> None:
    """Share, errors and rates are counts of the assigned rows; changes are differences, inside their intervals."""
    store, audit_id = grown
    rows, moved = store.assign(audit_id), store.moved(audit_id)
    truth = store.sql("SELECT sample_id, label, error FROM predictions")
    for move in moved.iter_rows(named=True):
        members = rows.filter(pl.col("slice_id") == move["slice_id"]).join(truth, on="sample_id")
        mine = members.filter(pl.col("label") == move["true_class"])
        assert (move["samples"], move["rows"], move["share"]) == (300, members.height, members.height / 300)
        assert (move["labelled_rows"], move["errors"]) == (mine.height, mine["error"].sum())
        assert move["error_rate"] == pytest.approx(mine["error"].mean())
        assert move["error_rate_change"] == pytest.approx(move["error_rate"] - move["error_rate_audited"])
        for rate in ("share", "error_rate"):
            assert move[f"{rate}_low"] <= move[rate] <= move[f"{rate}_high"]
            assert move[f"{rate}_change_low"] <= move[f"{rate}_change"] <= move[f"{rate}_change_high"]
    stored = store.sql("SELECT share, error_rate FROM slices ORDER BY slice_id")
    assert moved["share_audited"].to_list() == stored["share"].to_list()
    assert moved["error_rate_audited"].to_list() == stored["error_rate"].to_list()
    first = moved.row(0, named=True)
    assert first["error_rate"] > 0.5 > first["baseline_rate"]


@pytest.mark.parametrize(
    "where", ["sample_id > 's0893'", "sample_id > 's0885'", "sample_id > 's0850'", "sample_id > 's0600'"]
)
def test_moves_tell_no_number_of_few_patients(grown: tuple[Store, str], where: str) -> None:
    """What 1 to 10 patients are behind is NULL, and so is what would tell it; the rest is as it is; it can be asked."""
    store, audit_id = grown
    shown, every = store.moved(audit_id, where), store.moved(audit_id, where, allow_small_cells=True)
    assert not every["suppressed"].any()
    rows = store.assign(audit_id, where)
    truth = store.sql("SELECT sample_id, coalesce(patient_id, sample_id) AS patient, label FROM samples")
    people = rows.select("sample_id").unique().join(truth, on="sample_id")
    for told, whole in zip(shown.iter_rows(named=True), every.iter_rows(named=True), strict=True):
        inside = people["sample_id"].is_in(rows.filter(pl.col("slice_id") == told["slice_id"])["sample_id"].implode())
        mine = people["label"] == told["true_class"]
        few_inside, few_outside, few_judged, few_others = (
            0 < people.filter(some)["patient"].n_unique() < 11
            for some in (inside, ~inside, inside & mine, ~inside & mine)
        )
        few = people["patient"].n_unique() < 11
        of_all = ("samples",) if few else ()
        of_all += ("rows", "patients", "share") if few or few_inside or few_outside else ()
        of_judged = ("labelled", "errors", "judged", "error_rate") if few_judged else ()
        of_others = ("baseline_rate",) if few_judged or few_others else ()
        hidden = [name for name in whole if name.startswith((*of_all, *of_judged, *of_others))]
        hidden = [name for name in hidden if not name.endswith("_audited")]
        assert told == whole | dict.fromkeys(hidden) | {"suppressed": bool(hidden)}


def test_own_confirmation_half_has_not_moved(grown: tuple[Store, str]) -> None:
    """Assigned to itself, a confirmation half shows no change at all."""
    store, audit_id = grown
    own = store.sql("SELECT sample_id FROM audited WHERE half = 'confirmation'")["sample_id"]
    listed = ", ".join(f"'{sample}'" for sample in own)
    moved = store.moved(audit_id, where=f"sample_id IN ({listed})")
    assert moved["share_change"].to_list() == [0.0] * moved.height
    assert moved["error_rate_change"].to_list() == [0.0] * moved.height


def test_samples_of_patients_that_the_audit_has_seen_are_counted(whole: Store, tmp_path: Path) -> None:
    """Later films of patients of either half are told by number; of other patients nothing is."""
    store = Store.open_or_new(tmp_path / "store")
    early = f"{EARLY} AND sample_id NOT IN ('s0001', 's0003', 's0005', 's0007')"
    add(whole, store, early)
    audit_id = audit(mr.open(store.location))
    add(whole, store, f"NOT ({early})")
    opened = mr.open(store.location)
    halves = opened.sql(
        "SELECT DISTINCT i.patient_id, a.half FROM audited AS a JOIN images AS i USING (sample_id) "
        "WHERE i.patient_id IN ('p0', 'p1', 'p2', 'p3')"
    )
    counted = dict(halves.group_by("half").len().iter_rows())
    assert opened.moved(audit_id).height
    notes = opened.assigned(audit_id).notes
    assert [note.partition(" samples are of patients ")[0] for note in notes] == [
        "few" for half in ("discovery", "confirmation") if half in counted
    ]
    shown = opened.assigned(audit_id, allow_small_cells=True).notes
    assert [note.partition(" samples are of patients ")[0] for note in shown] == [
        f"{counted[half]}" for half in ("discovery", "confirmation") if half in counted
    ]
    # with samples of every patient chosen, those of patients that were audited are counted
    seen = opened.sql("SELECT half, count(DISTINCT sample_id) AS n FROM audited GROUP BY half ORDER BY half DESC")
    counts = [int(note.split()[0]) for note in opened.assigned(audit_id, where="true").notes]
    assert len(counts) == 2
    assert all(count >= n for count, n in zip(counts, seen["n"], strict=True))
    assert opened.assigned(audit_id, where=LATE).notes == ()


def test_labels_are_not_needed(whole: Store, audited: tuple[Store, str], grown: tuple[Store, str]) -> None:
    """Without a single prediction for the new rows they have the same slices; only the error rates are unknown."""
    store, audit_id = audited
    add(whole, store, LATE)
    with store.commit("ingest") as commit:
        commit.writer("predictions").delete(LATE)
    opened = mr.open(store.location)
    assert opened.assign(audit_id).equals(grown[0].assign(grown[1]))
    assert opened.moved(audit_id)["error_rate"].null_count() == opened.moved(audit_id).height > 0
    assert opened.moved(audit_id)["share_change"].null_count() == 0


def test_the_filter_of_the_audit_holds_for_new_rows(whole: Store, tmp_path: Path) -> None:
    """An audit of PA films takes new PA films by default, and any others when asked."""
    store = Store.open_or_new(tmp_path / "store")
    add(whole, store, EARLY)
    audit_id = audit(mr.open(store.location), "view = 'PA' OR view IS NULL", "age < 80")
    add(whole, store, LATE)
    opened = mr.open(store.location)
    wanted = opened.sql(f"SELECT sample_id FROM images WHERE {LATE} AND (view = 'PA' OR view IS NULL) AND age < 80")
    assert set(opened.assign(audit_id)["sample_id"]) == set(wanted["sample_id"])
    assert set(opened.assign(audit_id, where="view = 'AP'")["sample_id"]) == set(
        opened.sql("SELECT sample_id FROM images WHERE view = 'AP'")["sample_id"]
    )


def test_nothing_new_is_an_empty_answer(whole: Store, grown: tuple[Store, str]) -> None:
    """No row to assign: no rows, slices without rates, and a note; an older state is read as it was."""
    store, audit_id = grown
    then = mr.open(store.location, state=2)
    done = then.assigned(audit_id)
    assert done.rows.columns == ["sample_id", "model", "target", "slice_id", "score", "class_probability", "rank"]
    assert done.rows.height == 0
    assert done.moved["rows"].to_list() == [0] * done.moved.height
    assert "no sample is new" in done.notes[0]


def test_an_audit_without_slices_assigns_none(tmp_path: Path) -> None:
    """Where nothing was found, every sample is in none and no slice moved."""
    store = planted_store(tmp_path / "store", samples=200, inside=0.12)
    audit_id = audit(store, "age < 70")
    opened = mr.open(store.location)
    assert opened.sql("SELECT slices FROM audits").item() == 0
    rows = opened.assign(audit_id, where="age >= 70")
    assert set(rows["slice_id"]) == {"none"}
    assert opened.moved(audit_id, where="age >= 70").height == 0


def test_samples_without_any_vector_are_left_out_and_counted(tmp_path: Path) -> None:
    """A sample the audit could not have seen gets no slice, not even none; of few patients they are not counted."""
    images = [{"sample_id": f"s{i}", "split": "train" if i < 11 else None} for i in range(200)]
    predictions = [
        {"sample_id": f"s{i}", "model": "m", "target": "t", "label": i % 2, "score": (i % 10) / 10} for i in range(150)
    ]
    vectors = {f"s{i}": [float(i % 13), float(i % 5), 1.0] for i in range(190)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    audit_id = store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    done = mr.open(store.location).assigned(audit_id)
    assert set(done.rows["sample_id"]) == {f"s{i}" for i in range(150, 190)}
    train, bare = "samples are left out: split is train", "samples are left out: no vector in any chosen modality"
    assert done.notes == (f"11 {train}", f"few {bare}")
    shown = mr.open(store.location).assigned(audit_id, allow_small_cells=True)
    assert shown.notes == (f"11 {train}", f"10 {bare}")


def test_a_notebook_shows_no_row_that_every_vector_is_read_for(grown: tuple[Store, str]) -> None:
    """Samples put into slices, or scored, show their plan alone: a first row costs as much as all."""
    store, audit_id = grown
    images = store.scan_table("images")
    for frame in (images.assign(audit_id), images.score(audit_id).head(3)):
        assert frame._repr_html_() == f"<pre>{escape(frame.explain())}</pre>"


@pytest.mark.parametrize("cache", [False, True])
def test_steps_of_two_states_read_each_its_own(tmp_path: Path, cache: bool) -> None:
    """Joined with rows of a newer state, from either side, scores and slices are those of the state they stand on."""
    store = planted_store(tmp_path / "store", samples=300)
    audit_id = store.scan().discover(permutations=0, stability=0).sink()
    then = mr.open(store.location)
    scores = then.scan_table("images").score(audit_id)
    slices = then.scan().discover(permutations=0, stability=0).describe().select("model", "target", "sentence")
    assert "report" in str(slices.collect()["sentence"].to_list())
    with store.commit("ingest") as commit:
        vectors = commit.table("embeddings_outside").read(["sample_id", "vector"])
        turned = vectors.set_column(0, "sample_id", vectors["sample_id"].take(pa.array(range(299, -1, -1))))
        commit.upsert("embeddings_outside", table(embeddings_contract("outside", 12), turned.to_pylist()))
        commit.upsert("reports", table(REPORTS, [{"sample_id": f"s{i:04d}", "report": "Nothing."} for i in range(300)]))
    predicted = mr.open(store.location).scan_table("predictions")
    for old, on in ((slices, ["model", "target"]), (scores, ["sample_id"])):
        expected, new = old.collect(cache=False), predicted.select(*on, "label")
        assert_frame_equal(old.join(new, on, "semi").collect(cache=cache), expected, check_row_order=False)
        both = new.join(old, on).collect(cache=cache).select(expected.columns).unique()
        assert_frame_equal(both, expected.unique(), check_row_order=False)
    later = mr.open(store.location).scan_table("images").score(audit_id)
    told = [each.join(predicted, "sample_id", "semi").collect(cache=cache) for each in (scores, later)]
    assert not told[0].equals(told[1])


def test_what_was_put_into_slices_is_no_table_of_images(grown: tuple[Store, str]) -> None:
    """An unknown column of it is told as one of samples, with the columns that they have."""
    images = grown[0].scan_table("images")
    for frame in (images.assign(grown[1]), images.score(grown[1]).head(3)):
        with pytest.raises(UnknownNameError, match="no column 'slice' in samples; did you mean 'slice_id'"):
            frame.select("slice")


def test_unknown_audits_are_told_with_those_there_are(grown: tuple[Store, str], whole: Store) -> None:
    """A name that is no audit is an error that lists the audits; a store without audits says what to do."""
    with pytest.raises(UnknownNameError, match=grown[1]):
        grown[0].assign("nosuchaudit")
    with pytest.raises(AuditError, match="misread discover"):
        whole.assign("nosuchaudit")


@pytest.mark.parametrize(("source", "hint"), [("external", "--embeddings"), ("built-in", "misread embed")])
def test_pictures_without_vectors_are_an_error(
    whole: Store, audited: tuple[Store, str], source: str, hint: str
) -> None:
    """A sample whose picture was not encoded would pass for one without a picture: it is refused instead."""
    store, audit_id = audited
    add(whole, store, LATE)
    with store.commit("ingest") as commit:
        rows = rows_of(store, "images")
        digests = pa.array(["0" * 64] * rows.num_rows)
        rows = rows.set_column(rows.column_names.index("sha256"), "sha256", digests)
        commit.append_batches("images", [rows], rows.schema, replacing=True)
        commit.writer("embeddings_outside").delete("sample_id IN ('s0700', 's0701')")
        commit.set_encoder("outside", EncoderEntry("image", 12, source, 2))
    with pytest.raises(AuditError, match=rf"2 of 300 samples .*'s0700'.*\n.*{hint}"):
        mr.open(store.location).assign(audit_id)


@pytest.mark.parametrize(
    ("change", "message"), [("model", "fitted anew"), ("dimension", "fitted anew"), ("version", "fitted anew")]
)
def test_vectors_of_another_space_are_an_error(audited: tuple[Store, str], change: str, message: str) -> None:
    """An encoder fitted again after the audit makes vectors that the audit's rules do not fit."""
    from dataclasses import replace

    store, audit_id = audited
    news = {"model": "models/x.npz", "dimension": 13, "version": {"version": 2}}
    field = "parameters" if change == "version" else change
    with store.commit("embed") as commit:
        commit.set_encoder("outside", replace(store.encoders["outside"], **{field: news[change]}))
    with pytest.raises(AuditError, match=message):
        mr.open(store.location).assign(audit_id, where="true")


@pytest.mark.parametrize("change", ["gone", "text"])
def test_metadata_that_changed_its_shape_is_an_error(audited: tuple[Store, str], change: str) -> None:
    """A column the audit was fitted on is gone, or holds another kind of values: one sentence that names it."""
    store, audit_id = audited
    rows = rows_of(store, "images")
    place = rows.column_names.index("age")
    text = pa.array([str(value) for value in rows["age"].to_pylist()])
    new = rows.drop_columns("age") if change == "gone" else rows.set_column(place, "age", text)
    with store.commit("ingest") as commit:
        commit.append_batches("images", [new], new.schema, replacing=True)
    with pytest.raises((UnknownNameError, AuditError), match="age"):
        mr.open(store.location).assign(audit_id, where="true")


@pytest.mark.parametrize("few", [1, 10, 0, 11])
@pytest.mark.parametrize(
    ("patients", "hidden"),
    [
        ("patients", {"rows", "patients", "share", "share_low", "share_high", *CHANGES["share"]}),
        ("patients_outside", {"rows", "patients", "share", "share_low", "share_high", *CHANGES["share"]}),
        ("assigned_patients", {"samples", "rows", "patients", "share", "share_low", "share_high", *CHANGES["share"]}),
        (
            "judged_patients",
            {"labelled_rows", "errors", "loss_rows", "judged_patients", *CHANGES["error_rate"], *CHANGES["mean_loss"]}
            | {f"{rate}{end}" for rate in ("error_rate", "mean_loss") for end in ("", "_low", "_high")}
            | {"baseline_rate", "baseline_loss"},
        ),
        ("judged_outside", {"baseline_rate", "baseline_loss"}),
        ("audited_patients", {f"{rate}_audited" for rate in CHANGES}.union(*CHANGES.values())),
    ],
)
def test_what_would_tell_few_patients_is_left_out(patients: str, hidden: set[str], few: int) -> None:
    """Where 1 to 10 patients are counted somewhere, what comes from them is NULL, and nothing else."""
    texts = [name for name, kind in MOVED.items() if kind == pl.String]
    counts = ("patients", "patients_outside", "judged_patients", "judged_outside", "audited_patients")
    counts += ("assigned_patients",)
    whole = dict.fromkeys(MOVED, 1) | dict.fromkeys(texts, "x") | dict.fromkeys(counts, 50) | {patients: few}
    told = without_small_cells(pl.DataFrame([whole]), 11).row(0, named=True)
    is_hidden = few in (1, 10)
    expected = {name: value for name, value in whole.items() if name in MOVED}
    assert told == expected | (dict.fromkeys(hidden) if is_hidden else {}) | {"suppressed": is_hidden}
