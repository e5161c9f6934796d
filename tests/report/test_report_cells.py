"""What a report does not tell: numbers of few patients, and what would tell them."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from report.conftest import with_counts

from misread.audit.halves import half_of
from misread.library import Store
from misread.report import as_html, as_markdown
from misread.report.wording import REPORTS
from misread.schemas.tables import CHECKSUM
from stores import planted_store, write_store


@pytest.mark.parametrize(
    ("unlabelled", "films", "is_told"), [(3, 1, False), (10, 1, False), (11, 1, True), (20, 2, False), (22, 2, True)]
)
def test_few_rows_left_out_are_not_counted(tmp_path: Path, unlabelled: int, films: int, is_told: bool) -> None:
    """Why rows were left out is told; how many only where they are of eleven patients, or with leave; and how many were
    selected, which less both halves would tell it, no more than that."""
    rng = np.random.default_rng(0)
    names = [f"s{i:03d}" for i in range(140)]
    labels = [None if i < unlabelled else i % 2 for i in range(140)]
    predictions = [
        {"sample_id": name, "model": "m", "target": "t", "label": label, "score": float(rng.random()), "threshold": 0.5}
        for name, label in zip(names, labels, strict=True)
    ]
    images = [{"sample_id": name, "patient_id": f"p{i // films}"} for i, name in enumerate(names)]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan("m").discover(permutations=0, stability=0).sink()
    opened = Store.open(store.location)
    for allowed in (False, True):
        report = opened.report(allow_small_cells=allowed)
        (target,) = report.targets
        assert report.audit["samples"] == (140 if is_told or allowed else None)
        assert "left_out_patients" not in target
        rows = {one["reason"]: one["rows"] for one in target["left_out"]}
        assert rows["no label"] == (unlabelled if is_told or allowed else None)
        assert target["confirmation_rows"] > 0


@pytest.mark.parametrize(("positives", "is_told"), [(10, False), (24, False), (60, True)])
def test_a_class_of_few_patients_is_not_told(tmp_path: Path, positives: int, is_told: bool) -> None:
    """Where one to ten patients of the confirmation half are of a class, what could have been seen there, which their
    number and errors give, is not told, nor their error rate, nor all errors; where so few are in all, no image shows
    its label, nor how it was read."""
    rng = np.random.default_rng(1)
    names = [f"s{i:03d}" for i in range(240)]
    images = [{"sample_id": name, "patient_id": f"p{i // 2}"} for i, name in enumerate(names)]
    predictions = [
        {"sample_id": name, "model": "m", "target": "t", "label": int(i < positives), "score": float(rng.random())}
        for i, name in enumerate(names)
    ]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan("m").discover(permutations=39, stability=0, threshold=0.5).sink()
    opened = Store.open(store.location)
    of_class = "SELECT count(DISTINCT patient_id) FROM audited JOIN images USING (sample_id) WHERE label = 1"
    held = opened.sql(f"{of_class} AND half = 'confirmation'").item()
    assert held > 0
    assert (held > 10) is is_told
    for allowed in (False, True):
        report = opened.report(allow_small_cells=allowed)
        (target,) = report.targets
        assert ("false negatives" in target["note"]) is is_told
        assert "false positives" in target["note"]
        stored = opened.sql("SELECT smallest_effect_false_negative AS effect FROM audit_targets").item()
        assert target["smallest_effect_false_negative"] == (stored if is_told or allowed else None)
        assert target["smallest_effect_false_positive"] is not None
        errors = {target[f"{half}_errors"] is not None for half in ("discovery", "confirmation")}
        assert errors == {is_told or allowed}
        as_a_whole = {target[name] is not None for name in ("missed", "false_alarms")}
        assert as_a_whole == {is_told or allowed}
        read = {(point["label"], point["predicted"], point["error"]) for point in report.points}
        shown = allowed or opened.sql(of_class).item() > 10
        assert ("all circles" in as_html(report)) is not shown
        assert read == ({(a, b, a != b) for a in (0, 1) for b in (0, 1)} if shown else {(None, None, None)})


@pytest.mark.slow
def test_numbers_of_few_patients_are_not_shown(tmp_path: Path) -> None:
    """A slice of fewer than 11 confirmation patients has no numbers unless they are asked for."""
    store = planted_store(tmp_path / "store", samples=120, inside=0.95)
    store.scan().discover(permutations=0, stability=0, min_size=5).sink()
    store = Store.open(store.location)
    few = store.sql("SELECT slice_id FROM slices WHERE confirmation_patients BETWEEN 1 AND 10")["slice_id"].to_list()
    assert few
    hidden = [row for row in store.report().slices if row["slice_id"] in few]
    shown = [row for row in store.report(allow_small_cells=True).slices if row["slice_id"] in few]
    for row in hidden:
        assert row["rows"] is row["errors"] is row["error_rate"] is row["patients"] is row["share"] is None
        assert not re.search(r"\d", row["sentence"])
        assert row["examples"] == []
    assert not {point["slice_id"] for point in store.report().points} & set(few)
    assert all(row["rows"] is not None and row["examples"] for row in shown)
    assert {point["slice_id"] for point in store.report(allow_small_cells=True).points} & set(few)
    assert "fewer than 11 patients are not shown" in as_html(store.report())


@pytest.mark.slow
def test_nothing_of_few_patients_outside_is_shown(tmp_path: Path) -> None:
    """Nor anything of what is inside, which less the whole class would tell them, nor on the map who is in no slice."""
    store = planted_store(tmp_path / "store", samples=400, inside=0.95)
    store.scan().discover(permutations=0, stability=0).describe().sink()
    store = Store.open(store.location)
    kept = store.table("slices").read().drop_columns([CHECKSUM])
    place = kept.schema.get_field_index("baseline_patients")
    with store.commit("discover") as commit:
        few = pa.array([10] * kept.num_rows, pa.int64())
        commit.upsert("slices", kept.set_column(place, kept.schema.field(place), few))
    store = Store.open(store.location)
    hidden, shown = store.report(), store.report(allow_small_cells=True)
    assert any(row["phrases"] for row in hidden.slices)
    for row in hidden.slices:
        assert row["baseline_rate"] is row["lift"] is row["rows"] is row["patients"] is row["q_value"] is None
        assert not re.search(r"\d", row["sentence"])
        told = ("rows_inside", "rate_inside", "rate_outside", "lift", "q_value")
        assert {one[name] for one in row["phrases"] for name in told} <= {None}
    assert {point["slice_id"] for point in hidden.points} == {None}
    assert {point["slice_id"] for point in shown.points} > {None}
    assert all(row["baseline_rate"] is not None for row in shown.slices)
    assert any(one["rate_outside"] for row in shown.slices for one in row["phrases"])
    hidden, shown = store.report(text=False), store.report(text=False, allow_small_cells=True)
    assert not any("elsewhere" in row["sentence"] for row in hidden.slices)
    assert all("elsewhere" in row["sentence"] for row in shown.slices)


INSIDE = ("rows_inside", "patients_inside", "lacking_inside", "rate_inside", "rate_inside_low", "rate_inside_high")
OUTSIDE = ("patients_outside", "lacking_outside", "rate_outside", "lift", "lift_low", "lift_high")
TESTS = ("z_score", "p_value", "q_value")


@pytest.mark.slow
def test_what_the_reports_of_few_patients_say_is_not_told(described: Store) -> None:
    """A phrase that comes from reports and that one to ten patients of a slice have stands nowhere, not in its sentence
    either, and the report does not hold text of reports for it."""
    sources = described.table("phrases").read()["source"].to_pylist()
    phrases = described.sql("SELECT phrase FROM phrases WHERE source = 'term'")["phrase"].to_list()
    reported = with_counts(described, "phrases", source=[one.replace("term", "report") for one in sources])
    for patients in (11, 10):
        report = with_counts(reported, "phrases", patients_inside=patients, lacking_inside=11).report()
        told = as_markdown(report)
        assert any(f'"{phrase}"' in told for phrase in phrases) is (patients == 11)
        assert (REPORTS in report.holds("md")) is (patients == 11)


@pytest.mark.slow
@pytest.mark.parametrize("few", ["lacking_inside", "patients_outside", "lacking_outside"])
def test_shares_of_few_patients_are_not_shown(described: Store, few: str) -> None:
    """A share that one to ten held-out patients make up, or all but so few, be they of however many rows, is left out,
    and what would tell it, the tests among it; whether the confirmation half bears the phrase out is told."""
    many = dict.fromkeys(("patients_inside", "lacking_inside", "patients_outside", "lacking_outside"), 11)
    told = {}
    for patients in (11, 10):
        report = with_counts(described, "phrases", **(many | {few: patients})).report()
        told[patients] = [one for row in report.slices for one in row["phrases"]]
    hidden = {*OUTSIDE, *TESTS, *(INSIDE if few == "lacking_inside" else ())}
    assert all(any(one[name] is not None for one in told[11]) for name in (*INSIDE, *OUTSIDE, *TESTS))
    for one, before in zip(told[10], told[11], strict=True):
        assert {one[name] for name in hidden} == {None}
        assert all(one[name] == before[name] for name in set(INSIDE) - hidden)
        assert one["borne_out"] == before["borne_out"]
    assert "yes" in {one["borne_out"] for one in told[10]}


def test_a_rule_that_few_patients_break_has_no_shares(described: Store) -> None:
    """Precision and recall are fractions of rows: they would tell the few."""
    rules = {"rule_precision": 0.95, "rule_recall": 0.9}
    with_counts(described, "slices", rule=["view = PA"] * described.table("slices").count())
    for fewest, told in ((10, None), (11, 0.9)):
        counts = {name: [value] * described.table("slices").count() for name, value in rules.items()}
        store = with_counts(Store.open(described.location), "slices", rule_fewest_patients=fewest, **counts)
        report = store.report()
        assert report.slices
        assert {row["rule_recall"] for row in report.slices} == {told}
        assert ("recall 90 %" in as_html(report)) is (told is not None)


@pytest.mark.slow
@pytest.mark.parametrize(("few", "hidden"), [("outside", 3), ("inside", 4)])
def test_words_of_few_patients_have_no_numbers(described: Store, few: str, hidden: int) -> None:
    """Of a word that one to ten patients outside use there is neither their number nor a test, which would tell it; of
    one that all but so few inside use none at all; the word is told."""
    numbers = ("count_outside", "z_score", "q_value", "count_inside")
    words = described.table("contrast_words").read(["slice_id"])["slice_id"].to_pylist()
    patients = dict(described.sql("SELECT slice_id, confirmation_patients FROM slices").iter_rows())
    told = {}
    for number in (11, 10):
        inside = [patients[one] - (number if few == "inside" else 11) for one in words]
        counts = {"count_inside": inside, "count_outside": number if few == "outside" else 11}
        report = with_counts(described, "contrast_words", **counts).report()
        told[number] = [one for row in report.slices for one in row["words"]]
    assert [one["word"] for one in told[10]] == [one["word"] for one in told[11]] != []
    assert all(one[name] is not None for one in told[11] for name in numbers)
    for one in told[10]:
        assert [one[name] is None for name in numbers] == [place < hidden for place in range(4)]


def test_words_of_a_slice_of_few_patients_have_no_numbers(described: Store) -> None:
    """With few outside in its class, all that are inside less those who use a word would tell of them."""
    report = with_counts(described, "slices", baseline_patients=10).report()
    words = [one for row in report.slices for one in row["words"]]
    assert words
    assert {one[name] for one in words for name in ("count_inside", "count_outside", "z_score", "q_value")} == {None}


@pytest.mark.slow
def test_a_slice_says_nothing_in_words_that_its_table_hides(described: Store) -> None:
    """Whatever its stored sentence says, made when other numbers were told; and all where small cells are allowed."""
    stored = dict(described.sql("SELECT slice_id, sentence FROM slices").iter_rows())
    telling = {name: told for name, told in stored.items() if "against" in told}
    assert telling
    for column, value in (("lacking_inside", 10), ("lacking_inside", None), ("patients_outside", 10)):
        store = with_counts(described, "phrases", **{"lacking_inside": 11, "patients_outside": 11, column: value})
        told = {row["slice_id"]: row["sentence"] for row in store.report().slices}
        assert not any("against" in told[name] for name in telling)
        shown = {row["slice_id"]: row["sentence"] for row in store.report(allow_small_cells=True).slices}
        assert {name: shown[name] for name in telling} == telling
    few = with_counts(described, "slices", confirmation_patients=10).report()
    assert not any("q =" in row["sentence"] or "against" in row["sentence"] for row in few.slices)


@pytest.mark.parametrize(("searched", "is_told"), [(10, False), (11, True)])
def test_a_class_that_few_were_searched_of_is_not_counted_in_the_other_half(
    tmp_path: Path, searched: int, is_told: bool
) -> None:
    """How many have the finding in all is told elsewhere: less those of the confirmation half it would tell the few."""
    rng = np.random.default_rng(1)
    names = [f"s{i:03d}" for i in range(240)]
    halves = {half: [name for name in names if half_of(name, 0) == half] for half in ("discovery", "confirmation")}
    ill = {*halves["discovery"][:searched], *halves["confirmation"][:30]}
    images = [{"sample_id": name, "patient_id": name} for name in names]
    predictions = [
        {"sample_id": name, "model": "m", "target": "t", "label": int(name in ill), "score": float(rng.random())}
        for name in names
    ]
    vectors = {name: rng.standard_normal(4) for name in names}
    store = write_store(tmp_path / "store", images, predictions, vectors=vectors)
    store.scan("m").discover(permutations=0, stability=0, threshold=0.5).sink()
    (target,) = Store.open(store.location).report().targets
    assert {target[name] is not None for name in ("missed", "false_alarms")} == {is_told}


@pytest.mark.slow
@pytest.mark.parametrize(("per_patient", "is_told"), [(20, False), (4, True)])
def test_a_half_of_few_patients_is_not_counted(tmp_path: Path, per_patient: int, is_told: bool) -> None:
    """However many films they have."""
    store = planted_store(tmp_path / "store", samples=200, per_patient=per_patient)
    store.scan("m").discover(permutations=0, stability=0, min_patients=1).sink()
    opened = Store.open(store.location)
    (shown,), (told,) = opened.report(allow_small_cells=True).targets, opened.report().targets
    halves = ("discovery", "confirmation")
    assert sum(shown[f"{half}_patients"] for half in halves) == 200 // per_patient
    assert all(shown[f"{half}_rows"] > 10 for half in halves)
    for name in (f"{half}_{what}" for half in halves for what in ("rows", "patients", "errors")):
        assert told[name] == (shown[name] if is_told else None)


def test_shares_of_patients_who_were_not_counted_are_not_shown(described: Store) -> None:
    """Audits from before patients outside were counted are read; nobody knows whether they are few."""
    opened = with_counts(described, "phrases", patients_outside=None)
    for allowed in (False, True):
        report = opened.report(allow_small_cells=allowed)
        shares = {one["rate_outside"] for row in report.slices for one in row["phrases"]}
        assert (shares == {None}) is not allowed
