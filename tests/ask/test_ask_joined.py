"""Subgroups asked of several models and targets at once."""

import numpy as np
import polars as pl
import pytest

from misread.discover import q_values
from misread.library import Store
from misread.sql import question
from stores import AGE, VIEW, write_store


@pytest.fixture(scope="module")
def two_models(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """An audit of two models over two targets, each wrong by other metadata."""
    rng = np.random.default_rng(1)
    n = 1600
    films = pl.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(n)],
            "patient_id": [f"p{i // 2}" for i in range(n)],
            "view": rng.choice(["PA", "AP", "L"], n),
            "age": rng.integers(20, 90, n),
        }
    )
    gathers = {
        ("m", "t"): pl.col("view") == "AP",
        ("n", "t"): pl.col("view") == "PA",
        ("m", "u"): pl.col("age") > 60,
        ("n", "u"): (pl.col("view") == "L") & (pl.col("age") < 50),
    }
    predictions = []
    for (model, target), where in gathers.items():
        wrong = pl.Series(rng.random(n)) < films.select(pl.when(where).then(0.6).otherwise(0.1)).to_series()
        label = pl.Series(np.arange(n) % 2)
        rows = films.select("sample_id", model=pl.lit(model), target=pl.lit(target), label=label, threshold=0.5)
        score = pl.Series(np.where(wrong.to_numpy(), 1 - label.to_numpy(), label.to_numpy())).cast(pl.Float64)
        predictions += rows.with_columns(score=score).to_dicts()
    place = tmp_path_factory.mktemp("two") / "store"
    store = write_store(place, films.to_dicts(), predictions, metadata=[VIEW, AGE])
    store.scan().fuse(metadata=["view"]).discover(permutations=0, stability=0).describe().sink()
    return store


def alone(store: Store, model: str, target: str, top: int) -> pl.DataFrame:
    """The subgroups of one model and target in the audit, asked by themselves."""
    (audit,) = store.sql("FROM audits")["audit_id"]
    asked = f"FROM subgroups($model, $target, top := {top}, of_audit := $audit)"
    return store.sql(asked, {"model": model, "target": target, "audit": audit})


@pytest.fixture(scope="module")
def each_alone(two_models: Store) -> dict[tuple[str, str], pl.DataFrame]:
    """The subgroups of every model and target, each asked by itself."""
    return {(model, target): alone(two_models, model, target, 3) for model in ("m", "n") for target in ("t", "u")}


@pytest.mark.slow
@pytest.mark.parametrize("alias", ["a", "samples", "audited", "own", "chosen", "given", "its_row", "its_term", "l"])
def test_a_joined_question_asks_of_each_model_by_itself(
    two_models: Store, each_alone: dict[tuple[str, str], pl.DataFrame], alias: str
) -> None:
    """Joined to a table of any alias, the answers are those of one question a row: no name of the function is
    taken for the caller's."""
    joined = two_models.sql(
        f"SELECT found.* FROM latest_audits AS {alias}, "
        f"subgroups({alias}.model, {alias}.target, top := 3, of_audit := {alias}.audit_id) AS found"
    )
    assert joined.select("model", "target").n_unique() == 4
    for (model, target), found in joined.group_by("model", "target"):
        assert found.sort("rank").equals(each_alone[str(model), str(target)])


def test_every_model_and_target_at_once_is_one_question(
    two_models: Store, each_alone: dict[tuple[str, str], pl.DataFrame]
) -> None:
    """With NULL for both each lists what it lists alone, in the order of names; q-values, and the intervals of what is
    confirmed, are over all of them: fewer can be confirmed than where each is asked by itself."""
    (audit,) = two_models.sql("FROM audits")["audit_id"]
    asked = "FROM subgroups({}, {}, top := 3, of_audit := $audit)"
    every = two_models.sql(asked.format("NULL", "NULL"), {"audit": audit})
    pairs = every.select("model", "target").unique(maintain_order=True).rows()
    assert pairs == [("m", "t"), ("m", "u"), ("n", "t"), ("n", "u")]
    single = pl.concat([each_alone[pair] for pair in pairs])
    corrected = ["q_value", "confirmed", "error_rate_low", "error_rate_high"]
    assert every.drop(corrected).equals(single.drop(corrected))
    assert every["q_value"].to_list() == pytest.approx(q_values(every["p_value"].to_numpy()).tolist())
    assert every["confirmed"].to_list() == (every["q_value"] <= 0.05).to_list()
    confirmed = every["confirmed"]
    assert 0 < confirmed.sum() < every.height
    by_themselves = 1 - 0.05 * confirmed.mean()  # type: ignore[operator]
    for row in every.to_dicts():
        told = two_models.sql(
            """SELECT rate_low(k, n, confidence := $c) AS low, rate_high(k, n, confidence := $c) AS high FROM (
                   SELECT patient_id, count(*) AS n, count(*) FILTER (a.error) AS k
                   FROM audited AS a JOIN images AS i USING (sample_id)
                   JOIN (SELECT sample_id, list(term) AS terms FROM metadata GROUP BY sample_id) USING (sample_id)
                   WHERE a.model = $model AND a.target = $target AND a.half = 'confirmation' AND a.label = $label
                       AND list_has_all(terms, $terms) GROUP BY patient_id)""",
            {name: row[name] for name in ("model", "target", "terms")}
            | {"label": int(row["error_kind"] == "false negative"), "c": by_themselves if row["confirmed"] else 0.95},
        )
        assert (row["error_rate_low"], row["error_rate_high"]) == pytest.approx(told.row(0))
    of_one = two_models.sql(asked.format("'m'", "NULL"), {"audit": audit})
    assert of_one.select("model", "target").unique(maintain_order=True).rows() == pairs[:2]
    without_audit = two_models.subgroups(target="u", top=2)
    assert without_audit.select("model", "target").unique(maintain_order=True).rows() == [("m", "u"), ("n", "u")]


@pytest.mark.slow
def test_unexplained_slices_are_those_that_no_subgroup_of_their_own_model_covers(two_models: Store) -> None:
    """Each slice's best Jaccard index, over the judged rows of its class, with subgroups of its model and target."""
    told = two_models.sql(question("unexplained_slices"))
    slices = two_models.sql("FROM slices")
    members = two_models.sql("FROM memberships")
    audited = two_models.sql("FROM audited WHERE error IS NOT NULL")
    terms = dict(two_models.sql("SELECT sample_id, list(term) AS terms FROM metadata GROUP BY sample_id").iter_rows())
    assert {(row["model"], row["target"]) for row in slices.to_dicts()} >= {("m", "t"), ("n", "t")}
    wanted = []
    for one in slices.to_dicts():
        own = audited.filter(model=one["model"], target=one["target"], label=one["true_class"])["sample_id"].to_list()
        inside = set(members.filter(slice_id=one["slice_id"])["sample_id"]) & set(own)
        found = alone(two_models, one["model"], one["target"], 20).filter(error_kind=one["error_kind"])
        best: tuple[float, int, list[str] | None] = (0.0, 0, None)
        for group in found.to_dicts():
            having = {sample for sample in own if set(group["terms"]) <= set(terms[sample])}
            overlap = len(inside & having) / len(inside | having)
            best = max(best, (overlap, -group["rank"], group["terms"]))
        wanted.append((round(best[0], 2), one["slice_id"], best[2]))
    assert told.select("overlap", "slice_id", "best_subgroup").rows() == sorted(wanted, key=lambda each: each[:2])
