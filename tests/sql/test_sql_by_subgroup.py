"""Slices and rates by subgroup; what is over-represented in a slice."""

from hashlib import md5
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from misread.schemas.errors import QueryError
from misread.sql import question as named_question
from stores import clustered_wilson

if TYPE_CHECKING:
    pass
from audited_rows import Tables, image_of, judged_of, members, opened_over, patient_of, rows_of


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


@pytest.mark.parametrize(("asked", "confidence"), [("sex", 0.95), ("sex, confidence := 0.999", 0.999)])
def test_rates_by_subgroup_leave_training_rows_out(tables: Tables, asked: str, confidence: float) -> None:
    """Counts of every model, target and subgroup, whose split is not train, and whose label is known."""
    found = rows_of(tables, f"FROM rates_by({asked})", allow_small_cells=True)
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
        assert (r["rows"], r["positives"]) == (len(kept), sum(p["label"] for p in kept))
        for name, label in (("sensitivity", 1), ("specificity", 0)):
            own = [p for p in kept if p["label"] == label]
            hits = [(p["score"] >= 0.5) == label for p in own]
            assert r[name] == pytest.approx(np.mean(hits))
            interval = clustered_wilson(hits, [patient_of(tables, p["sample_id"]) for p in own], confidence)
            assert (r[f"{name}_low"], r[f"{name}_high"]) == pytest.approx(interval)
        assert r["suppressed"] is False


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
            values = ", ".join(map(str, [*pairs, (0, 0)]))
            found = session.query(asked.format(*ends, values)).to_pylist()[0]
            assert (found["low"], found["high"]) == pytest.approx(clustered_wilson(events, who))
            surer = (f"{end[:-1]}, confidence := 0.999)" for end in ends)
            wide = session.query(asked.format(*surer, values)).to_pylist()[0]
            assert (wide["low"], wide["high"]) == pytest.approx(clustered_wilson(events, who, 0.999))
            assert (
                found["high"] - found["low"]
                > 1.2 * np.diff(stats.binomtest(sum(events), len(events)).proportion_ci(method="wilson"))[0]
            )
        assert session.query(asked.format(*ends, "(0, 0), (NULL, 3)")).to_pylist() == [{"low": None, "high": None}]
        with pytest.raises(QueryError, match="more events than rows"):
            session.query(asked.format(*ends, "(2, 1)"))
        for confidence in ("0", "1", "95", "NULL", "'nan'::DOUBLE"):
            with pytest.raises(QueryError, match="confidence of an interval"):
                session.query(f"SELECT rate_low(1, 2, confidence := {confidence})")


def test_any_expression_makes_subgroups(tables: Tables) -> None:
    """Expressions over samples, and metadata by its name; a column that is not there is told with the nearest."""
    with opened_over(tables) as session:
        over = session.query("SELECT DISTINCT subgroup FROM rates_by(age >= 60) ORDER BY 1")["subgroup"].to_pylist()
        assert over == ["false", "missing", "true"]
        both = session.query("SELECT DISTINCT subgroup FROM rates_by(metadata_value(sample_id, 'sex'))")
        assert set(both["subgroup"].to_pylist()) == {"F", "M", "missing"}
        with pytest.raises(Exception, match="no column 'sexx' in samples; did you mean 'sex'"):
            session.query("FROM rates_by(sexx)")
