"""Subgroups of a store, in Python, in SQL and on the command line."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from misread.audit.halves import half_of
from misread.cli.main import app
from misread.discover import rate_interval
from misread.discover.confirm import excess_p_value, q_values
from misread.discover.scan import scan_statistic
from misread.library import Store
from misread.schemas.errors import MisreadError, QueryError, UnknownNameError
from stores import AGE, VIEW, write_store


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Positives of view AP whose age is missing are mostly missed."""
    rng = np.random.default_rng(1)
    n = 2400
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
        half=pl.Series(half_of(f"p{i // 2}", 0) for i in range(n)),
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
    found = store.subgroups("m", "t")
    best = found.row(0, named=True)
    held_out = rows.filter(pl.col("split").is_null(), pl.col("label") == 1, pl.col("half") == "confirmation")
    is_inside = (held_out["view"] == "AP") & held_out["age"].is_null()
    inside, outside = held_out.filter(is_inside), held_out.filter(~is_inside)
    assert (best["rank"], best["error_kind"], best["terms"]) == (1, "false negative", ["age missing", "view = AP"])
    assert (best["rows"], best["errors"]) == (inside.height, inside["wrong"].sum())
    assert best["patients"] == inside["patient_id"].n_unique()
    assert best["error_rate"] == pytest.approx(inside["wrong"].mean())
    assert best["baseline_rate"] == pytest.approx(outside["wrong"].mean())
    assert best["lift"] == pytest.approx(inside["wrong"].mean() / outside["wrong"].mean())  # type: ignore[operator]
    people = held_out["patient_id"].rank("dense").to_numpy().astype(int)
    confidence = 1 - 0.05 * found["confirmed"].mean()  # type: ignore[operator]
    low, high = rate_interval(inside["wrong"].to_numpy(), people[is_inside.to_numpy()], confidence)
    assert (best["error_rate_low"], best["error_rate_high"]) == pytest.approx((low, high))
    assert best["p_value"] == excess_p_value(is_inside.to_numpy(), held_out["wrong"].to_numpy(), people, 0)
    assert found["q_value"].to_list() == pytest.approx(q_values(found["p_value"].to_numpy()).tolist())
    assert found["confirmed"].to_list() == (found["q_value"] <= 0.05).to_list()


def test_the_order_is_that_of_the_searched_half_alone(store: Store, rows: pl.DataFrame) -> None:
    """The statistic is the discovery half's, best first: no error of the other half has a say in what is listed."""
    found = store.subgroups("m", "t", of_class=1, top=30)
    searched = rows.filter(pl.col("split").is_null(), pl.col("label") == 1, pl.col("half") == "discovery")
    pair = found.row(0, named=True)
    inside = searched.filter(pl.col("view") == "AP", pl.col("age").is_null())["wrong"]
    wanted = scan_statistic(inside.sum(), len(inside), searched["wrong"].sum(), searched.height)
    assert pair["scan_statistic"] == pytest.approx(float(wanted))
    assert found["scan_statistic"].is_sorted(descending=True)


def test_one_answer_in_python_sql_and_on_the_command_line(store: Store) -> None:
    """The same rows, columns and order by all three ways, with the same options."""
    found = store.subgroups("m", "t", of_class=1, min_size=20, most_terms=2, top=4, where="split IS NULL")
    in_sql = store.sql(
        "FROM subgroups('m', 't', of_class := 1, min_size := 20, most_terms := 2, top := 4, keep := split IS NULL)"
    )
    assert found.equals(in_sql)
    untold = pl.col("split").is_null()
    assert found.equals(store.subgroups("m", "t", of_class=1, min_size=20, most_terms=2, top=4, where=untold))
    options = ["--class", "1", "--min-size", "20", "--most-terms", "2", "--top", "4", "--where", "split IS NULL"]
    told = CliRunner().invoke(
        app, ["subgroups", store.location, "--model", "m", "--target", "t", *options, "--format", "json"]
    )
    assert told.exit_code == 0, told.stderr
    assert json.loads(told.stdout) == found.to_dicts()


def test_subgroups_are_as_asked(store: Store, rows: pl.DataFrame) -> None:
    """No more than `top`, no smaller than `min_size` where searched, no longer than `most_terms`, one class."""
    searched = rows.filter(pl.col("split").is_null(), pl.col("label") == 0, pl.col("half") == "discovery")
    having = store.sql("SELECT sample_id, term FROM metadata").filter(pl.col("sample_id").is_in(searched["sample_id"]))
    sizes = dict(having.group_by("term").len().iter_rows())
    every = store.subgroups("m", "t", of_class=0, min_size=1, most_terms=1, top=50)
    least = sorted(sizes[term] for (term,) in every["terms"])[1]
    found = store.subgroups("m", "t", of_class=0, min_size=least, most_terms=1, top=3)
    assert set(found["error_kind"]) == {"false positive"}
    assert found["terms"].to_list() == [[term] for (term,) in every["terms"] if sizes[term] >= least][:3]
    assert store.subgroups("m", "t", of_class=0, min_size=least, most_terms=3, top=1).height == 1


def test_what_is_listed_does_not_hang_on_errors_of_the_held_out_half(tmp_path: Path, rows: pl.DataFrame) -> None:
    """With every reading of the other half turned round the same is listed in the same order; its numbers are not."""
    turned = pl.when(pl.col("half") == "confirmation").then(1 - pl.col("score")).otherwise("score")
    images = rows.select("sample_id", "patient_id", "split", "view", "age").to_dicts()
    told = []
    for name, own in {"as it is": rows, "turned": rows.with_columns(score=turned)}.items():
        predictions = own.select("sample_id", "label", "score", model=pl.lit("m"), target=pl.lit("t"), threshold=0.5)
        store = write_store(tmp_path / name, images, predictions.to_dicts(), metadata=[VIEW, AGE])
        told.append(store.subgroups("m", "t", min_size=2, top=40))
    searched = ["rank", "error_kind", "terms", "scan_statistic", "rows", "patients"]
    assert told[0].height > 10
    assert told[0].select(searched).equals(told[1].select(searched))
    assert told[0].row(0, named=True)["confirmed"]
    assert not told[1].row(0, named=True)["confirmed"]
    assert (told[0]["errors"] + told[1]["errors"] == told[0]["rows"]).all()
    for name, says in {"as it is": "", "turned": "none of these is confirmed: "}.items():
        ended = CliRunner().invoke(app, ["subgroups", str(tmp_path / name), "--model", "m", "--target", "t"])
        assert ended.stderr.startswith(says)
        assert bool(ended.stderr) == bool(says)


def test_few_patients_make_no_subgroup(store: Store) -> None:
    """Nobody sees a subgroup of fewer than eleven patients, unless it is allowed."""
    where = "age > 84"
    told = {
        allowed: store.subgroups("m", "t", min_size=2, top=500, where=where, allow_small_cells=allowed)
        for allowed in (False, True)
    }
    few = told[True].filter(pl.col("patients") < 11)
    assert few.height
    assert few.join(told[False], on=["error_kind", "terms"], how="semi").is_empty()


@pytest.mark.parametrize("half", ["discovery", "confirmation"])
@pytest.mark.parametrize(("inside", "outside", "is_told"), [(11, 11, True), (10, 40, False), (40, 10, False)])
def test_eleven_patients_of_either_half_inside_and_outside_make_a_subgroup(
    tmp_path: Path, half: str, inside: int, outside: int, is_told: bool
) -> None:
    """Of ten the rate would show, be they inside or, as the baseline or the total less the subgroup, outside.

    Patients count, not films, of which each has two.
    """
    people = {own: [f"p{i}" for i in range(400) if half_of(f"p{i}", 0) == own] for own in ("discovery", "confirmation")}
    views = {
        patient: view
        for own, patients in people.items()
        for view, chosen in (
            [("AP", patients[:inside]), ("PA", patients[inside : inside + outside])]
            if own == half
            else [("AP", patients[:40]), ("PA", patients[40:80])]
        )
        for patient in chosen
    }
    images = [
        {"sample_id": f"{patient}-{film}", "patient_id": patient, "view": view}
        for patient, view in views.items()
        for film in range(2)
    ]
    predictions = [
        {"sample_id": row["sample_id"], "model": "m", "target": "t", "label": 1, "threshold": 0.5, "score": score}
        for row in images
        for score in [0.1 if row["view"] == "AP" else 0.9]
    ]
    store = write_store(tmp_path / "store", images, predictions, metadata=[VIEW])
    assert store.subgroups("m", "t")["terms"].to_list() == ([["view = AP"]] if is_told else [])
    allowed = store.subgroups("m", "t", allow_small_cells=True)
    assert (allowed["terms"].to_list(), allowed["baseline_rate"].to_list()) == ([["view = AP"]], [0.0])


def test_an_audit_is_searched_as_it_judged(tmp_path: Path, rows: pl.DataFrame) -> None:
    """Of an older audit its own rows, halves and errors at its own threshold, whatever a newer one made of them."""
    own = rows.with_columns(
        model=pl.lit("m"), target=pl.lit("t"), score=pl.when(pl.col("wrong")).then(0.5).otherwise("score")
    )
    predictions = own.select("sample_id", "model", "target", "label", "score").to_dicts()
    images = rows.select("sample_id", "patient_id", "split", "view", "age").to_dicts()
    store = write_store(tmp_path / "store", images, predictions, metadata=[VIEW, AGE])
    samples = store.scan(seed=5).filter("view <> 'PA'")
    plans = [frame.fuse(metadata=["age"]) for frame in (samples, store.scan())]
    older, _ = (
        plan.discover(threshold=threshold, permutations=0, stability=0).describe().sink()
        for plan, threshold in zip(plans, (0.6, 0.4), strict=True)
    )
    asked = "FROM subgroups('m', 't', min_size := 2, top := 50, of_audit := $audit)"
    found = store.sql(asked, {"audit": older})
    assert found.height > 1
    assert not any("view = PA" in terms for terms in found["terms"])
    best = found.row(0, named=True)
    assert best["terms"] == ["age missing", "view = AP"]
    missed = own.filter(
        pl.col("split").is_null(),
        pl.Series(half_of(patient, 5) == "confirmation" for patient in own["patient_id"]),
        pl.col("label") == 1,
        pl.col("view") == "AP",
        pl.col("age").is_null(),
    )
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


def test_what_is_not_searched_among_all_is_told(tmp_path: Path, rows: pl.DataFrame) -> None:
    """Asked of every model and target, the command names those of which nothing counts as right or wrong."""
    images = rows.select("sample_id", "patient_id", "split", "view", "age").to_dicts()
    said = rows.select("sample_id", "label", "score", model=pl.lit("m")).to_dicts()
    thresholds = {"t": 0.5, "u": None, "v": 0.7}
    predictions = [row | {"target": t, "threshold": cut} for t, cut in thresholds.items() for row in said]
    predictions += [row | {"target": "w", "threshold": 0.5, "label": None} for row in said]
    location = str(tmp_path / "store")
    write_store(tmp_path / "store", images, predictions, metadata=[VIEW, AGE])
    told = CliRunner().invoke(app, ["subgroups", location, "--format", "json"])
    assert {row["target"] for row in json.loads(told.stdout)} == {"t", "v"}
    assert "not searched" in told.stderr
    assert told.stderr.rstrip().endswith("labels): m, u; m, w")
    asked = CliRunner().invoke(app, ["subgroups", location, "--target", "t", "--format", "json"])
    assert {row["target"] for row in json.loads(asked.stdout)} == {"t"}
    assert "not searched" not in asked.stderr


def test_without_errors_or_rows_there_are_none(store: Store) -> None:
    """Rows that are all right, or none at all, have no subgroup: an empty table of the same columns."""
    columns = store.subgroups("m", "t").columns
    right = "(label = 1) = (score > 0.5)"
    for where in (right, "false"):
        found = store.subgroups("m", "t", where=where)
        assert (found.height, found.columns) == (0, columns)


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
            own = own.filter(
                pl.Series(
                    half_of(p or f"sample\x1f{s}", 0) == "confirmation"
                    for s, p in own.select("sample_id", "patient_id").iter_rows()
                )
            )
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


def test_a_search_is_stopped_and_allowed_more_as_its_error_says(store: Store) -> None:
    """What stops a question of every model and target names options that the command and the method have."""
    asked = ["subgroups", store.location, "--time-limit"]
    ended = CliRunner().invoke(app, [*asked, "0.001"])
    assert ended.exit_code == 1
    assert "took longer than" in ended.stderr
    assert "--time-limit" in ended.stderr
    assert CliRunner().invoke(app, [*asked, "0"]).exit_code == 0
    with pytest.raises(QueryError, match=r"time_limit= in Python"):
        store.subgroups(time_limit=0.001)
    with pytest.raises(QueryError, match="no amount of memory"):
        store.subgroups(memory_limit="plenty")


@pytest.mark.parametrize("names", [(), ("--model", "m"), ("--model", "m", "--target", "t")])
def test_a_store_without_predictions_is_told(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Whatever is asked of it, no empty table stands for it: predictions are to be ingested first."""
    store = write_store(tmp_path / "store", [{"sample_id": "s", "view": "PA"}], [], metadata=[VIEW])
    ended = CliRunner().invoke(app, ["subgroups", store.location, *names])
    assert ended.exit_code == 1
    assert f"the store {store.location} holds no predictions" in ended.stderr
    assert "--predictions" in ended.stderr
