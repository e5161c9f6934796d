"""samples, latest_audits and metadata; what functions mean, and what reports say."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from misread.describe import value_bank
from misread.sql import Session
from misread.sql import question as named_question

if TYPE_CHECKING:
    pass
from audited_rows import Row, Tables, image_of, opened_over, rows_of

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
        "dose": np.array([1e-5, 2.5e-7, 1e-3, 1e300])[rng.integers(0, 4, n)],
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


@pytest.mark.parametrize("seed", range(3))
def test_copies_are_the_samples_of_equal_files(tables: Tables, seed: int) -> None:
    """By hand: each group of equal files has a number of its own, in the order of first samples; a sample without a
    file is no copy of another one without; and no checksum is told."""
    rng = np.random.default_rng(seed)
    images = [row | {"sha256": [None, *"abcdefgh"][rng.integers(9)]} for row in tables["images"][:14]]
    files: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(images, key=lambda row: row["sample_id"]):
        files[row["sha256"] or row["sample_id"]].append(row)
    groups = [rows for rows in files.values() if len(rows) > 1]
    wanted = [
        {"file": number, "sample_id": row["sample_id"], "patient_id": row["patient_id"]}
        for number, rows in enumerate(groups, 1)
        for row in rows
    ]
    assert len({row["file"] for row in wanted}) > 1
    assert rows_of(tables | {"images": images}, "FROM copies ORDER BY ALL") == wanted
