"""Subgroups of a store, in Python, in SQL and on the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from misread.cli.main import app
from misread.discover.scan import scan_statistic
from misread.library import Store
from misread.schemas.errors import MisreadError, QueryError, UnknownNameError
from stores import AGE, VIEW, write_store


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Positives of view AP whose age is missing are mostly missed."""
    rng = np.random.default_rng(1)
    n = 800
    view = rng.choice(["PA", "AP", "L"], n)
    age = np.where(rng.random(n) < 0.3, -1, rng.integers(20, 90, n))
    label = rng.integers(0, 2, n)
    wrong = rng.random(n) < np.where((label == 1) & (view == "AP") & (age < 0), 0.8, 0.1)
    score = np.where((label == 1) != wrong, 0.9, 0.1)
    frame = pl.DataFrame({"view": view, "age": age, "label": label, "score": score, "wrong": wrong})
    return frame.with_columns(
        sample_id=pl.format("s{}", pl.int_range(n)),
        patient_id=pl.format("p{}", pl.int_range(n) // 2),
        age=pl.when(pl.col("age") >= 0).then("age"),
        split=pl.when(pl.int_range(n) % 8 == 0).then(pl.lit("train")),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame) -> Store:
    images = rows.select("sample_id", "patient_id", "split", "view", "age").to_dicts()
    predictions = [
        row | {"model": "m", "target": "t", "threshold": 0.5}
        for row in rows.select("sample_id", "label", "score").to_dicts()
    ]
    return write_store(tmp_path_factory.mktemp("sub") / "store", images, predictions, metadata=[VIEW, AGE])


def test_the_planted_subgroup_is_found_and_counted(store: Store, rows: pl.DataFrame) -> None:
    """Missing values form a group of their own, training rows stay out, and counts are those made here."""
    best = store.subgroups("m", "t").row(0, named=True)
    kept = rows.filter(pl.col("split").is_null(), pl.col("label") == 1)
    inside = kept.filter(pl.col("view") == "AP", pl.col("age").is_null())
    assert (best["rank"], best["error_kind"], best["terms"]) == (1, "false negative", ["age missing", "view = AP"])
    assert (best["rows"], best["errors"]) == (inside.height, inside["wrong"].sum())
    assert best["patients"] == inside["patient_id"].n_unique()
    assert best["error_rate"] == pytest.approx(inside["wrong"].mean())
    outside = (kept["wrong"].sum() - inside["wrong"].sum()) / (kept.height - inside.height)
    assert best["baseline_rate"] == pytest.approx(outside)
    assert best["lift"] == pytest.approx(best["error_rate"] / outside)
    assert best["error_rate_low"] < best["error_rate"] < best["error_rate_high"]
    wanted = scan_statistic(inside["wrong"].sum(), inside.height, kept["wrong"].sum(), kept.height)
    assert best["scan_statistic"] == pytest.approx(float(wanted))


def test_one_answer_in_python_sql_and_on_the_command_line(store: Store) -> None:
    """The same rows, columns and order by all three ways, with the same options."""
    found = store.subgroups("m", "t", of_class=1, min_size=20, most_terms=2, top=4, where="split IS NULL")
    in_sql = store.sql(
        "FROM subgroups('m', 't', of_class := 1, min_size := 20, most_terms := 2, top := 4, keep := split IS NULL)"
    )
    assert found.equals(in_sql)
    options = ["--class", "1", "--min-size", "20", "--most-terms", "2", "--top", "4", "--where", "split IS NULL"]
    told = CliRunner().invoke(
        app, ["subgroups", store.location, "--model", "m", "--target", "t", *options, "--format", "json"]
    )
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout) == found.to_dicts()


def test_subgroups_are_as_asked(store: Store) -> None:
    """No more than `top`, no smaller than `min_size`, no longer than `most_terms`, one class, best first."""
    found = store.subgroups("m", "t", of_class=0, min_size=40, most_terms=1, top=3)
    assert 0 < found.height <= 3
    assert set(found["error_kind"]) == {"false positive"}
    assert found["rows"].min() >= 40  # type: ignore[operator]
    assert found["terms"].list.len().max() == 1
    assert found["scan_statistic"].is_sorted(descending=True)


def test_few_patients_make_no_subgroup(store: Store) -> None:
    """Nobody sees a subgroup of fewer than eleven patients, unless it is allowed."""
    where = "age > 75"
    for allowed in (False, True):
        found = store.subgroups("m", "t", min_size=2, top=50, where=where, allow_small_cells=allowed)
        assert (found["patients"].min() < 11) is allowed  # type: ignore[operator]


@pytest.mark.parametrize(("inside", "outside", "is_told"), [(11, 11, True), (10, 40, False), (40, 10, False)])
def test_eleven_patients_inside_and_outside_make_a_subgroup(
    tmp_path: Path, inside: int, outside: int, is_told: bool
) -> None:
    """Of ten the rate would show, be they inside or, as the baseline or the total less the subgroup, outside.

    Patients count, not films, of which each has two.
    """
    films = [(f"p{patient}", film) for patient in range(inside + outside) for film in range(2)]
    images = [
        {"sample_id": f"{patient}-{film}", "patient_id": patient, "view": "AP" if int(patient[1:]) < inside else "PA"}
        for patient, film in films
    ]
    predictions = [
        {"sample_id": row["sample_id"], "model": "m", "target": "t", "label": 1, "threshold": 0.5, "score": score}
        for row in images
        for score in [0.1 if row["view"] == "AP" and row["sample_id"] != "p0-0" else 0.9]
    ]
    store = write_store(tmp_path / "store", images, predictions, metadata=[VIEW])
    assert store.subgroups("m", "t")["terms"].to_list() == ([["view = AP"]] if is_told else [])
    allowed = store.subgroups("m", "t", allow_small_cells=True)
    assert (allowed["terms"].to_list(), allowed["baseline_rate"].to_list()) == ([["view = AP"]], [0.0])


def test_an_audit_is_searched_as_it_judged(tmp_path: Path, rows: pl.DataFrame) -> None:
    """Of an older audit its own rows and errors at its own threshold, whatever a newer one made of the scores."""
    own = rows.with_columns(
        model=pl.lit("m"), target=pl.lit("t"), score=pl.when(pl.col("wrong")).then(0.5).otherwise("score")
    )
    predictions = own.select("sample_id", "model", "target", "label", "score").to_dicts()
    images = rows.select("sample_id", "patient_id", "split", "view", "age").to_dicts()
    store = write_store(tmp_path / "store", images, predictions, metadata=[VIEW, AGE])
    samples = store.scan().filter("view <> 'PA'")
    plans = [frame.fuse(metadata=["age"]) for frame in (samples, store.scan())]
    older, _ = (
        plan.discover(threshold=threshold, permutations=0, stability=0).describe().sink()
        for plan, threshold in zip(plans, (0.6, 0.4), strict=True)
    )
    kept = own.filter(pl.col("split").is_null(), pl.col("view") != "PA")
    asked = "FROM subgroups('m', 't', min_size := 2, top := 50, of_audit := $audit)"
    found = store.sql(asked, {"audit": older})
    assert found.height > 1
    assert not any("view = PA" in terms for terms in found["terms"])
    best = found.row(0, named=True)
    assert best["terms"] == ["age missing", "view = AP"]
    missed = kept.filter(pl.col("label") == 1, pl.col("view") == "AP", pl.col("age").is_null())
    assert (best["rows"], best["errors"]) == (missed.height, missed.filter(pl.col("score") < 0.6).height)
    with pytest.raises(UnknownNameError, match="no audit 'x'"):
        store.sql(asked, {"audit": "x"})


def test_what_cannot_be_searched_is_told(store: Store) -> None:
    """Unknown names with the nearest that exist; options out of range; a where that is no expression."""
    with pytest.raises(UnknownNameError, match="no model 'n' in predictions"):
        store.subgroups("n", "t")
    with pytest.raises(UnknownNameError, match="no target 'u'"):
        store.subgroups("m", "u")
    with pytest.raises(UnknownNameError, match="no column 'veiw' in samples; did you mean 'view'"):
        store.subgroups("m", "t", where="veiw = 'PA'")
    for options in ({"top": 0}, {"min_size": 0}, {"most_terms": 4}, {"of_class": 2}, {"where": "true); DROP VIEW x"}):
        with pytest.raises(QueryError):
            store.subgroups("m", "t", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("number", [2**63, 10**20, 10**60])
def test_numbers_beyond_64_bits_are_told_as_any_other_wrong_number(store: Store, number: int) -> None:
    """Whatever counts rows tells a number that nothing can hold, and which ones it takes; no fault of misread's."""
    largest = str(2**63 - 1)
    asked = [
        *(lambda name=name: store.subgroups("m", "t", **{name: number}) for name in ("min_size", "top", "of_class")),  # type: ignore[misc]
        lambda: store.sql(f"FROM nearest_samples('a', k := {number})"),
        lambda: store.scan("m", "t").head(number),
        lambda: store.scan("m", "t").head(1).collect(memory=number),
        *(
            lambda name=name: store.scan("m", "t").fuse().discover(**{name: number})  # type: ignore[misc]
            for name in ("min_size", "min_patients", "most", "permutations", "stability", "pool")
        ),
    ]
    for ask in asked:
        with pytest.raises(MisreadError, match=str(number)) as told:
            ask()
        assert largest in str(told.value)
    with pytest.raises(QueryError, match="of_class is 300\\nit is 1, 0, or NULL"):
        store.subgroups("m", "t", of_class=300)


def test_without_errors_or_rows_there_are_none(store: Store, tmp_path: Path) -> None:
    """Rows that are all right, or none at all, have no subgroup: an empty table of the same columns."""
    columns = store.subgroups("m", "t").columns
    right = "(label = 1) = (score > 0.5)"
    for where in (right, "false"):
        found = store.subgroups("m", "t", where=where)
        assert (found.height, found.columns) == (0, columns)
    empty = write_store(tmp_path / "s", [{"sample_id": "a"}], [])
    with pytest.raises(UnknownNameError, match="no model"):
        empty.subgroups("m", "t")


def test_what_subgroups_explain_is_a_join(store: Store, rows: pl.DataFrame) -> None:
    """The samples of a subgroup are those that have all its terms in the view metadata."""
    asked = """
        WITH best AS (FROM subgroups('m', 't', of_class := 1, top := 1)),
        wanted AS (SELECT unnest(terms) AS term, len(terms) AS n FROM best)
        SELECT sample_id FROM metadata JOIN wanted USING (term) GROUP BY sample_id, n HAVING count(*) = n
    """
    inside = rows.filter(pl.col("view") == "AP", pl.col("age").is_null())
    assert set(store.sql(asked)["sample_id"]) == set(inside["sample_id"])


def test_missing_values_of_real_films_are_a_group_of_their_own(tmp_path: Path) -> None:
    """On the COVID films, age is often missing: that is a value like any other, with the counts made here."""
    data = Path(__file__).parents[3] / "shared" / "data" / "covid-cxr"
    if not data.exists():
        pytest.skip("needs the real chest films")
    images = pl.read_csv(data / "metadata.csv", infer_schema_length=None).select(
        "sample_id", pl.col("patient_id").cast(pl.String), "view", pl.col("age").cast(pl.Int64)
    )
    rows = pl.read_csv(data / "predictions.csv").with_columns(threshold=pl.lit(0.5))
    store = write_store(tmp_path / "covid", images.to_dicts(), rows.to_dicts(), metadata=[VIEW, AGE])
    found = store.subgroups("hog-logistic", "COVID-19", most_terms=1, top=50, min_size=2, allow_small_cells=True)
    told = {(row["error_kind"], *row["terms"]): (row["rows"], row["errors"]) for row in found.iter_rows(named=True)}
    assert any(term.endswith(" missing") for _, term in told)
    joined = rows.join(images, on="sample_id")
    for (kind, term), counts in told.items():
        if term == "age missing":
            own = joined.filter(pl.col("age").is_null(), pl.col("label") == (kind == "false negative"))
            wrong = own.filter((pl.col("score") >= 0.5) != (pl.col("label") == 1))
            assert counts == (own.height, wrong.height)


def test_nothing_found_where_nothing_is_judged_says_so(tmp_path: Path) -> None:
    """An empty table would read as if errors gathered nowhere: the command says what is missing."""
    row = {"sample_id": "a", "model": "m"}
    predictions = [
        row | {"target": "no threshold", "label": 1, "score": 0.5},
        row | {"target": "no label", "score": 0.5, "threshold": 0.5},
        row | {"target": "judged", "label": 1, "score": 0.5, "threshold": 0.5},
    ]
    store = write_store(tmp_path / "s", [{"sample_id": "a", "view": "PA"}], predictions, metadata=[VIEW])
    told = {"no threshold": "discover", "no label": "none has a label", "judged": ""}
    for target, words in told.items():
        values = {"model": "m", "target": target}
        options = [word for name, text in values.items() for word in (f"--{name}", text)]
        named = [word for name, text in values.items() for word in ("--set", f"{name}={text}")]
        for asked in (
            ["subgroups", store.location, *options],
            ["sql", store.location, "--run", "worst_subgroup", *named],
        ):
            ended = CliRunner().invoke(app, asked)
            assert ended.exit_code == 0
            assert words in ended.stderr
            assert bool(words) == bool(ended.stderr)
