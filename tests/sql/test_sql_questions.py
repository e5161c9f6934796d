"""The questions that regulators ask, on real predictions, against statsmodels and counting by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.dataset as pads
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from misread.ask import backing_of_columns
from misread.sql import Limits, Session, question
from stores import clustered_wilson

DATA = Path(__file__).parents[3] / "shared" / "data"
MODEL, TARGET, THRESHOLD = "densenet121_jrzech", "Effusion", 0.5
ASKED = {"model": MODEL, "target": TARGET}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    """Labelled predictions of one network and finding, with age, sex and view."""
    if not DATA.exists():
        pytest.skip("needs the real chest films")
    images = pl.read_csv(DATA / "nih-cxr" / "metadata.csv").select(
        "sample_id", pl.col("patient_id").cast(pl.String), "age", "view", "sex", "follow_up"
    )
    found = pl.read_csv(DATA / "nih-cxr" / "predictions.csv").filter(model=MODEL, target=TARGET)
    known = found.join(images, on="sample_id").with_columns(pl.col("label").cast(pl.Int8), threshold=pl.lit(THRESHOLD))
    # sex is taken away from every fifth patient, so that there is something missing
    gone = pl.col("patient_id").cast(pl.Int64) % 5 == 0
    return known.with_columns(
        sex=pl.when(gone).then(None).otherwise("sex"),
        predicted=(pl.col("score") >= THRESHOLD).cast(pl.Int8),
    ).with_columns(error=pl.col("predicted") != pl.col("label"))


def session_over(rows: pl.DataFrame) -> Session:
    known = ("sample_id", "patient_id", "age", "view", "sex", "follow_up")
    images = rows.select(*known, *(name for name in ("split",) if name in rows.columns))
    predictions = rows.select("sample_id", "model", "target", "label", "score", "threshold").with_columns(
        task=pl.lit(None, pl.String), loss=pl.lit(None, pl.Float64)
    )
    tables = {"images": images, "predictions": predictions}
    datasets = {name: pads.dataset(table.to_arrow()) for name, table in tables.items()}
    return Session(datasets, backed=backing_of_columns(), limits=Limits(None))


@pytest.fixture(scope="module")
def session(rows: pl.DataFrame) -> Iterator[Session]:
    with session_over(rows) as one:
        yield one


def answer(session: Session, name: str, **more: str) -> list[dict[str, Any]]:
    answered: list[dict[str, Any]] = session.query(question(name), ASKED | more).to_pylist()
    return answered


def test_the_gap_between_subgroups_has_newcombes_interval(session: Session, rows: pl.DataFrame) -> None:
    """The best and the worst sensitivity by view, and statsmodels' 95 % interval of their difference."""
    (found,) = answer(session, "gap_between_subgroups", column_name="view")
    positives = rows.filter(label=1).group_by("view").agg(n=pl.len(), k=pl.col("predicted").sum())
    rates = positives.with_columns(rate=pl.col("k") / pl.col("n")).sort("rate")
    worst, best = rates.row(0, named=True), rates.row(-1, named=True)
    assert (found["worst"], found["best"]) == (worst["view"], best["view"])
    assert found["gap"] == pytest.approx(best["rate"] - worst["rate"])
    low, high = confint_proportions_2indep(best["k"], best["n"], worst["k"], worst["n"], method="newcomb")
    alone = rows.filter(label=1)["patient_id"].is_unique().all()
    assert found["gap_low"] == pytest.approx(low) if alone else found["gap_low"] <= low + 1e-9
    assert found["gap_high"] == pytest.approx(high) if alone else found["gap_high"] >= high - 1e-9


def test_newcombes_interval_where_no_patient_repeats(rows: pl.DataFrame) -> None:
    """With every film a patient of its own the interval of the gap is statsmodels' to the digit."""
    with session_over(rows.with_columns(patient_id=pl.col("sample_id"))) as session:
        (found,) = answer(session, "gap_between_subgroups", column_name="view")
    groups = rows.filter(label=1).group_by("view").agg(n=pl.len(), k=pl.col("predicted").sum())
    (worst, best) = groups.sort(pl.col("k") / pl.col("n")).iter_rows(named=True)
    wanted = confint_proportions_2indep(best["k"], best["n"], worst["k"], worst["n"], method="newcomb")
    assert (found["gap_low"], found["gap_high"]) == pytest.approx(wanted)


def test_gaps_of_all_pairs_hold_together(rows: pl.DataFrame) -> None:
    """Of k subgroups the chosen pair's interval is Newcombe's at 1 - 0.05 / (k (k - 1) / 2): all pairs hold at once."""
    groups = rows.with_columns(patient_id=pl.col("sample_id"), view=pl.col("age").cast(pl.Int64) % 5)
    with session_over(groups.with_columns(pl.col("view").cast(pl.String))) as session:
        (found,) = answer(session, "gap_between_subgroups", column_name="view")
    told = groups.filter(label=1).group_by("view").agg(n=pl.len(), k=pl.col("predicted").sum())
    worst, *_, best = told.sort(pl.col("k") / pl.col("n"), "view").iter_rows(named=True)
    assert (found["worst"], found["best"]) == (str(worst["view"]), str(best["view"]))
    wanted = confint_proportions_2indep(
        best["k"], best["n"], worst["k"], worst["n"], method="newcomb", alpha=0.05 / (5 * 4 / 2)
    )
    assert (found["gap_low"], found["gap_high"]) == pytest.approx(wanted)


def test_one_subgroup_has_no_gap(session: Session) -> None:
    """A column of one value, or that is not there, gives no row."""
    assert answer(session, "gap_between_subgroups", column_name="split") == []
    assert answer(session, "gap_between_subgroups", column_name="nope") == []


def test_the_worst_subgroup_of_every_column(session: Session, rows: pl.DataFrame) -> None:
    """By view and sex as counted here, gaps among them, never narrower than statsmodels' Wilson interval.

    Intervals hold together for all subgroups of all columns that are enough patients to take part.
    """
    found = {row["column_name"]: row for row in answer(session, "worst_subgroup")}
    together = 0.05 / number_compared(session)
    for column in ("view", "sex"):
        groups = rows.with_columns(pl.col(column).fill_null("missing")).group_by(column)
        rates = groups.agg(
            rate=pl.col("error").mean(), k=pl.col("error").sum(), n=pl.len(), who=pl.col("patient_id").n_unique()
        )
        worst = rates.sort("rate", column, descending=[True, False]).row(0, named=True)
        told = found[column]
        assert (told["subgroup"], told["rows"], told["patients"]) == (worst[column], worst["n"], worst["who"])
        own = rows.filter(pl.col(column).fill_null("missing") == worst[column])
        low, high = clustered_wilson(own["error"].to_list(), own["patient_id"].to_list(), 1 - together)
        plain_low, plain_high = proportion_confint(worst["k"], worst["n"], alpha=together, method="wilson")
        assert low <= plain_low + 1e-12
        assert high >= plain_high - 1e-12
        assert (told["error_rate"], told["error_rate_low"], told["error_rate_high"]) == (
            pytest.approx(worst["rate"]),
            pytest.approx(low),
            pytest.approx(high),
        )


def test_hidden_subgroups_are_not_among_those_compared(rows: pl.DataFrame) -> None:
    """How wide an interval is tells nothing of subgroups of few patients: only those shown are counted."""
    few = pl.col("patient_id").is_in(rows["patient_id"].unique().sort().head(5).implode())
    groups = rows.with_columns(view=pl.when(few).then(pl.lit("L")).otherwise("view"))
    with session_over(groups) as session:
        (worst,) = [row for row in answer(session, "worst_subgroup") if row["column_name"] == "sex"]
        shown = number_compared(session)
        (every,) = session.query("SELECT count(DISTINCT (column_name, value)) AS n FROM metadata").to_pylist()
    assert shown < every["n"]
    own = groups.filter(pl.col("sex").fill_null("missing") == worst["subgroup"])
    wanted = clustered_wilson(own["error"].to_list(), own["patient_id"].to_list(), 1 - 0.05 / shown)
    assert (worst["error_rate_low"], worst["error_rate_high"]) == pytest.approx(wanted)


def number_compared(session: Session) -> int:
    """How many subgroups rates_by shows the rates of, over all columns of metadata."""
    columns = session.query("SELECT DISTINCT column_name FROM metadata")["column_name"].to_pylist()
    asked = "SELECT count(*) AS n FROM rates_by(metadata_value(sample_id, $name)) WHERE NOT suppressed"
    shown = [session.query(asked, {"name": name})["n"][0].as_py() for name in columns]
    assert min(shown) >= 1
    return sum(shown)


def test_every_combination_of_two_columns(session: Session, rows: pl.DataFrame) -> None:
    """Sex by view: every combination once, missing sex among them, suppressed exactly where patients are few, and the
    next smallest with them until they are not few together."""
    found = answer(session, "intersectional_table", first_column="sex", second_column="view")
    told = rows.with_columns(group=pl.col("sex").fill_null("missing") + ", " + pl.col("view"))
    assert [row["subgroup"] for row in found] == sorted(told["group"].unique())
    hidden: set[str] = set()
    for chosen in (told, told.filter(label=1), told.filter(label=0)):
        together = 0
        for group, n in (
            chosen.group_by("group").agg(pl.col("patient_id").n_unique()).sort("patient_id", "group").rows()
        ):
            hidden |= {group} if 0 < n < 11 or 0 < together < 11 else set()
            together += n
    for row in found:
        own = told.filter(group=row["subgroup"])
        assert row["suppressed"] == (row["subgroup"] in hidden)
        hits = own.filter(label=1)["predicted"].mean()
        assert row["sensitivity"] == (None if row["suppressed"] else pytest.approx(hits))


def test_missing_metadata_is_compared_with_known(session: Session, rows: pl.DataFrame) -> None:
    """Sex alone has gaps; both error rates are those counted here."""
    (found,) = answer(session, "missing_metadata")
    known = rows.filter(pl.col("sex").is_not_null())
    gone = rows.filter(pl.col("sex").is_null())
    assert found == {
        "column_name": "sex",
        "patients_missing": gone["patient_id"].n_unique(),
        "patients_known": known["patient_id"].n_unique(),
        "error_rate_missing": pytest.approx(gone["error"].mean()),
        "error_rate_known": pytest.approx(known["error"].mean()),
    }


def test_small_cells_are_counted_not_shown(session: Session) -> None:
    """A column of patients' own values is all small cells, one of two values has none."""
    found = {row["column_name"]: row for row in answer(session, "small_cells")}
    assert not {"view", "sex", "age", "follow_up"} & found.keys()
    with Session({}) as empty:
        assert answer(empty, "small_cells") == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("gap_between_subgroups", {"column_name": "view"}),
        ("intersectional_table", {"first_column": "sex", "second_column": "view"}),
        ("missing_metadata", {}),
        ("small_cells", {}),
        ("worst_subgroup", {}),
    ],
)
def test_training_rows_take_no_part_in_any_question(rows: pl.DataFrame, name: str, more: dict[str, str]) -> None:
    """Rows of split train, however it is written, all of them wrong, change no answer; of another split they do."""
    known = rows.with_columns(split=pl.lit("test"))
    seen = known.with_columns(
        sample_id="seen " + pl.col("sample_id"), patient_id="seen " + pl.col("patient_id"), score=1.0 - pl.col("label")
    )
    seen = seen.with_columns(view=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit("LL")).otherwise("view"))
    found = {}
    for split in ("train", "Train", " TRAIN\t", "test"):
        with session_over(pl.concat([known, seen.with_columns(split=pl.lit(split))])) as both:
            found[split] = answer(both, name, **more)
    with session_over(known) as alone:
        own = answer(alone, name, **more)
    for split in ("train", "Train", " TRAIN\t"):
        assert found[split] == own, split
    assert found["test"] != found["train"]
