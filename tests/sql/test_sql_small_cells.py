"""What one answer shows does not tell what it hides."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from misread.ask import backing_of_columns
from misread.sql import Session
from misread.sql import question as named_question
from stores import dataset

Row = dict[str, Any]
Tables = dict[str, list[Row]]
FEW = range(1, 11)


def random_store(seed: int) -> Tables:
    """Groups of very different sizes: a rare sex, rare views, gaps, a rare label, and a task with rare classes; one
    model and audit, a slice of each class that takes much of one group. Every third patient has two films."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 400))
    sizes = rng.dirichlet([0.5] * 4)
    found: Tables = {name: [] for name in ("images", "predictions", "audited", "memberships")}
    sex = rng.choice(["F", "M", "O"], n, p=rng.dirichlet([1, 1, 0.1]))
    view = rng.choice(["PA", "AP", "LL", "AP supine"], n, p=sizes)
    ward = rng.choice([None, "A", "B"], n, p=rng.dirichlet([0.2, 1, 1]))
    label = (rng.random(n) < rng.choice([0.1, 0.5])).astype(int)
    kind = rng.choice(["v", "w", "x", "y"], n, p=sizes)
    for i in range(n):
        own = {"sample_id": f"s{i}"}
        images = {"patient_id": f"p{i - (i % 3 == 1)}", "sex": sex[i], "view": view[i], "ward": ward[i]}
        found["images"].append(own | images)
        common = own | {"model": "m", "target": "t", "label": int(label[i]), "score": float(rng.random())}
        found["predictions"].append(common | {"threshold": 0.5})
        predicted = int(common["score"] >= 0.5)
        half = "confirmation" if i % 4 else "discovery"
        judged = {"audit_id": "a", "half": half, "predicted": predicted, "error": predicted != label[i]}
        found["audited"].append(common | judged)
        found["predictions"] += [
            own | {"model": "k", "task": "kind", "target": one, "label": int(kind[i] == one), "score": 0.5}
            for one in ("v", "w", "x", "y")
        ]
    found["audits"] = [{"audit_id": "a"}]
    found["audit_targets"] = [{"audit_id": "a", "model": "m", "target": "t", "threshold": 0.5}]
    found["slices"] = [slice_of(found, rng, true_class) for true_class in (1, 0)]
    return found


def slice_of(found: Tables, rng: np.random.Generator, true_class: int) -> Row:
    name = f"a-{true_class}"
    inside = {row["sample_id"] for row in found["images"] if rng.random() < (0.9 if row["view"] == "PA" else 0.3)}
    of_class = [row for row in found["audited"] if row["label"] == true_class and row["half"] == "confirmation"]
    found["memberships"] += [{"audit_id": "a", "slice_id": name, "sample_id": one} for one in sorted(inside)]
    mine = [row for row in of_class if row["sample_id"] in inside]
    return {
        "audit_id": "a",
        "slice_id": name,
        "model": "m",
        "target": "t",
        "true_class": true_class,
        "confirmation_rows": len(mine),
        "confirmation_patients": len(people(found, mine)),
        "baseline_patients": len(people(found, [row for row in of_class if row["sample_id"] not in inside])),
        "q_value": 0.5,
        "confirmed": False,
    }


def people(found: Tables, rows: Sequence[Row]) -> set[str]:
    of = {row["sample_id"]: row["patient_id"] for row in found["images"]}
    return {of[row["sample_id"]] for row in rows}


@pytest.fixture(scope="module", params=range(12))
def store(request: pytest.FixtureRequest) -> Iterator[tuple[Tables, Callable[..., list[Row]]]]:
    found = random_store(request.param)
    with Session({name: dataset(name, rows) for name, rows in found.items()}, backed=backing_of_columns()) as session:
        yield found, lambda text, values=None: session.query(text, values).to_pylist()


def check_rest(groups: dict[str, int], shown: set[str], total: int) -> None:
    """A total of many patients less what is shown of its parts is nobody, or many; what is shown is.

    `groups`: the patients of each part; where parts share patients they are counted in each.
    """
    assert not {groups[name] for name in shown} & set(FEW)
    rest = sum(groups.values()) - sum(groups[name] for name in shown)
    if total not in FEW:
        assert rest not in FEW or not any(groups[name] for name in shown), (groups, shown)
    kept = [groups[name] for name in shown]
    unneeded = [size for name, size in groups.items() if name not in shown and size not in FEW]
    assert all(size <= min(filter(None, kept), default=size) for size in unneeded)


@pytest.mark.parametrize("column", ["sex", "view", "ward", "sex || ' ' || view"])
def test_a_total_less_the_shown_subgroups_is_no_small_cell(store: Any, column: str) -> None:
    """Of all samples, of those of each label, and of a slice, whose totals other answers tell."""
    found, asked = store
    values = {row["sample_id"]: row["value"] for row in asked(f"SELECT sample_id, ({column}) AS value FROM images")}
    mine = found["audited"]
    rates = [row for row in asked(f"FROM rates_by({column})") if row["model"] == "m"]
    for name, rows in (
        ("patients", mine),
        ("positives", [row for row in mine if row["label"] == 1]),
        ("specificity", [row for row in mine if row["label"] == 0]),
    ):
        groups = dict.fromkeys({value or "missing" for value in values.values()}, 0)
        groups |= {value: len(people(found, own)) for value, own in by_value(rows, values).items()}
        shown = {row["subgroup"] for row in rates if row[name] is not None or (groups[row["subgroup"]] == 0)}
        if name == "patients":
            check_rest(groups, shown, len(people(found, rows)))
        else:  # one label can hide the other
            rest = sum(groups.values()) - sum(groups[one] for one in shown)
            assert rest not in FEW or len(people(found, rows)) in FEW or not any(groups[one] for one in shown)
            assert not {groups[one] for one in shown} & set(FEW)
    for own in found["slices"]:
        inside = {row["sample_id"] for row in found["memberships"] if row["slice_id"] == own["slice_id"]}
        rows = [r for r in mine if r["sample_id"] in inside and r["label"] == own["true_class"]]
        rows = [r for r in rows if r["half"] == "confirmation"]
        groups = {value: len(people(found, part)) for value, part in by_value(rows, values).items()}
        told = [row for row in asked(f"FROM slice_by({column})") if row["slice_id"] == own["slice_id"]]
        shown = {row["subgroup"] for row in told if row["rows"] is not None}
        assert {row["subgroup"] for row in told if not row["suppressed"]} == shown
        check_rest(groups, shown, len(people(found, rows)))


def by_value(rows: Sequence[Row], values: dict[str, str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[values[row["sample_id"]] or "missing"].append(row)
    return found


def test_shares_inside_a_slice_tell_no_small_cell(store: Any) -> None:
    """A profile tells how many are inside, by a count beside its share: less what it shows of a column's values, it
    leaves nobody or many; and so outside."""
    found, asked = store
    for own in found["slices"]:
        columns: dict[str, list[Row]] = defaultdict(list)
        for row in asked("FROM slice_profile($id)", {"id": own["slice_id"]}):
            columns[row["column_name"]].append(row)
        for rows in columns.values():
            shown = [row for row in rows if not row["suppressed"]]
            assert all(row["more_common"] is not None for row in rows)
            assert all(row["more_common"] == (row["q_value"] <= 0.05) for row in shown)
            for count, share in (("patients_inside", "share_inside"), ("patients_outside", "share_outside")):
                sums = {round(row[count] / row[share]) for row in shown if row[share]}
                assert len(sums) < 2
                for whole in sums:
                    assert whole - sum(row[count] for row in shown) not in FEW
                    assert not {row[count] for row in shown} & set(FEW)


def test_the_classes_of_a_task_do_not_tell_a_rare_one(store: Any) -> None:
    """Every sample is of one class of a task: the labelled less the shown positives are nobody or many."""
    found, asked = store
    rows = [row for row in asked(named_question("models_and_targets")) if row["model"] == "k"]
    of = {p["sample_id"]: p["target"] for p in found["predictions"] if p["model"] == "k" and p["label"] == 1}
    groups = dict.fromkeys((row["target"] for row in rows), 0)
    groups |= {target: len(people(found, [{"sample_id": s} for s in of if of[s] == target])) for target in of.values()}
    shown = {row["target"] for row in rows if row["positive"] is not None}
    rest = sum(groups.values()) - sum(groups[one] for one in shown)
    assert rest not in FEW
    assert not {groups[one] for one in shown} & set(FEW)


@pytest.mark.parametrize("name", ["worst_subgroup", "missing_metadata"])
def test_what_other_columns_tell_of_all_leaves_no_small_cell(store: Any, name: str) -> None:
    """One column may tell how many there are in all: less what another column shows it is nobody or many."""
    found, asked = store
    rows = asked(named_question(name), {"model": "m", "target": "t"})
    patients = len(people(found, found["audited"]))
    for row in rows:
        if name == "worst_subgroup":
            own = [one for one in found["images"] if (one.get(row["column_name"]) or "missing") == row["subgroup"]]
            others = people(found, found["images"]) - people(found, own)
            films = len(found["images"]) - row["rows"]
            assert films == 0 or films > 10 or len(others) > 10
        elif row["patients_known"] is not None:
            assert row["patients_known"] > 10
            assert row["patients_missing"] > 10
    assert patients


def test_no_test_tells_the_numbers_of_a_hidden_slice(store: Any) -> None:
    """A q-value is an exact number of few counts: with few patients inside or outside it would tell them."""
    found, asked = store
    rows = {row["slice_id"]: row for row in asked(named_question("slices_found"), {"audit_ids": ["a"]})}
    for own in found["slices"]:
        few = own["confirmation_patients"] in FEW or own["baseline_patients"] in FEW
        row = rows[own["slice_id"]]
        assert {row[name] is None for name in ("rows", "q_value")} == {few}
        (size,) = asked("SELECT slice_size($id) AS size", {"id": own["slice_id"]})
        assert size["size"] == row["rows"]
