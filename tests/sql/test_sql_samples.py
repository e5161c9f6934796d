"""samples, latest_audits and metadata; slices and rates by subgroup; what is over-represented in a slice."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl
import pytest
from scipy import stats

from misread.ask import backing_of_columns
from misread.ask.subgroups import subgroups
from misread.describe import value_bank
from misread.schemas.errors import QueryError
from misread.schemas.values import is_small_cell
from misread.sql import Limits, Session, catalogue
from misread.sql import question as named_question
from stores import clustered_wilson, dataset

if TYPE_CHECKING:
    from misread.store import TableStore

Row = dict[str, Any]
Tables = dict[str, list[Row]]
PARAMETERS = ("slice", "subgroup", "keep", "top", "k", "words", "asked_model", "of_class", "min_size", "vectors")
INTERNAL = (
    "truth",
    "patient",
    "told_value",
    "own",
    "told",
    "lowest",
    "least",
    "terms",
    "number",
    "edges",
    "cell",
    "taker",
    "place",
    "value",
    "term",
)


def audited_tables(seed: int = 0, samples: int = 400) -> Tables:
    """Two models and targets, an older and a newer audit with two slices of each class; patients repeat."""
    rng = np.random.default_rng(seed)
    tables: Tables = {name: [] for name in ("images", "predictions", "audits", "audit_targets", "audited", "slices")}
    tables |= {"memberships": [], "phrases": []}
    for i in range(samples):
        tables["images"].append(
            {
                "sample_id": f"s{i:03d}",
                "patient_id": f"p{i // 2}" if i % 5 else None,
                "split": "train" if i % 10 == 0 else None,
                "sex": ("F", "M", None)[int(rng.integers(3))],
                "age": float(rng.integers(20, 90)) if rng.random() < 0.9 else None,
                "beds": int(rng.integers(3)),
                "label": "noise",
            }
        )
    for model in ("m", "n"):
        for target in ("s", "t"):
            for i in range(samples):
                label = None if i % 50 == 7 else int(rng.integers(2))
                row = {"sample_id": f"s{i:03d}", "model": model, "target": target, "label": label}
                tables["predictions"].append(row | {"score": float(rng.random()), "threshold": 0.5})
    for number, audit in enumerate(("old", "new")):
        made = datetime(2026, 1, number + 1, tzinfo=UTC)
        tables["audits"].append({"audit_id": audit, "created_at": made})
        for target in ("s", "t") if audit == "old" else ("t",):
            add_audit(tables, rng, audit, target)
    return tables


def add_audit(tables: Tables, rng: np.random.Generator, audit: str, target: str) -> None:
    tables["audit_targets"].append({"audit_id": audit, "model": "m", "target": target, "threshold": 0.5})
    judged = [
        p | {"audit_id": audit, "half": "confirmation" if rng.random() < 0.6 else "discovery"}
        for p in tables["predictions"]
        if (p["model"], p["target"]) == ("m", target) and p["label"] is not None
    ]
    for row in judged:
        row["predicted"] = int(row["score"] >= 0.5)
        row["error"] = row["predicted"] != row["label"]
    tables["audited"] += judged
    for number in range(4):
        name = f"{audit}-{target}-{number}"
        taken = [row for row in judged if rng.random() < 0.4]
        inside = [r for r in taken if r["half"] == "confirmation" and r["label"] == number % 2]
        patients = {patient_of(tables, r["sample_id"]) for r in inside}
        tables["slices"].append(
            {
                "audit_id": audit,
                "slice_id": name,
                "model": "m",
                "target": target,
                "true_class": number % 2,
                "confirmed": number >= 2,
                "q_value": 0.01 * number,
                "confirmation_rows": len(inside),
                "confirmation_patients": len(patients),
            }
        )
        tables["memberships"] += [
            {"audit_id": audit, "slice_id": name, "sample_id": r["sample_id"], "half": r["half"]} for r in taken
        ]


def image_of(tables: Tables, sample: str) -> Row:
    return tables["images"][int(sample[1:])]


def patient_of(tables: Tables, sample: str) -> str:
    return image_of(tables, sample)["patient_id"] or sample


@pytest.fixture(scope="module")
def tables() -> Tables:
    return audited_tables()


def opened_over(tables: Tables, **limits: Any) -> Session:
    datasets = {name: dataset(name, rows) for name, rows in tables.items()}
    return Session(datasets, backed=backing_of_columns(), limits=Limits(**limits))


def rows_of(tables: Tables, question: str, **limits: Any) -> list[Row]:
    with opened_over(tables, **limits) as session:
        rows: list[Row] = session.query(question).to_pylist()
        return rows


def test_the_latest_audit_of_each_model_and_target(tables: Tables) -> None:
    """The newest by time; a model and target that was never audited has none."""
    found = rows_of(tables, "SELECT model, target, audit_id FROM latest_audits ORDER BY ALL")
    assert [tuple(row.values()) for row in found] == [("m", "s", "old"), ("m", "t", "new")]


def test_one_row_a_sample_model_and_target(tables: Tables) -> None:
    """Every prediction once, with its picture's columns and what the newest audit alone made of it."""
    found = rows_of(tables, "SELECT * FROM samples")
    key = lambda row: (row["sample_id"], row["model"], row["target"])  # noqa: E731 - a name for three columns
    assert sorted(map(key, found)) == sorted(map(key, tables["predictions"]))
    newest = {("m", "s"): "old", ("m", "t"): "new"}
    slices = {row["slice_id"]: row for row in tables["slices"]}
    for row in found:
        image = image_of(tables, row["sample_id"])
        assert (row["sex"], row["age"], row["metadata_label"]) == (image["sex"], image["age"], "noise")
        audit = newest.get((row["model"], row["target"]))
        assert row["audit_id"] == audit
        taking = sorted(
            m["slice_id"]
            for m in tables["memberships"]
            if m["sample_id"] == row["sample_id"]
            and m["audit_id"] == audit
            and slices[m["slice_id"]]["target"] == row["target"]
            and row["model"] == "m"
        )
        assert row["slice_ids"] == (taking or None)
        own = [slices[name] for name in taking if slices[name]["true_class"] == row["label"]]
        own.sort(key=lambda s: (not s["confirmed"], s["q_value"], s["slice_id"]))
        assert row["slice_id"] == (own[0]["slice_id"] if own else None)


@pytest.mark.parametrize("names", [PARAMETERS, INTERNAL])
def test_metadata_may_be_called_anything(tables: Tables, names: tuple[str, ...]) -> None:
    """Columns named as what is inside the views and functions break none of them."""
    strange = tables | {"images": [row | dict.fromkeys(names, "x") for row in tables["images"]]}
    with opened_over(strange) as session:
        for name in names:
            assert session.query(f'SELECT DISTINCT "{name}" AS v FROM samples').to_pylist() == [{"v": "x"}]
        plain = rows_of(tables, "FROM slice_by(sex)")
        assert session.query("FROM slice_by(sex)").to_pylist() == plain
        assert session.query("FROM rates_by(sex)").num_rows
        assert session.query("FROM slice_profile('new-t-1')").num_rows


def test_metadata_is_told_value_by_value(tables: Tables) -> None:
    """Numbers of many values come in quarters that hold about as many; few values, texts and gaps as they are."""
    found = rows_of(tables, "SELECT * FROM metadata")
    assert {row["column_name"] for row in found} == {"split", "sex", "age", "beds", "label"}
    assert len(found) == 5 * len(tables["images"])
    told = {(row["sample_id"], row["column_name"]): row for row in found}
    ages = np.array([row["age"] for row in tables["images"] if row["age"] is not None])
    edges = np.quantile(ages, [0.25, 0.5, 0.75])
    for image in tables["images"]:
        sex, age, beds = (told[image["sample_id"], name] for name in ("sex", "age", "beds"))
        assert sex["term"] == (f"sex = {image['sex']}" if image["sex"] else "sex missing")
        assert (beds["value"], beds["bin"]) == (str(image["beds"]), None)
        if image["age"] is None:
            assert (age["value"], age["bin"], age["term"]) == ("missing", None, "age missing")
        else:
            place = int(np.searchsorted(edges, image["age"], side="right"))
            names = [f"below {edges[0]:g}", f"{edges[0]:g} to {edges[1]:g}", f"{edges[1]:g} to {edges[2]:g}"]
            assert age["value"] == [*names, f"{edges[2]:g} or more"][place]
            assert age["bin"] == place
            assert age["term"] == f"age {age['value']}"


def many_columns(n: int = 400) -> list[Row]:
    """Columns of numbers that six digits tell apart, or do not, or that have no quarters; and of awkward words."""
    rng = np.random.default_rng(0)
    numbers = {
        "ratio": np.round(rng.normal(size=n) * 1e-3, 6),
        "accession": 10_000_000 + rng.integers(0, 300, n),
        "taken_on": 20_200_101 + rng.integers(0, 31, n),
        "drift": 1 + rng.random(n) * 1e-13,
        "mostly_none": np.where(rng.random(n) < 0.85, 0, rng.integers(1, 40, n)),
        "capped": np.minimum(rng.integers(0, 40, n), 15),
        "flag": rng.integers(0, 2, n),
        "quarters_of_one": rng.integers(0, 4, n) / 4,
    }
    words = ["missing", None, '"missing"', '""missing""', "Missing", "x"]
    return [
        {"sample_id": f"s{i}", "patient_id": f"p{i}", "word": words[i % len(words)]}
        | {name: None if rng.random() < 0.05 else values[i].item() for name, values in numbers.items()}
        for i in range(n)
    ]


def test_terms_of_metadata_are_the_same_in_sql_and_in_python() -> None:
    """Every value and quarter has one label, its own, and describing slices gives it the same one, for as many rows."""
    rows = many_columns()
    told = pl.DataFrame(rows_of({"images": rows}, "SELECT column_name, value, term, bin FROM metadata"))
    for column in (name for name in rows[0] if name not in ("sample_id", "patient_id")):
        own = told.filter(pl.col("column_name") == column)
        bank = value_bank(pl.DataFrame(rows).select(column), [column], np.ones(len(rows), bool))
        counted = {saying.shown: int(bank.of(place).sum()) for place, saying in enumerate(bank.items)}
        assert dict(own.group_by("term").len().iter_rows()) == counted
        assert own["term"].n_unique() == own["value"].n_unique() == own.select("term", "value").n_unique()
        assert own["bin"].drop_nulls().n_unique() == own.filter(pl.col("bin").is_not_null())["term"].n_unique()
    for column, groups in {
        "ratio": 4,
        "accession": 4,
        "taken_on": 4,
        "drift": 4,
        "mostly_none": 2,
        "capped": 3,
    }.items():
        assert told.filter(pl.col("column_name") == column)["bin"].drop_nulls().n_unique() == groups
    accession = told.filter((pl.col("column_name") == "accession") & (pl.col("bin") == 0))["value"]
    assert re.fullmatch(r"below 100000\d\d(\.\d+)?", accession[0])


def test_a_value_that_says_missing_is_no_missing_value() -> None:
    """The word, and the word in quotes, stay apart from NULL and from each other, wherever values are told."""
    rows = many_columns()
    wanted = Counter(row["word"] for row in rows)
    labels = {"missing": '"missing"', None: "missing", '"missing"': '""missing""', '""missing""': '"""missing"""'}
    by_label = {labels.get(word, word): number for word, number in wanted.items()}
    predictions = [
        {"sample_id": row["sample_id"], "model": "m", "target": "t", "label": 1, "score": 0.9, "threshold": 0.5}
        for row in rows
    ]
    tables = {"images": rows, "predictions": predictions}
    shown = {
        row["value"]: row["n"]
        for row in rows_of(tables, "SELECT value, count(*) AS n FROM metadata WHERE column_name = 'word' GROUP BY ALL")
    }
    assert shown == by_label
    for asked in ("word", "metadata_value(sample_id, 'word')"):
        found = rows_of(tables, f"FROM rates_by({asked})", allow_small_cells=True)
        assert {row["subgroup"]: row["rows"] for row in found} == by_label
    with opened_over(tables) as session:
        lacking = session.query(named_question("missing_metadata"), {"model": "m", "target": "t"}).to_pylist()
    (row,) = (row for row in lacking if row["column_name"] == "word")
    assert (row["patients_missing"], row["patients_known"]) == (wanted[None], len(rows) - wanted[None])


@pytest.mark.parametrize("word", ["missing", "other"])
def test_slices_by_subgroup(tables: Tables, word: str) -> None:
    """Counts and rates of the slice's class on the confirmation half, counted here; gaps are a group of their own.

    A value that says `missing` is none of them.
    """
    named = [row | {"sex": word if row["sex"] == "F" else row["sex"]} for row in tables["images"]]
    tables = tables | {"images": named}
    found = {(r["slice_id"], r["subgroup"]): r for r in rows_of(tables, "FROM slice_by(sex)", allow_small_cells=True)}
    wanted = {}
    for row in (s for s in tables["slices"] if s["slice_id"].startswith(("new-t", "old-s"))):
        for sex in (word, "M", None):
            inside = [r for r in members(tables, row) if image_of(tables, r["sample_id"])["sex"] == sex]
            label = '"missing"' if sex == "missing" else sex or "missing"
            if inside:
                wanted[row["slice_id"], label] = inside
    assert found.keys() == wanted.keys()
    for key, inside in wanted.items():
        errors = sum(r["error"] for r in inside)
        interval = clustered_wilson([r["error"] for r in inside], [patient_of(tables, r["sample_id"]) for r in inside])
        assert (found[key]["rows"], found[key]["errors"]) == (len(inside), errors)
        assert found[key]["patients"] == len({patient_of(tables, r["sample_id"]) for r in inside})
        assert found[key]["error_rate"] == pytest.approx(errors / len(inside))
        assert (found[key]["error_rate_low"], found[key]["error_rate_high"]) == pytest.approx(interval)


def members(tables: Tables, row: Row) -> list[Row]:
    """The confirmation rows of a slice's class that it takes."""
    taken = {m["sample_id"] for m in tables["memberships"] if m["slice_id"] == row["slice_id"]}
    return [r for r in judged_of(tables, row) if r["sample_id"] in taken]


def judged_of(tables: Tables, row: Row) -> list[Row]:
    return [
        r
        for r in tables["audited"]
        if (r["audit_id"], r["model"], r["target"]) == (row["audit_id"], row["model"], row["target"])
        and (r["half"], r["label"]) == ("confirmation", row["true_class"])
    ]


@pytest.mark.parametrize("number", range(4))
def test_what_is_over_represented_in_a_slice(tables: Tables, number: int) -> None:
    """Each patient counts once, by one row, among those of as many; q-values are scipy's over all tested."""
    row = next(s for s in tables["slices"] if s["slice_id"] == f"new-t-{number}")
    found = rows_of(tables, f"FROM slice_profile('new-t-{number}')", allow_small_cells=True)
    terms = {(r["sample_id"], r["column_name"]): r["value"] for r in rows_of(tables, "FROM metadata")}
    taken = {r["sample_id"] for r in members(tables, row)}
    films: dict[str, list[str]] = {}
    for judged in judged_of(tables, row):
        films.setdefault(patient_of(tables, judged["sample_id"]), []).append(judged["sample_id"])
    inside = counted_inside(films, taken)
    drawn = {
        who: min(own, key=lambda s: ((s in taken) != (who in inside), md5(s.encode()).hexdigest()))
        for who, own in films.items()
    }
    having: dict[tuple[str, str], set[str]] = {}
    for who, sample in drawn.items():
        for column in ("split", "sex", "age", "beds", "label"):
            having.setdefault((column, terms[sample, column]), set()).add(who)
    tested = {term: who for term, who in having.items() if 11 <= len(who) < len(films)}
    counts = {term: (len(who & inside), len(who - inside)) for term, who in tested.items()}
    n, m = len(inside), len(films) - len(inside)
    strata = [{who for who, own in films.items() if len(own) == rows} for rows in (1, 2)]
    assert min(map(len, strata)) >= 5
    p = [among([(who & each, inside & each, each) for each in strata], len(who & inside)) for who in tested.values()]
    q = dict(zip(counts, stats.false_discovery_control(p), strict=True))
    assert {(r["column_name"], r["value"]) for r in found} == tested.keys()
    for r in found:
        term = (r["column_name"], r["value"])
        a, b = counts[term]
        assert (r["patients_inside"], r["patients_outside"]) == (a, b)
        assert (r["share_inside"], r["share_outside"]) == (pytest.approx(a / n), pytest.approx(b / m))
        assert r["lift"] == (pytest.approx((a / n) / (b / m)) if b else None)
        assert r["q_value"] == pytest.approx(q[term])
    assert [r["q_value"] for r in found] == sorted(r["q_value"] for r in found)


def counted_inside(films: dict[str, list[str]], taken: set[str]) -> set[str]:
    """The patients with a film inside but for those of two films who are outside by the other, by a hash of their id,
    until of patients of two films no more are inside than outside."""
    inside = {who for who, own in films.items() if taken & set(own)}
    pairs = {who for who, own in films.items() if len(own) == 2}
    both = sorted(
        (who for who in inside & pairs if not taken >= set(films[who])), key=lambda w: md5(w.encode()).hexdigest()
    )
    part = len(taken & {one for own in films.values() for one in own}) / sum(map(len, films.values()))
    surplus = 2 * len(inside & pairs) - len(pairs)
    return inside - set(both[: max(0, surplus + (part > 1 / 2)) // 2])


def among(strata: list[tuple[set[str], set[str], set[str]]], least: int) -> float:
    """How likely `least` patients or more inside have a value; of every stratum who has it, who is inside, and all."""
    chances = np.ones(1)
    for having, inside, everyone in strata:
        law = stats.hypergeom(len(everyone), len(having), len(inside))
        chances = np.convolve(chances, [law.pmf(hits) for hits in range(len(inside) + 1)])
    return float(chances[least:].sum())


def test_patients_of_many_films_tell_no_slice_of_random_films(tables: Tables) -> None:
    """They are inside more often, and what most of their films have is not what sets a slice of random films apart."""
    rng = np.random.default_rng(5)
    patients = np.repeat(np.arange(240), np.r_[np.ones(200, int), np.full(40, 10)])
    row = next(s for s in tables["slices"] if s["slice_id"] == "new-t-1")
    ids = [f"f{number:03d}" for number in range(len(patients))]
    judged = {"audit_id": "new", "model": "m", "target": "t", "half": "confirmation", "label": row["true_class"]}
    told = 0
    for _ in range(12):
        drain = rng.random(len(ids)) < np.where(patients < 200, 0.2, 0.6)
        inside = rng.random(len(ids)) < 0.1
        films = {
            "images": [
                {"sample_id": one, "patient_id": str(who), "drain": str(has)}
                for one, who, has in zip(ids, patients, drain, strict=True)
            ],
            "audited": [judged | {"sample_id": one, "error": False} for one in ids],
            "memberships": [
                {"slice_id": "new-t-1", "sample_id": one} for one, has in zip(ids, inside, strict=True) if has
            ],
        }
        profile = rows_of(tables | films, "FROM slice_profile('new-t-1')", allow_small_cells=True)
        told += any(one["q_value"] <= 0.05 for one in profile)
    assert told <= 3  # 1 expected at most; with all patients alike 10 of 12


def test_rates_by_subgroup_leave_training_rows_out(tables: Tables) -> None:
    """Counts of every model, target and subgroup, whose split is not train, and whose label is known."""
    found = rows_of(tables, "FROM rates_by(sex)", allow_small_cells=True)
    assert len(found) == 2 * 2 * 3
    for r in found:
        kept = [
            p
            for p in tables["predictions"]
            if (p["model"], p["target"]) == (r["model"], r["target"])
            and p["label"] is not None
            and image_of(tables, p["sample_id"])["split"] != "train"
            and (image_of(tables, p["sample_id"])["sex"] or "missing") == r["subgroup"]
        ]
        positives = [p for p in kept if p["label"] == 1]
        hits = [p["score"] >= 0.5 for p in positives]
        assert (r["rows"], r["positives"]) == (len(kept), len(hits))
        assert r["sensitivity"] == pytest.approx(np.mean(hits))
        interval = clustered_wilson(hits, [patient_of(tables, p["sample_id"]) for p in positives])
        assert (r["sensitivity_low"], r["sensitivity_high"]) == pytest.approx(interval)
        assert r["suppressed"] is False


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


@pytest.mark.parametrize("few_of", [0, 1])
def test_questions_and_rates_by_tell_the_same_error_rates(tables: Tables, few_of: int) -> None:
    """One hides what the other hides: the rate of both classes, less that of one, would be that of few patients."""
    label = {image["sample_id"]: few_of if i < 9 else 1 - few_of for i, image in enumerate(tables["images"])}
    few = tables | {"predictions": [row | {"label": label[row["sample_id"]]} for row in tables["predictions"]]}
    asked = {"model": "m", "target": "t"}
    shown = "FROM rates_by({}) WHERE model = $model AND target = $target AND error_rate IS NOT NULL"
    with opened_over(few) as session:

        def rates(subgroup: str) -> dict[str, float]:
            rows = session.query(shown.format(subgroup), asked).to_pylist()
            return {row["subgroup"]: round(row["error_rate"], 9) for row in rows}

        worst = session.query(named_question("worst_subgroup"), asked).to_pylist()
        missing = session.query(named_question("missing_metadata"), asked).to_pylist()
        for name in ("sex", "age", "beds", "metadata_label", "split"):
            told = [round(row["error_rate"], 9) for row in worst if row["column_name"] == name]
            known = rates(f"metadata_value(sample_id, '{name}')")
            assert told == sorted(known.values())[-1:]
        for row in missing:
            known = rates(f"metadata_value(sample_id, '{row['column_name']}') = 'missing'")
            told = [row[rate] and round(row[rate], 9) for rate in ("error_rate_missing", "error_rate_known")]
            assert told == [known.get("true"), known.get("false")]
    assert missing


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


@pytest.mark.parametrize("alias", ["s", "a", "i", "m", "v"])
def test_functions_mean_the_column_that_is_given_whatever_its_table_is_called(tables: Tables, alias: str) -> None:
    """A slice or sample given as a column of any table's alias is that row's own, as if it had been written out."""
    given = rows_of(
        tables, f"SELECT {alias}.slice_id, p.* FROM slices AS {alias}, slice_profile({alias}.slice_id) AS p"
    )
    ids = [row["slice_id"] for row in rows_of(tables, "SELECT slice_id FROM slices")]
    alone = [{"slice_id": one, **row} for one in ids for row in rows_of(tables, f"FROM slice_profile('{one}')")]
    assert alone
    assert sorted(map(str, given)) == sorted(map(str, alone))
    told = f"SELECT {alias}.sex, metadata_value({alias}.sample_id, 'sex') AS value FROM images AS {alias}"
    assert all(row["value"] == (row["sex"] or "missing") for row in rows_of(tables, told))


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


def test_repeated_patients_widen_intervals_and_single_ones_do_not() -> None:
    """Films of one patient that agree are worth one film; one film a patient leaves Wilson's interval as it is."""
    asked = "SELECT {} AS low, {} AS high FROM (VALUES {}) AS t(k, n)"
    ends = "rate_low(k, n)", "rate_high(k, n)"
    with opened_over({}) as session:
        alone = session.query(asked.format(*ends, "(1, 1), (0, 1), (0, 1)")).to_pylist()
        (wilson,) = session.query("SELECT wilson_low(1, 3) AS low, wilson_high(1, 3) AS high").to_pylist()
        assert alone == [pytest.approx(wilson)]
        for pairs in ([(3, 3), (0, 3)], [(0, 4), (0, 2)], [(2, 3), (1, 1), (0, 5), (1, 2)], [(4, 4)]):
            events = [place < k for k, n in pairs for place in range(n)]
            who = [patient for patient, (_, n) in enumerate(pairs) for _ in range(n)]
            found = session.query(asked.format(*ends, ", ".join(map(str, [*pairs, (0, 0)])))).to_pylist()[0]
            assert (found["low"], found["high"]) == pytest.approx(clustered_wilson(events, who))
            assert (
                found["high"] - found["low"]
                > 1.2 * np.diff(stats.binomtest(sum(events), len(events)).proportion_ci(method="wilson"))[0]
            )
        assert session.query(asked.format(*ends, "(0, 0), (NULL, 3)")).to_pylist() == [{"low": None, "high": None}]
        with pytest.raises(QueryError, match="more events than rows"):
            session.query(asked.format(*ends, "(2, 1)"))


def test_any_expression_makes_subgroups(tables: Tables) -> None:
    """Expressions over samples, and metadata by its name; a column that is not there is told with the nearest."""
    with opened_over(tables) as session:
        over = session.query("SELECT DISTINCT subgroup FROM rates_by(age >= 60) ORDER BY 1")["subgroup"].to_pylist()
        assert over == ["false", "missing", "true"]
        both = session.query("SELECT DISTINCT subgroup FROM rates_by(metadata_value(sample_id, 'sex'))")
        assert set(both["subgroup"].to_pylist()) == {"F", "M", "missing"}
        with pytest.raises(Exception, match="no column 'sexx' in samples; did you mean 'sex'"):
            session.query("FROM rates_by(sexx)")


def test_reports_are_found_by_their_words(opened: Callable[..., Session]) -> None:
    """BM25 as written down, ties by id; a report without any of the words is not found."""
    texts = ["No pleural effusion.", "Large effusion, effusion on the left", "Clear lungs", "Pleural plaque; effusion?"]
    session = opened(reports=[{"sample_id": f"s{i}", "report": text} for i, text in enumerate(texts)])
    found = session.query("FROM search_reports('pleural EFFUSION', k := 10)").to_pylist()
    words = [text.lower().replace(".", "").replace(",", "").replace(";", "").replace("?", "").split() for text in texts]
    usual = np.mean([len(w) for w in words])

    def score(document: list[str]) -> float:
        total = 0.0
        for word in ("pleural", "effusion"):
            n, times = sum(word in w for w in words), document.count(word)
            weight = np.log(1 + (len(words) - n + 0.5) / (n + 0.5))
            total += weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(document) / usual))
        return float(total)

    scores = {f"s{i}": score(w) for i, w in enumerate(words)}
    wanted = sorted((name for name, value in scores.items() if value), key=lambda name: (-scores[name], name))
    assert [row["sample_id"] for row in found] == wanted
    assert [row["score"] for row in found] == pytest.approx([scores[name] for name in wanted])
    assert session.query("FROM search_reports('tuberculosis')").num_rows == 0
    assert session.query("FROM search_reports('')").num_rows == 0
