"""Numbers that come from few patients are suppressed, wherever they would be told."""

from typing import TYPE_CHECKING, Any, cast

import pytest

from misread.ask import backing_of_columns
from misread.ask.subgroups import subgroups
from misread.schemas.values import is_small_cell
from misread.sql import Limits, Session, catalogue
from misread.sql import question as named_question
from stores import dataset

if TYPE_CHECKING:
    from misread.store import TableStore
from audited_rows import Row, Tables, opened_over, patient_of, rows_of


def test_numbers_of_few_patients_are_suppressed(tables: Tables) -> None:
    """One to ten patients: no number comes through, by any of the functions; with leave they do."""
    few = tables | {"images": [row | {"rare": "yes" if i < 8 else "no"} for i, row in enumerate(tables["images"])]}
    few["slices"] = [row | {"confirmation_patients": 10, "error_rate": 0.5, "lift": 2.0} for row in tables["slices"]]
    hidden = {
        "SELECT slice_size(slice_id) AS a, error_rate(slice_id) AS b, error_rate_low(slice_id) AS c, "
        "error_rate_high(slice_id) AS d, lift(slice_id) AS e FROM slices": set(),
        "SELECT * EXCLUDE (model, target, subgroup, suppressed) FROM rates_by(rare) WHERE subgroup = 'yes'": set(),
        "SELECT * EXCLUDE (slice_id, subgroup, suppressed) FROM slice_by(rare) WHERE subgroup = 'yes'": set(),
    }
    for question in hidden:
        rows = rows_of(few, question)
        assert rows
        assert all(value is None for row in rows for value in row.values()), question
        shown = rows_of(few, question, allow_small_cells=True)
        assert any(value is not None for row in shown for value in row.values()), question
    profile = rows_of(few, "FROM slice_profile('new-t-1')")
    assert all(row["patients_inside"] not in range(1, 11) for row in profile)
    assert all(row["patients_outside"] not in range(1, 11) for row in profile)


def members_of_class(tables: Tables, found: Row) -> set[str]:
    """The samples that a slice takes of its true class."""
    own = [row for row in tables["audited"] if (row["audit_id"], row["target"]) == (found["audit_id"], found["target"])]
    members = {row["sample_id"] for row in tables["memberships"] if row["slice_id"] == found["slice_id"]}
    return {row["sample_id"] for row in own if row["label"] == found["true_class"]} & members


def told_of(tables: Tables, **limits: Any) -> dict[str, dict[str, set[object]]]:
    """What the named questions say: {question: {column: values}}."""
    asked = {"model": "m", "target": "t", "column_name": "sex", "first_column": "sex", "second_column": "beds"}
    asked["audit_ids"] = ["new"]
    datasets = {name: dataset(name, rows) for name, rows in tables.items()}
    works = backing_of_columns() | {"subgroups": subgroups(cast("TableStore", None))}
    found: dict[str, dict[str, set[object]]] = {}
    with Session(datasets, backed=works, limits=Limits(**limits)) as session:
        for name in (entry.name for entry in catalogue() if entry.kind == "questions"):
            text = named_question(name)
            given = {key: value for key, value in asked.items() if f"${key}" in text}
            rows = session.query(text, given)
            found[name] = {column: set(map(str, rows[column].to_pylist())) for column in rows.column_names}
    return found


def test_no_named_question_tells_a_number_of_few_patients(tables: Tables) -> None:
    """In a store of ten patients every number of them is NULL, whichever question is asked; with leave it is told."""
    samples = [image["sample_id"] for image in tables["images"]]
    ten = list(dict.fromkeys(patient_of(tables, sample) for sample in samples[1:]))[:10]
    kept = {sample for sample in samples if patient_of(tables, sample) in ten}
    few = {name: [r for r in rows if r.get("sample_id", samples[1]) in kept] for name, rows in tables.items()}
    numbers = {"error_rate": 0.5, "baseline_rate": 0.25, "lift": 2.0, "error_kind": "false negative"}
    numbers |= {"confirmation_patients": 5, "baseline_patients": 5}
    few["slices"] = [row | numbers for row in tables["slices"] if members_of_class(few, row)]
    # audits tell what they were; tests, names and numbers of values are of no patients
    harmless = {"slice_id", "model", "target", "error_kind", "q_value", "confirmed", "column_name", "subgroup"}
    harmless |= {"best_subgroup", "small_values", "values", "suppressed"}
    shown = told_of(few, allow_small_cells=True)
    for question, columns in told_of(few).items():
        telling = {} if question == "audits_made" else {name: columns[name] for name in columns.keys() - harmless}
        assert all(values <= {"None"} for values in telling.values()), (question, telling)
        assert not telling or question.startswith("gap") or any(shown[question][name] - {"None"} for name in telling)


@pytest.mark.parametrize("allowed", [False, True])
def test_one_rule_says_which_patients_are_few(allowed: bool) -> None:
    """In SQL and in Python: one to ten, unless they are allowed; nobody, or nobody counted, is not few."""
    limits = Limits(allow_small_cells=allowed)
    with Session({}, limits=limits) as session:
        for patients in (None, 0, 1, 10, 11, 12):
            (row,) = session.query("SELECT is_small_cell($n) AS few", {"n": patients}).to_pylist()
            assert row["few"] is is_small_cell(patients, limits.smallest_cell)
            assert row["few"] is (not allowed and patients in (1, 10))


@pytest.mark.parametrize(("outside", "is_told"), [(10, False), (11, True), (0, True)])
def test_nothing_of_few_patients_outside_is_told(tables: Tables, outside: int, is_told: bool) -> None:
    """With one to ten patients outside there is no baseline and no lift, which are theirs, nor what would tell them: a
    q-value, or the rows inside, as another slice's baseline tells how many there are in all."""
    numbers = {"confirmation_rows": 60, "confirmation_errors": 30} | {
        "confirmation_patients": 50,
        "error_rate": 0.5,
        "baseline_rate": 0.25,
        "baseline_loss": 0.5,
        "lift": 2.0,
    }
    few = tables | {"slices": [row | numbers | {"baseline_patients": outside} for row in tables["slices"]]}
    few["slices"] = [row for row in few["slices"] if row["audit_id"] == "new"]
    with opened_over(few) as session:
        rows = session.query(named_question("slices_found"), {"audit_ids": ["new"]}).to_pylist()
    assert len(rows) == len(few["slices"])
    of_outside = ("baseline_rate", "baseline_loss", "lift")
    for row in rows:
        assert [row[name] for name in of_outside] == ([0.25, 0.5, 2.0] if is_told else [None] * 3)
        assert {row[name] is not None for name in ("rows", "errors", "error_rate", "q_value")} == {is_told}
        assert row["confirmed"] is not None
    with opened_over(few, allow_small_cells=True) as session:
        rows = session.query(named_question("slices_found"), {"audit_ids": ["new"]}).to_pylist()
    assert all([row[name] for name in of_outside] == [0.25, 0.5, 2.0] for row in rows)


def test_the_baseline_of_few_patients_inside_is_not_told(tables: Tables) -> None:
    """As a fraction of the rows outside, beside those of another slice, it would tell how many are inside."""
    numbers = {"confirmation_patients": 10, "baseline_patients": 50, "baseline_rate": 0.25, "baseline_loss": 0.5}
    few = tables | {"slices": [row | numbers for row in tables["slices"]]}
    asked = "SELECT baseline_rate, baseline_loss FROM ({})".format(named_question("slices_found").strip().rstrip(";"))
    asked = asked.replace("$audit_ids", "['new']")
    assert {tuple(row.values()) for row in rows_of(few, asked)} == {(None, None)}
    assert {tuple(row.values()) for row in rows_of(few, asked, allow_small_cells=True)} == {(0.25, 0.5)}


@pytest.mark.parametrize("few_of", [0, 1])
def test_few_patients_of_a_class_hide_what_would_tell_their_number(tables: Tables, few_of: int) -> None:
    """With one to ten patients of a class neither count shows, as rows tell their sum, nor a rate of either class: as a
    fraction it would tell their rows."""
    label = {image["sample_id"]: few_of if i < 9 else 1 - few_of for i, image in enumerate(tables["images"])}
    few = tables | {"predictions": [row | {"label": label[row["sample_id"]]} for row in tables["predictions"]]}
    for row in rows_of(few, "FROM rates_by(true)"):
        told = {name for name, value in row.items() if value is not None}
        assert told == {"model", "target", "subgroup", "rows", "patients", "suppressed"}
        assert row["suppressed"]


@pytest.mark.parametrize("few_of", [0, 1])
def test_few_patients_with_a_label_are_not_counted_out(tables: Tables, few_of: int) -> None:
    """The models and targets of a store: a label that one to ten patients have, or have not, is not counted."""
    label = {image["sample_id"]: few_of if i < 9 else 1 - few_of for i, image in enumerate(tables["images"])}
    few = tables | {"predictions": [row | {"label": label[row["sample_id"]]} for row in tables["predictions"]]}
    hidden = rows_of(few, named_question("models_and_targets"))
    assert {row["positive"] for row in hidden} == {None}
    assert all(row["predictions"] == row["labelled"] == len(label) for row in hidden)
    shown = rows_of(tables, named_question("models_and_targets"))
    assert [row["positive"] for row in shown] == [
        sum(
            p["label"] == 1 for p in tables["predictions"] if (p["model"], p["target"]) == (row["model"], row["target"])
        )
        for row in shown
    ]


GROUPS = ("patients_inside", "lacking_inside", "patients_outside", "lacking_outside")


@pytest.mark.parametrize("few", [None, *GROUPS, "confirmation_patients", "baseline_patients"])
@pytest.mark.parametrize("patients", [10, None])
def test_a_phrase_tells_no_number_of_few_patients(tables: Tables, few: str | None, patients: int | None) -> None:
    """Be they few who have it or few who lack it, inside or outside, or of a slice of few: no count, no share of that
    side, and no test; where few are inside nothing at all. Who was not counted may be few."""
    numbers = dict.fromkeys(("rate_inside", "rate_outside", "lift", "q_value"), 0.25)
    phrase = {"audit_id": "new", "slice_id": "new-t-1", "rank": 1, "phrase": "lead", "rows_inside": 30, **numbers}
    phrase |= dict.fromkeys(GROUPS, 11) | ({few: patients} if few in GROUPS else {})
    slices = [row | {"confirmation_patients": 50, "baseline_patients": 50} for row in tables["slices"]]
    if few and few not in GROUPS:
        slices = [row | {few: patients} for row in slices]
    told = {**tables, "slices": slices, "phrases": [phrase]}
    is_few = few is not None and (few in GROUPS or patients is not None)
    inside = few is not None and is_few and "outside" not in few
    (row,) = rows_of(told, "FROM phrases_shown()")
    assert row["suppressed"] is is_few
    for name in ("rows_inside", "patients_inside", "lacking_inside", "rate_inside"):
        assert row[name] == (None if inside else phrase[name])
    for name in ("patients_outside", "lacking_outside", "rate_outside", "lift", "q_value"):
        assert row[name] == (None if is_few else phrase[name])
    asked = "SELECT nearest_phrase, borne_out, phrase_q_value AS q FROM ({}) WHERE slice_id = 'new-t-1'"
    asked = asked.format(named_question("slices_found").strip().rstrip(";").replace("$audit_ids", "['new']"))
    assert rows_of(told, asked) == [{"nearest_phrase": "lead", "borne_out": False, "q": None if is_few else 0.25}]
    (row,) = rows_of(told, "FROM phrases_shown()", allow_small_cells=True)
    assert {name: row[name] for name in phrase} == phrase
    assert not row["suppressed"]


def test_the_test_of_a_phrase_that_nobody_can_count_is_told(tables: Tables) -> None:
    """Whether images inside lie nearer to a phrase rests on all patients of the slice."""
    near = {"audit_id": "new", "slice_id": "new-t-1", "rank": 1, "phrase": "lead", "q_value": 0.25}
    slices = [row | {"confirmation_patients": 50, "baseline_patients": 50} for row in tables["slices"]]
    (row,) = rows_of({**tables, "slices": slices, "phrases": [near]}, "FROM phrases_shown()")
    assert row["q_value"] == 0.25


@pytest.mark.parametrize(("fewest", "is_told"), [(10, False), (None, False), (11, True)])
def test_a_rule_tells_no_few_patients(tables: Tables, fewest: int | None, is_told: bool) -> None:
    """Its precision and recall, fractions of rows, would tell whom rule and slice do not both take, or do."""
    rule = {"rule": "sex = F", "rule_precision": 0.95, "rule_recall": 0.9, "rule_fewest_patients": fewest}
    rule |= {"confirmation_patients": 50, "baseline_patients": 50}
    told = {**tables, "slices": [row | rule for row in tables["slices"]]}
    asked = "SELECT DISTINCT rule, rule_precision, rule_recall FROM slices_shown()"
    shown = {"rule": "sex = F", "rule_precision": 0.95, "rule_recall": 0.9}
    assert rows_of(told, asked) == [shown if is_told else {**dict.fromkeys(shown), "rule": "sex = F"}]
    assert rows_of(told, asked, allow_small_cells=True) == [shown]


@pytest.mark.parametrize("of_rules", [True, False])
@pytest.mark.parametrize("counted", [True, False])
def test_an_audit_whose_patients_nobody_counted_tells_why_it_has_no_numbers(
    tables: Tables, counted: bool, of_rules: bool
) -> None:
    """Its notes, which commands and reports show, say to audit anew, as long as numbers are left out for it."""
    patients = dict.fromkeys(("patients_inside", "lacking_inside", "patients_outside", "lacking_outside"), 20)
    phrase = {"audit_id": "old", "slice_id": "old-t-1", "rank": 1, "rate_inside": 0.5, "q_value": 0.01} | patients
    near = {"audit_id": "new", "slice_id": "new-t-1", "rank": 1, "q_value": 0.01}  # of images: nobody to count
    older = tables | {"phrases": [phrase if counted else phrase | {"lacking_inside": None}, near]}
    fewest = {"old": None if of_rules else 20, "new": 20}
    older["slices"] = [
        row | {"rule_precision": 0.9, "rule_fewest_patients": fewest[str(row["audit_id"])]} for row in tables["slices"]
    ]
    asked = "SELECT audit_id, notes FROM audits ORDER BY audit_id"
    (new, old) = rows_of(older, asked)
    assert new["notes"] is None
    left_out = [
        *["shares and q-values of its phrases"] * (not counted),
        *["precision and recall of its rules"] * of_rules,
    ]
    sentences = [note.partition(" are left out, ")[0] for note in old["notes"] or []]
    assert sentences == ([", and ".join(left_out)] if left_out else [])
    assert all("audit anew" in note for note in old["notes"] or [])
    assert [row["notes"] for row in rows_of(older, asked, allow_small_cells=True)] == [None, None]
    (told,) = rows_of(older, "FROM phrases_shown() WHERE audit_id = 'old'")
    assert (told["q_value"] is None) is not counted
