"""What audits say of themselves: what was left out, why nothing was found, and what to beware of."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import misread as mr
from misread.audit.copies import copies_told
from misread.audit.halves import half_of
from misread.audit.population import SEEN_IN_TRAINING
from misread.care import delete_patient
from misread.library import LazyFrame, Store
from misread.percentages import percent
from misread.schemas.errors import AuditError, StoreError, UnknownNameError
from misread.store import TableStore
from stores import VIEW, planted_store, write_store


def audit(store: Store, **options: object) -> LazyFrame:
    return store.scan(model="m").discover(permutations=19, stability=0, **options).describe()  # type: ignore[arg-type]


def seed_with(store: Store, halves: set[str]) -> int:
    """The first seed that puts patients into just these halves."""
    return next(seed for seed in range(99) if set(store.scan(seed=seed).collect()["half"]) == halves)


def test_rows_are_left_out_with_a_reason_each(tmp_path: Path) -> None:
    """Audited rows and rows left out add up to the store's samples, for every model and target."""
    images = [{"sample_id": f"s{i}", "patient_id": f"p{i}", "split": "train" if i < 20 else None} for i in range(200)]
    predictions = [
        {
            "sample_id": f"s{i}",
            "model": "m",
            "target": "t",
            "label": None if i % 7 == 0 else i % 2,
            "score": (i % 10) / 10,
        }
        for i in range(150)
    ]
    vectors = {f"s{i}": [float(i % 13), float(i % 5), 1.0] for i in range(190)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0).sink()
    opened = mr.open(store.location)
    counts = dict(opened.sql("SELECT reason, rows FROM left_out").iter_rows())
    assert counts == {"split is train": 20, "no vector in any chosen modality": 10, "no prediction": 40, "no label": 19}
    assert opened.sql("SELECT count(*) FROM audited").item() + sum(counts.values()) == 200


@pytest.mark.parametrize(
    ("labels", "wrong", "note"),
    [
        ("mixed", "none", "makes no error"),
        ("mixed", "all", "wrong on every"),
        ("ones", "some", ""),
        ("few", "some", "no class has"),
    ],
)
def test_an_audit_without_slices_says_why(tmp_path: Path, labels: str, wrong: str, note: str) -> None:
    """No errors, only errors, one class, too few rows: an empty audit that is kept, with its reason."""
    n = 24 if labels == "few" else 200
    images = [{"sample_id": f"s{i}", "patient_id": f"p{i}"} for i in range(n)]
    predictions = []
    for i in range(n):
        label = 1 if labels == "ones" else i % 2
        error = {"none": False, "all": True, "some": i % 5 == 0}[wrong]
        score = 0.9 if bool(label) != error else 0.1
        predictions.append(
            {"sample_id": f"s{i}", "model": "m", "target": "t", "label": label, "score": score, "threshold": 0.5}
        )
    vectors = {f"s{i}": [float(i * 7 % 13), float(i * 5 % 11), float(i * 3 % 17)] for i in range(n)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    audit_id = store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    opened = mr.open(store.location)
    assert opened.sql("SELECT audit_id, slices FROM audits").rows() == [(audit_id, 0)]
    assert note in opened.sql("SELECT coalesce(note, '') FROM audit_targets").item()


@pytest.mark.parametrize("losses", [False, True])
def test_too_few_patients_are_told(tmp_path: Path, *, losses: bool) -> None:
    """Films of two patients hold no slice of five; where none of them is held out nothing can be confirmed."""
    images = [{"sample_id": f"s{i}", "patient_id": f"p{i % 2}"} for i in range(200)]
    row = {"model": "m", "target": "t", "threshold": 0.5}
    predictions = [
        row | {"sample_id": f"s{i}", "label": i % 3 % 2, "score": i % 5 / 5, "loss": float(i % 7)} for i in range(200)
    ]
    vectors = {f"s{i}": [float(i * 7 % 13), float(i * 5 % 11), float(i * 3 % 17)] for i in range(200)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    for halves in ({"discovery"}, {"discovery", "confirmation"}):
        samples = store.scan(seed=seed_with(store, halves)).fuse(modalities=["image"])
        audit_id = samples.discover(permutations=0, losses=losses).sink()
        note = mr.open(store.location).sql(f"SELECT note FROM audit_targets WHERE audit_id = '{audit_id}'").item()
        assert "5 patients" in note
        assert ("nothing can be confirmed" in note) == (halves == {"discovery"})


def test_an_audit_outlives_its_samples(tmp_path: Path) -> None:
    """Its report and the questions about it need no prediction that is still there; a new audit says what is not."""
    store = planted_store(tmp_path / "store", samples=60, per_patient=60)
    seed = seed_with(store, {"discovery"})
    audit_id = store.scan(seed=seed).discover(permutations=0, stability=0).sink()
    delete_patient(TableStore.open(store.location), "p0")
    emptied = mr.open(store.location)
    assert emptied.sql("SELECT count(*) FROM predictions").item() == 0
    assert emptied.report().audit["audit_id"] == audit_id
    assert emptied.sql(emptied.question("unexplained_slices")).height == 0
    with pytest.raises(UnknownNameError, match="no model 'm'"):
        emptied.subgroups("m", "Pneumothorax")
    with pytest.raises(AuditError, match="no sample is left") as error:
        emptied.scan().discover().collect()
    assert error.value.hint == "the store holds none: ingest samples"


def test_an_audit_says_what_it_could_have_seen(tmp_path: Path) -> None:
    """The smallest effect of each class is kept, for slices of `min_size` rows; an empty audit's note tells it."""
    store = planted_store(tmp_path / "store", samples=400, inside=0.12)
    for min_size in (10, 60):
        store.scan().discover(permutations=19, stability=0, min_size=min_size).sink()
    rows = mr.open(store.location).sql("SELECT * FROM audit_targets ORDER BY smallest_effect_rows")
    assert rows["smallest_effect_rows"].to_list() == [10, 60]
    for kind in ("false_negative", "false_positive"):
        small, large = rows[f"smallest_effect_{kind}"]
        assert 1 >= small > large > 0.12
    empty = rows.drop_nulls("note").row(0, named=True)
    assert f"{percent(empty['smallest_effect_false_negative'])} false negatives" in empty["note"]


def test_an_audit_too_small_to_confirm_anything_says_so(tmp_path: Path) -> None:
    """Where no slice of `min_size` could reach 80 % power, the effect is NULL and the note says it."""
    store = planted_store(tmp_path / "store", samples=60)
    store.scan().discover(permutations=19, stability=0, min_size=30).sink()
    row = mr.open(store.location).sql("SELECT * FROM audit_targets").row(0, named=True)
    assert row["smallest_effect_false_negative"] is None
    assert "could not have been confirmed" in row["note"]


def test_an_audit_names_the_models_that_it_judged(tmp_path: Path) -> None:
    """A model that predicts other targets alone was not audited, though every model was asked of."""
    rng = np.random.default_rng(0)
    names = [f"s{i:03d}" for i in range(60)]
    predictions = [
        {"sample_id": name, "model": model, "target": target, "label": i % 2, "score": float(rng.random())}
        for i, name in enumerate(names)
        for model, target in (("a", "t"), ("b", "t"), ("b", "u"), ("c", "u"))
    ]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", [{"sample_id": name} for name in names], predictions, vectors=vectors)
    store.scan(target="t").discover(permutations=0, stability=0).sink()
    told = Store.open(store.location).sql("SELECT models, targets FROM audits").row(0)
    assert [list(names) for names in told] == [["a", "b"], ["t"]]


def test_an_audit_says_what_no_selected_sample_has_a_prediction_of(tmp_path: Path) -> None:
    """A model that was asked for and predicted other samples alone is told, one that never predicted the target not."""
    rng = np.random.default_rng(0)
    rows = [{"sample_id": f"s{i:03d}", "view": ("AP", "PA")[i % 2]} for i in range(120)]
    predictions = [
        {
            "sample_id": row["sample_id"],
            "model": model,
            "target": target,
            "label": i // 2 % 2,
            "score": float(rng.random()),
        }
        for i, row in enumerate(rows)
        for model, target in (("a", "t"), ("b", "t"), ("c", "u"))
        if model != "b" or row["view"] == "AP"
    ]
    vectors = {row["sample_id"]: rng.standard_normal(4) for row in rows}
    store = write_store(tmp_path / "store", rows, predictions, vectors=vectors, metadata=(VIEW,))
    for where, told in (("view = 'PA'", True), ("true", False)):
        kept = store.scan(target="t").filter(where).discover(permutations=0, stability=0).sink()
        (notes,) = Store.open(store.location).sql("SELECT notes FROM audits WHERE audit_id = $id", {"id": kept})[
            "notes"
        ]
        assert ("b, t: not audited: no sample that was selected has a prediction" in notes) is told
        assert not any(note.startswith("c,") for note in notes)


def test_samples_without_any_prediction_are_no_audit(tmp_path: Path) -> None:
    """Nothing can be judged among them, and nothing is kept that says it was; not when the last prediction is gone."""
    store = planted_store(tmp_path / "store", samples=120)
    gone = [f"s{i:04d}" for i in range(60)]
    for where in (f"sample_id IN ({', '.join(map(repr, gone))})", "true"):
        with store.commit("deleted") as commit:
            commit.writer("predictions").delete(where)
        frame = Store.open(store.location).scan().filter("sample_id < 's0060'")
        with pytest.raises(AuditError, match="no sample to audit has a prediction"):
            frame.discover(permutations=0, stability=0).sink()
        assert not Store.open(store.location).has("audits")


def test_one_class_without_a_threshold_is_explained(tmp_path: Path) -> None:
    """Without a threshold and with one label there is no Youden point: an empty audit that says so."""
    images = [{"sample_id": f"s{i}"} for i in range(60)]
    predictions = [{"sample_id": f"s{i}", "model": "m", "target": "t", "label": 1, "score": i / 60} for i in range(60)]
    vectors = {f"s{i}": [float(i % 7), float(i % 3)] for i in range(60)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan().fuse(modalities=["image"]).discover(permutations=19, stability=0).sink()
    assert "give --threshold" in mr.open(store.location).sql("SELECT note FROM audit_targets").item()


@pytest.mark.parametrize("values", ["constant", "nan"])
def test_vectors_that_tell_nothing_are_a_clear_error(tmp_path: Path, values: str) -> None:
    """Vectors all equal, or not finite, end in one sentence and leave the store as it was."""
    images = [{"sample_id": f"s{i}"} for i in range(60)]
    predictions = [
        {"sample_id": f"s{i}", "model": "m", "target": "t", "label": i % 2, "score": i / 60} for i in range(60)
    ]
    vectors = {f"s{i}": [1.0, 2.0] if values == "constant" else [float("nan"), 1.0] for i in range(60)}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    with pytest.raises(AuditError, match=r"all equal|NaN"):
        store.scan().fuse(modalities=["image"]).discover().sink()
    assert mr.open(store.location).manifest == store.manifest


def test_one_sample_alone_is_told_as_such(tmp_path: Path) -> None:
    """Of one sample, in either half, it is not said that vectors are all equal."""
    about = {"sample_id": "s", "model": "m", "target": "t", "label": 1, "score": 0.5}
    store = write_store(tmp_path / "store", [{"sample_id": "s"}], [about], vectors={"s": [1.0, 2.0]})
    told = set()
    for seed in range(8):
        with pytest.raises(AuditError) as error:
            store.scan(seed=seed).fuse(modalities=["image"]).discover().collect()
        told.add(error.value.message.partition(" in the discovery half")[0])
    assert told == {"1 of the samples to audit is", "none of the samples to audit are"}


@pytest.mark.parametrize("per_patient", [1, 2])
def test_an_audit_says_that_its_patients_were_trained_on(tmp_path: Path, per_patient: int) -> None:
    """Of patients with images in and out of training the audit's notes tell; of training patients alone they do not."""
    store = planted_store(tmp_path / "store", samples=100, per_patient=per_patient)
    splits = pa.table({"sample_id": [f"s{i:04d}" for i in range(100)], "split": ["train", *["test"] * 99]})
    with store.commit("splits") as commit:
        commit.writer("images").set_columns(splits, "sample_id")
    found = audit(mr.open(store.location)).sink()
    notes = mr.open(store.location).sql(f"SELECT notes FROM audits WHERE audit_id = '{found}'")["notes"][0]
    assert (SEEN_IN_TRAINING in notes) == (per_patient > 1)


@pytest.mark.parametrize("copied", [False, True])
def test_an_audit_says_that_images_lie_in_both_halves(tmp_path: Path, copied: bool) -> None:
    """The same file under two patients: of those of different halves the audit's notes tell, by how many there are."""
    store = planted_store(tmp_path / "store", samples=100)
    names = [f"s{i:04d}" for i in range(100)]
    digests = [sha256(f"{i // 2 if copied else i}".encode()).hexdigest() for i in range(100)]
    with store.commit("files") as commit:
        commit.writer("images").set_columns(pa.table({"sample_id": names, "sha256": digests}), "sample_id")
    found = audit(mr.open(store.location)).sink()
    notes = mr.open(store.location).sql(f"SELECT notes FROM audits WHERE audit_id = '{found}'")["notes"][0]
    halves = [half_of(f"p{i}", 0) for i in range(100)]
    apart = sum(one != other for one, other in zip(halves[::2], halves[1::2], strict=True))
    assert apart > 10
    assert (copies_told(apart) in notes) == copied
    assert any("image file" in note for note in notes) == copied


def test_no_audit_is_told_by_other_reports_than_its_id_stands_for(tmp_path: Path) -> None:
    """A store that moved on to reports that another wrote meanwhile keeps no audit of a plan over the old ones."""
    store = planted_store(tmp_path / "store", samples=160)
    before = store.scan().discover(permutations=0, stability=0).describe()
    with mr.open(store.location).commit("test") as commit:
        commit.writer("reports").delete("sample_id < 's05'")
    store.keep_question("films", "SELECT count(*) FROM images")  # the store is at the newest state now
    with pytest.raises(StoreError, match=r"reports of .* were changed"):
        before.sink()
    assert store.scan().discover(permutations=0, stability=0).sink()
