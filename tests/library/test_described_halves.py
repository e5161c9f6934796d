"""What tells a slice is chosen on the discovery half, and what is said of it comes from the other one alone."""

from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import misread as mr
from misread.audit.halves import half_of
from misread.execute.evidence import phrase_evidence
from misread.library import Store
from misread.schemas.values import CONFIRMATION, DISCOVERY
from stores import write_store

ALWAYS, EARLY, LATE = "always", "early", "late"
SAYS = {ALWAYS: "Alpha is seen.", EARLY: "Beta is seen.", LATE: "Gamma is seen."}
"""What goes with the slice in both halves, in the discovery half, in the confirmation half; elsewhere by chance."""

DOSE = pa.field("dose", pa.float64())
OTHERS = ("Heart", "Hila", "Pleura", "Ribs")


def halved_store(location: Path, columns: tuple[str, ...], samples: int = 1200) -> Store:
    """Missed positives lie apart; `columns`, and the reports, go with them in one half, in the other, or in both.

    `dose` is high in the slice, and a hundred times as high in the confirmation half.
    """
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((samples, 10))
    group = rng.random(samples) < 0.3
    vectors[group, 0] += 6.0
    images, predictions, reports = [], [], []
    for row in range(samples):
        sample, patient = f"s{row:04d}", f"p{row}"
        half = half_of(patient, 0)
        goes = {ALWAYS: True, EARLY: half == DISCOVERY, LATE: half == CONFIRMATION}
        has = {
            name: bool(group[row]) if goes[name] and rng.random() < 0.9 else rng.random() < 0.3
            for name in columns
            if name in SAYS
        }
        label = int(rng.random() < 0.6)
        wrong = rng.random() < (0.8 if label and group[row] else 0.08)
        image = {"sample_id": sample, "patient_id": patient} | {k: "yes" if v else "no" for k, v in has.items()}
        dose = (1 + group[row] + rng.random()) * (1 if half == DISCOVERY else 100)
        images.append(image | {"dose": float(dose)})
        score = 0.9 if bool(label) != wrong else 0.1
        predictions.append(
            {"sample_id": sample, "model": "m", "target": "t", "label": label, "score": score, "threshold": 0.5}
        )
        said = " ".join([SAYS[name] for name in columns if has.get(name)] + [f"{rng.choice(OTHERS)} as before."])
        reports.append({"sample_id": sample, "report": f"{said} Film {row}."})
    vector_of = {f"s{row:04d}": vectors[row] for row in range(samples)}
    metadata = [pa.field(name, pa.string()) for name in columns if name in SAYS] + (
        [DOSE] if DOSE.name in columns else []
    )
    store = write_store(location, images, predictions, vectors=vector_of, reports=reports, metadata=metadata)
    store.scan().fuse(modalities=["image"]).discover(permutations=0, stability=0, most=1).describe().sink()
    return mr.open(store.location)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """What goes with the slice in one half does not in the other."""
    return halved_store(tmp_path_factory.mktemp("turned") / "store", (EARLY, LATE))


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """It does in both."""
    return halved_store(tmp_path_factory.mktemp("lasting") / "store", (ALWAYS,))


def missed(store: Store) -> str:
    return store.sql("SELECT slice_id FROM slices WHERE true_class = 1").item()  # type: ignore[no-any-return]


def rows_of(store: Store) -> pl.DataFrame:
    """The rows of the slice's class, with `inside`, their images and reports."""
    return store.sql(
        """SELECT a.sample_id, a.half, i.*, r.report, m.sample_id IS NOT NULL AS inside
           FROM slices s JOIN audited a USING (audit_id, model, target) JOIN images i USING (sample_id)
           JOIN reports r ON r.sample_id = a.sample_id
           LEFT JOIN memberships m ON m.slice_id = s.slice_id AND m.sample_id = a.sample_id
           WHERE s.slice_id = $id AND a.label = s.true_class ORDER BY a.sample_id""",
        {"id": missed(store)},
    )


def words_of(store: Store) -> dict[str, dict[str, object]]:
    rows = store.sql("FROM contrast_words WHERE slice_id = $id", {"id": missed(store)})
    return {row["word"]: row for row in rows.iter_rows(named=True)}


def phrases_of(store: Store) -> dict[str, dict[str, object]]:
    rows = store.sql("FROM phrases WHERE slice_id = $id", {"id": missed(store)})
    return {row["phrase"]: row for row in rows.iter_rows(named=True)}


def test_words_are_chosen_on_the_discovery_half_and_counted_on_the_other(turned: Store) -> None:
    """A word that goes with the slice in the discovery half alone is told, and told to be unsure; no other is."""
    words = words_of(turned)
    assert not any("gamma" in word for word in words)
    held = rows_of(turned).filter(half=CONFIRMATION)
    says = held["report"].str.contains("Beta")
    told = words["beta"]
    assert told["count_inside"] == (says & held["inside"]).sum()
    assert told["count_outside"] == (says & ~held["inside"]).sum()
    assert told["q_value"] > 0.05  # type: ignore[operator]


def test_the_evidence_of_a_word_is_that_of_held_out_reports(lasting: Store) -> None:
    """Counted by hand in the confirmation half; and it is sure."""
    told = words_of(lasting)["alpha"]
    held = rows_of(lasting).filter(half=CONFIRMATION)
    says = held["report"].str.contains("Alpha")
    assert (told["count_inside"], told["count_outside"]) == (
        (says & held["inside"]).sum(),
        (says & ~held["inside"]).sum(),
    )
    assert told["q_value"] < 0.001  # type: ignore[operator]


@pytest.mark.parametrize("source", ["report", "metadata"])
def test_phrases_are_chosen_on_the_discovery_half_and_tested_on_the_other(
    turned: Store, lasting: Store, source: str
) -> None:
    """So for what reports say and for values of metadata; the evidence is that of held-out rows, by hand."""
    names = {"report": ("beta", "gamma", "alpha"), "metadata": ("early = yes", "late = yes", "always = yes")}[source]
    early, late, always = names
    phrases = phrases_of(turned)
    assert not any(late in phrase for phrase in phrases)
    for store, phrase in ((turned, early), (lasting, always)):
        told = phrases_of(store)[phrase]
        assert told["source"] == source
        held = rows_of(store).filter(half=CONFIRMATION)
        has = (
            held["report"].str.contains(phrase.capitalize()) if source == "report" else held[phrase.split()[0]] == "yes"
        )
        patients = held["patient_id"].rank("dense").to_numpy().astype(int)
        expected = phrase_evidence(has.to_numpy(), held["inside"].to_numpy(), patients)
        assert {name: told[name] for name in expected} == pytest.approx(expected)
        assert (told["q_value"] < 0.001) is (phrase == always)  # type: ignore[operator]


def test_a_rule_is_that_of_the_discovery_half_where_the_other_bears_it_out(turned: Store, lasting: Store) -> None:
    """What holds in the discovery half alone is no rule; a rule's precision and recall are those of held-out rows."""
    columns = "SELECT rule, rule_precision, rule_recall, rule_fewest_patients AS fewest, sentence FROM slices"
    columns += " WHERE slice_id = $id"
    (row,) = turned.sql(columns, {"id": missed(turned)}).to_dicts()
    assert (row["rule"], row["rule_precision"], row["rule_recall"]) == (None, None, None)
    assert "early" not in row["sentence"]
    (row,) = lasting.sql(columns, {"id": missed(lasting)}).to_dicts()
    held = rows_of(lasting).filter(half=CONFIRMATION)
    takes, inside = held["always"] == "yes", held["inside"]
    assert row["rule"] == "always = yes"
    assert row["rule_precision"] == pytest.approx((takes & inside).sum() / takes.sum())
    assert row["rule_recall"] == pytest.approx((takes & inside).sum() / inside.sum())
    assert "always = yes" in row["sentence"]
    people = [held.filter(a & b)["patient_id"].n_unique() for a in (takes, ~takes) for b in (inside, ~inside)]
    assert row["fewest"] == min(filter(None, people))


def test_the_quarters_of_numbers_are_those_of_the_discovery_half(tmp_path: Path) -> None:
    """A number that goes with the slice is told by edges that the confirmation half has no part in."""
    store = halved_store(tmp_path / "store", (ALWAYS, DOSE.name))
    samples = store.sql("SELECT dose FROM images JOIN audited USING (sample_id) WHERE half = 'discovery'")
    edge = np.quantile(samples["dose"].to_numpy(), 0.75)
    assert f"dose {edge:g} or more" in phrases_of(store)
