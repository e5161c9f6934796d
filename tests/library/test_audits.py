"""Audits end to end on small stores: what is found, kept, and found again."""

import errno
import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import misread as mr
from misread.library import LazyFrame, Store
from misread.schemas.errors import AuditError, MisreadError, StoreError, UnknownNameError
from stores import planted_store, write_store


def audit(store: Store, **options: object) -> LazyFrame:
    return store.scan(model="m").discover(permutations=19, **options).describe()  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = planted_store(tmp_path_factory.mktemp("audited") / "store")
    audit(store).sink()
    return mr.open(store.location)


def test_the_planted_slice_is_found_confirmed_and_named(audited: Store) -> None:
    """A quarter of the positives, mostly missed, is the first slice; its words are in its phrases."""
    first = audited.sql("SELECT *, nearest_phrase(slice_id) AS phrase FROM slices ORDER BY slice_id").row(0, named=True)
    assert (first["true_class"], first["error_kind"], first["confirmed"]) == (1, "false negative", True)
    assert first["error_rate"] > 0.5
    assert first["baseline_rate"] < 0.2
    assert first["error_rate_low"] < first["error_rate"] < first["error_rate_high"]
    assert "no chest drain" in audited.sql("SELECT phrase FROM phrases").to_series().to_list()


def test_stored_numbers_are_those_of_the_rows(audited: Store) -> None:
    """Size and error rate of every slice are counts over memberships and the audit's own truth, and so are the patients
    outside that its baseline is of."""
    counted = audited.sql(
        """SELECT s.slice_id, slice_size(s.slice_id) AS size, error_rate(s.slice_id) AS rate,
                  count(*) AS rows, avg(a.error::INT) AS errors
           FROM slices s JOIN memberships m USING (slice_id)
           JOIN audited a ON a.audit_id = s.audit_id AND a.sample_id = m.sample_id
                         AND a.model = s.model AND a.target = s.target
           WHERE m.half = 'confirmation' AND a.label = s.true_class GROUP BY s.slice_id"""
    )
    assert counted.height > 0
    assert (counted["size"] == counted["rows"]).all()
    assert counted["rate"].to_list() == pytest.approx(counted["errors"].to_list())


def test_members_as_alike_are_ranked_by_their_ids(tmp_path: Path) -> None:
    """Of samples whose vectors repeat each other's the score is the same, and the rank follows the sample id."""
    rng = np.random.default_rng(0)
    kinds = rng.standard_normal((40, 6)) + 4 * np.eye(6)[0] * (np.arange(40) < 10)[:, None]
    of_kind = rng.integers(0, 40, 800)
    vectors = {f"s{name:03d}": kinds[kind] for name, kind in zip(rng.permutation(800), of_kind, strict=True)}
    wrong = rng.random(800) < np.where(of_kind < 10, 0.7, 0.1)
    predictions = [
        {"sample_id": one, "model": "m", "target": "t", "label": 1, "score": 1.0 - missed, "threshold": 0.5}
        for one, missed in zip(vectors, wrong, strict=True)
    ]
    store = write_store(tmp_path / "store", [{"sample_id": one} for one in vectors], predictions, vectors=vectors)
    members = store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).collect()
    assert members["score"].n_unique() < members.height / 4
    ranked = members.sort("slice_id", "rank")
    assert ranked.equals(members.sort("slice_id", "score", "sample_id", descending=[False, True, False]))


def test_intervals_of_confirmed_slices_are_wider(tmp_path: Path) -> None:
    """Where some of the slices tested are confirmed, theirs are at 1 - .05 times their share, others at .95."""
    store = planted_store(tmp_path / "store", samples=600, per_patient=2)
    store.scan().discover(permutations=0, stability=0).sink()
    counted = mr.open(store.location).sql(
        """WITH people AS (
               SELECT slice_id, patient_id, count(*) AS n, count(*) FILTER (a.error) AS k
               FROM slices s JOIN memberships m USING (slice_id) JOIN images i USING (sample_id)
               JOIN audited a ON a.audit_id = s.audit_id AND a.sample_id = m.sample_id
                             AND a.model = s.model AND a.target = s.target
               WHERE m.half = 'confirmation' AND a.label = s.true_class GROUP BY ALL
           ),
           level AS (SELECT 1 - 0.05 * avg(confirmed::INT) AS wide FROM slices)
           SELECT s.confirmed, s.error_rate_low, s.error_rate_high, any_value(wide) AS wide,
                  rate_low(k, n, confidence := any_value(if(confirmed, wide, 0.95))) AS low,
                  rate_high(k, n, confidence := any_value(if(confirmed, wide, 0.95))) AS high
           FROM slices s JOIN people USING (slice_id), level GROUP BY ALL"""
    )
    assert counted["confirmed"].n_unique() == 2
    assert 0.95 < counted["wide"][0] < 1
    assert counted["error_rate_low"].to_list() == pytest.approx(counted["low"].to_list())
    assert counted["error_rate_high"].to_list() == pytest.approx(counted["high"].to_list())


def test_the_patients_outside_are_those_of_the_baseline(tmp_path: Path) -> None:
    """Counted by hand: patients with a held-out row of the class that the slice does not take, each once."""
    store = planted_store(tmp_path / "store", samples=600, per_patient=4)
    store.scan().discover(permutations=0, stability=0).sink()
    counted = mr.open(store.location).sql(
        """SELECT slice_id, any_value(baseline_patients) AS stored, count(DISTINCT patient_id) AS counted,
                  any_value(baseline_rate) AS rate, avg(a.error::INT) AS errors
           FROM slices s JOIN audited a USING (audit_id, model, target) JOIN images USING (sample_id)
           ANTI JOIN memberships m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
           WHERE a.half = 'confirmation' AND a.label = s.true_class GROUP BY slice_id"""
    )
    assert counted.height > 1
    assert counted["stored"].to_list() == counted["counted"].to_list()
    assert counted["rate"].to_list() == pytest.approx(counted["errors"].to_list())


def test_memberships_carry_the_audits_own_truth(audited: Store) -> None:
    """label, predicted, error and loss of a member are those of `audited` for the slice's model and target."""
    names = ("label", "predicted", "error", "loss")
    other = audited.sql(
        f"""SELECT {", ".join(f"m.{name} IS DISTINCT FROM a.{name}" for name in names)}, m.error IS NULL
            FROM memberships m JOIN slices s USING (audit_id, slice_id)
            LEFT JOIN audited a USING (audit_id, model, target, sample_id)"""
    )
    assert other.height > 0
    assert not other.select(pl.any_horizontal(pl.all()).any()).item()


def test_the_threshold_of_a_model_and_target_holds_for_samples_that_came_without_one(tmp_path: Path) -> None:
    """An audit of these alone judges as SQL does, whoever else is selected, and whatever option is given."""
    images = [{"sample_id": f"s{i:03d}"} for i in range(120)]
    rng = np.random.default_rng(0)
    vectors = {f"s{i:03d}": rng.standard_normal(3) for i in range(120)}
    predictions = [
        {"sample_id": f"s{i:03d}", "model": "m", "target": "t", "label": i % 2, "score": (i * 37 % 100) / 100}
        | ({"threshold": 0.3} if i < 40 else {})
        for i in range(120)
    ]
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    late = store.scan().filter("sample_id >= 's040'").fuse(modalities=["image"])
    late.discover(permutations=0, stability=0, threshold=0.6).sink()
    opened = mr.open(store.location)
    assert opened.sql("SELECT threshold, threshold_source FROM audit_targets").row(0) == (0.3, "column")
    differ = "SELECT count(*) FROM audited AS a JOIN predictions AS p USING (sample_id) WHERE a.error <> p.error"
    assert opened.sql(differ).item() == 0


def test_memberships_follow_from_the_rule_alone(audited: Store) -> None:
    """Members are exactly the samples whose score reaches the cut, of every class, ranked without gaps."""
    rows = audited.sql("SELECT * FROM memberships JOIN slices USING (slice_id)")
    assert (rows["score"] >= rows["cut"]).all()
    for _, group in rows.group_by("slice_id"):
        ordered = group.sort("rank")
        assert ordered["rank"].to_list() == list(range(1, group.height + 1))
        assert ordered["score"].is_sorted(descending=True)
    assert audited.sql("SELECT sum(other_class_rows) FROM slices").item() > 0


def test_memberships_stream_as_they_are_kept(audited: Store) -> None:
    """In batches of any size the rows of the slices found are those that the audit wrote, in their order."""
    frame = audited.scan(model="m").discover(permutations=19, stability=0)
    collected = frame.collect(cache=False)
    kept = pl.DataFrame(audited.table("memberships").read(collected.columns))
    alike = pl.all().exclude("audit_id", "slice_id")  # described, it is another audit
    assert collected.height > 10
    assert_frame_equal(collected.select(alike), kept.select(alike))
    for batch_rows in (1, 7, 10_000):
        batches = list(frame.stream(batch_rows))
        assert all(0 < batch.num_rows <= batch_rows for batch in batches)
        assert_frame_equal(pl.DataFrame(pa.Table.from_batches(batches, frame.schema)), collected)


def test_a_store_says_where_and_when_it_is(audited: Store) -> None:
    """What a notebook shows of it: its place, and the state that is read."""
    assert repr(audited) == f"Store({audited.location!r}, state={audited.state})"


def test_the_same_audit_is_not_run_again(audited: Store) -> None:
    """Asked again it gives the same id, and the store stays as it is."""
    before = audited.manifest
    again = audit(mr.open(audited.location)).sink()
    assert again == audited.sql("SELECT audit_id FROM audits").item()
    assert mr.open(audited.location).manifest == before


@pytest.mark.parametrize("change", [{"min_size": 12}, {"threshold": 0.4}, {"most": 2}, {"pool": 900}])
def test_another_question_is_another_audit(audited: Store, change: dict[str, object], tmp_path: Path) -> None:
    """Any parameter that may change the answer changes the id."""
    from misread.execute import audit_id_of

    assert audit_id_of(audited, audit(audited, **change).plan) != audit_id_of(audited, audit(audited).plan)


def test_row_order_never_matters(tmp_path: Path) -> None:
    """Stores filled in different orders give identical ids, slices, memberships and phrases."""
    stores = [planted_store(tmp_path / f"{shuffle}", shuffle=shuffle, samples=500) for shuffle in (None, 1, 2)]
    ids = [audit(store).sink() for store in stores]
    assert len(set(ids)) == 1
    for name, order in (("slices", "slice_id"), ("memberships", "slice_id, rank"), ("phrases", "slice_id, rank")):
        frames = [mr.open(store.location).sql(f"SELECT * FROM {name} ORDER BY {order}") for store in stores]
        assert frames[0].height > 0
        assert frames[0].equals(frames[1])
        assert frames[0].equals(frames[2])


def test_a_fusion_fitted_on_a_draw_is_the_same_in_any_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom a fit is drawn from hangs on sample ids and the seed alone; an audit says that it was drawn."""
    monkeypatch.setattr("misread.fitting.FITTED_ROWS", 100)
    stores = [planted_store(tmp_path / f"{shuffle}", shuffle=shuffle, samples=500) for shuffle in (None, 1)]
    one, other = (store.scan().fuse(modalities=["image"]).collect(cache=False) for store in stores)
    assert one.equals(other)
    audit_id = audit(stores[0], stability=0).sink()
    (note,) = mr.open(stores[0].location).sql(f"SELECT notes FROM audits WHERE audit_id = '{audit_id}'")["notes"]
    told = [text for text in note if "the fusion is fitted on 100 of" in text]
    assert len(told) == 1
    monkeypatch.setattr("misread.fitting.FITTED_ROWS", 10_000)
    assert not stores[0].scan().fuse(modalities=["image"]).collect(cache=False).equals(one)


@pytest.mark.parametrize("name", ["mine", None])
def test_an_audit_kept_by_another_meanwhile_has_the_name_last_asked_for(tmp_path: Path, name: str | None) -> None:
    """As it would have, had the two been asked one after the other."""
    store = planted_store(tmp_path / "store", samples=200)
    asked = store.scan().discover(permutations=0, stability=0)
    others: list[str] = []

    def another(*_: object) -> None:
        if not others:
            others.append("")
            others.append(mr.open(store.location).scan().discover(permutations=0, stability=0).sink("theirs"))

    audit_id = asked.sink(name, another)
    assert others == ["", audit_id]
    assert mr.open(store.location).sql("SELECT audit_id, name FROM audits").rows() == [(audit_id, name or "theirs")]


def test_no_search_is_begun_that_could_not_be_kept(audited: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes no writer is told before the first vector is read."""

    def refuses(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuses)
    begun: list[str] = []
    with pytest.raises(StoreError, match="cannot be written: Read-only file system"):
        audit(audited, min_size=7).sink(progress=lambda done, total, what: begun.append(what))
    assert begun == []


def test_stability_is_kept_with_every_slice(audited: Store, tmp_path: Path) -> None:
    """A share for every slice, high for the planted one; NULL when left out, and nothing else changes by it."""
    rows = audited.sql("SELECT stability FROM slices ORDER BY slice_id")["stability"]
    assert rows.null_count() == 0
    assert ((rows >= 0) & (rows <= 1)).all()
    assert rows[0] > 0.6
    without = audit(audited, stability=0).collect().drop("audit_id", "slice_id")
    assert without["stability"].null_count() == without.height
    again = audit(audited, stability=4).collect().drop("audit_id", "slice_id")
    assert without.drop("stability").equals(again.drop("stability"))


def test_a_slice_holds_enough_patients(tmp_path: Path) -> None:
    """Errors of a few people with many films each are no slice, however many films; the note says so."""
    store = planted_store(tmp_path / "store", samples=600, per_patient=30)
    store.scan().discover(permutations=0, stability=0, min_patients=1).sink()
    found = mr.open(store.location).sql("SELECT discovery_patients FROM slices")["discovery_patients"]
    assert found.len() > 0
    for fewest in (found.min(), found.max(), found.max() + 1):
        kept = store.scan().discover(permutations=0, stability=0, min_patients=fewest).describe().collect()
        assert kept.height == (found >= fewest).sum()
    audit_id = store.scan().discover(permutations=19, stability=0, min_patients=found.max() + 1).sink()
    note = mr.open(store.location).sql(f"SELECT note FROM audit_targets WHERE audit_id = '{audit_id}'").item()
    assert f"no group of errors spreads over {found.max() + 1} patients" in note


@pytest.mark.parametrize("seed", [4, 6])
def test_a_slice_holds_enough_rows_by_its_frozen_rule(tmp_path: Path, seed: int) -> None:
    """What the search counted without folds may be more than what the rule takes: the rule is what is promised."""
    store = planted_store(tmp_path / "store", samples=160, seed=seed, inside=0.5, with_reports=False)
    plan = store.scan().fuse(modalities=["image"])
    found = plan.discover(permutations=0, stability=0, min_patients=1).describe().collect()
    assert found["discovery_rows"].min() == 10  # some rule took fewer


def test_mistakes_are_raised_when_written(audited: Store) -> None:
    """Unknown models, targets, encoders, columns and modalities are errors before anything runs."""
    with pytest.raises(UnknownNameError, match=r"did you mean 'm'|there is: m"):
        audited.scan(model="mm")
    with pytest.raises(UnknownNameError, match="did you mean 'Pneumothorax'"):
        audited.scan(target="Pneumothorx")
    with pytest.raises(UnknownNameError, match="there is: outside"):
        audited.scan().fuse(image="clip")
    with pytest.raises(UnknownNameError, match="did you mean 'view'"):
        audited.scan().fuse(metadata=["vieww"])
    with pytest.raises(UnknownNameError, match="no modality"):
        audited.scan().fuse(modalities=["sound"])  # type: ignore[list-item]
    with pytest.raises(AuditError, match="no report vectors"):
        audited.scan().fuse(modalities=["report"])
    with pytest.raises(AuditError, match="filter comes before fuse"):
        audited.scan().fuse().filter("age > 3")
    with pytest.raises(AuditError, match="min_size is 1"):
        audited.scan().discover(min_size=1)
    with pytest.raises(AuditError, match="min_patients is 0"):
        audited.scan().discover(min_patients=0)
    with pytest.raises(AuditError, match="stability is -1"):
        audited.scan().fuse().discover(stability=-1)
    with pytest.raises(AuditError, match="pool is 1; it must be at least 2"):
        audited.scan().discover(pool=1)


def test_a_filter_limits_the_rows_audited(audited: Store) -> None:
    """Only rows for which the predicate is true are audited; an unknown column is an error; nothing left is one too."""
    kept = audited.scan().filter("view = 'PA'", "age < 60").collect()
    assert set(kept["view"]) == {"PA"}
    assert kept["age"].max() < 60
    with pytest.raises(MisreadError, match="vew"):
        audited.scan().filter("vew = 'PA'").collect()
    with pytest.raises(AuditError, match="no sample is left"):
        audited.scan().filter("age > 400").discover().collect()


def test_the_level_of_collect_follows_the_plan(audited: Store) -> None:
    """Samples, vectors, memberships, slices: one row of what the last step gives."""
    scan = audited.scan()
    assert scan.collect().height == 900
    assert scan.fuse().collect().schema["vector"].shape  # type: ignore[attr-defined]
    memberships = scan.discover(permutations=0, stability=0).collect()
    truth = ["label", "predicted", "error", "loss"]
    scores = ["score", "class_probability", "rank"]
    assert memberships.columns == ["audit_id", "slice_id", "sample_id", "half", *truth, *scores]
    slices = scan.discover(permutations=0, stability=0).describe().collect()
    assert set(memberships["slice_id"]) == set(slices["slice_id"])


def test_the_plan_is_told_as_a_tree(audited: Store) -> None:
    """Explaining runs nothing, names what is read, and shows only what differs from the defaults."""
    text = audited.scan(model="m").filter("age < 40").discover(min_size=20).describe().explain()
    lines = text.splitlines()
    steps = [line.split("(")[0].split()[0] for line in lines]
    assert steps == ["Describe", "Discover", "Fuse", "Samples", "Scan", "Scan", "Take", "Scan"]
    assert "min_size=20" in text
    assert "permutations" not in text
    assert "Take(vector of embeddings_outside" in text
    assert "where (`age` < 40), in Lance" in text


def test_targets_are_judged_together(tmp_path: Path) -> None:
    """q-values are Benjamini-Hochberg over every slice of every target of the audit."""
    from scipy.stats import false_discovery_control

    store = planted_store(tmp_path / "store", targets=("A", "B", "C"), samples=600)
    store.scan().discover(permutations=0, stability=0).sink()
    rows = mr.open(store.location).sql("SELECT p_value, q_value, target FROM slices ORDER BY slice_id")
    assert rows["target"].n_unique() == 3
    assert rows["q_value"].to_list() == pytest.approx(false_discovery_control(rows["p_value"].to_list()).tolist())


def test_an_older_state_can_be_audited_again(tmp_path: Path) -> None:
    """A state named by its number gives the same audit after later commits as it gave then."""
    store = planted_store(tmp_path / "store", samples=400)
    first = audit(store, stability=0).sink()
    with store.commit("ingest") as commit:
        commit.writer("predictions").delete("sample_id IN ('s0001', 's0002')")
    assert audit(mr.open(store.location), stability=0).sink() != first
    assert audit(mr.open(store.location, state=1), stability=0).sink() == first


def test_slices_are_frozen_in_the_store(audited: Store) -> None:
    """Fusion and rule, read back from the store, give every membership again."""
    import numpy as np

    from misread.fuse import Block, Fusion
    from misread.metadata import MetadataFeatures

    row = pl.DataFrame(audited.table("audits").read(["fusion", "parameters"])).row(0, named=True)
    fusion = Fusion.from_arrays(audited.read_model(row["fusion"]))
    import json

    features = MetadataFeatures.from_dicts(json.loads(row["parameters"])["metadata_features"])
    images = pl.DataFrame(audited.table("images").read()).sort("sample_id")
    encoded = pl.DataFrame(audited.table("embeddings_outside").read(["sample_id", "vector"]))
    found = images.select("sample_id").join(encoded, on="sample_id", how="left", maintain_order="left")["vector"]
    there = found.is_not_null().to_numpy()
    vectors = np.zeros((len(found), encoded["vector"].dtype.size), np.float32)  # type: ignore[attr-defined]
    vectors[there] = found.drop_nulls().to_numpy()
    blocks = {
        "image": Block(vectors, there),
        "metadata": Block(features.transform(images), np.ones(images.height, bool)),
    }
    fused = fusion.transform(blocks)
    for found in pl.DataFrame(audited.table("slices").read(["slice_id", "direction", "cut"])).iter_rows(named=True):
        taken = images["sample_id"].filter(pl.Series(fused @ np.array(found["direction"]) >= found["cut"] - 1e-9))
        stored = audited.sql(f"SELECT sample_id FROM memberships WHERE slice_id = '{found['slice_id']}'")["sample_id"]
        assert set(taken) == set(stored)
