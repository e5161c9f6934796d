"""Samples that may be one image under two patients."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from misread.ask import copies
from misread.cli.main import app
from misread.library import Store
from misread.neighbours import may_be_near, nearest_of_others
from misread.principal import unit
from misread.schemas.errors import QueryError, UnknownNameError
from stores import write_store

DATA = Path(__file__).parents[3] / "shared" / "data" / "covid-cxr"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """60 patients of two samples; one of p10's is nearly one of p40's, p20's two are nearly the same, two have none."""
    rng = np.random.default_rng(0)
    vectors = {f"s{i:03d}": rng.standard_normal(32) for i in range(120)}
    vectors["s081"] = vectors["s020"] + 0.05 * rng.standard_normal(32)
    vectors["s041"] = vectors["s040"] + 0.01 * rng.standard_normal(32)
    vectors["s119"] = 3 * vectors["s118"]
    images = [{"sample_id": s, "patient_id": f"p{i // 2:02d}" if i < 118 else None} for i, s in enumerate(vectors)]
    images.append({"sample_id": "without a vector", "patient_id": "p01"})
    return write_store(tmp_path_factory.mktemp("copies") / "store", images, [], vectors=vectors)


def test_copies_under_two_patients_are_told_and_no_others(store: Store) -> None:
    """Nearly the same, or only longer; of one patient they are no copies, and a sample without one stands alone."""
    found = store.sql("FROM likely_copies()")
    assert found["sample_id"].to_list() == ["s118", "s119", "s020", "s081"]
    assert found["other_sample_id"].to_list() == ["s119", "s118", "s081", "s020"]
    assert found["similarity"].to_list()[:2] == [1.0, 1.0]
    assert found["distance_ratio"].to_list()[:2] == [0.0, 0.0]


def test_the_ratio_is_to_the_usual_distance(store: Store) -> None:
    """Of every sample with a vector, over the median of all; `at_most` takes those up to it."""
    every = store.sql("FROM likely_copies(at_most := 'inf'::DOUBLE)")
    assert every.height == 120
    distances = (2 - 2 * every["similarity"]).clip(0).sqrt()
    assert every["distance_ratio"].to_list() == pytest.approx((distances / distances.median()).to_list())
    assert every["distance_ratio"].median() == pytest.approx(1.0)
    assert every.rows() == sorted(every.rows(), key=lambda row: (row[3], row[0]))
    some = store.sql("FROM likely_copies(at_most := 0.95)")
    assert some.equals(every.filter(pl.col("distance_ratio") <= 0.95))
    assert 4 < some.height < 120


def test_what_cannot_be_asked_is_told(store: Store, tmp_path: Path) -> None:
    """Vectors that there are not, and a share that is none."""
    with pytest.raises(UnknownNameError, match="no vectors 'report'"):
        store.sql("FROM likely_copies(vectors := 'report')")
    for ratio in ("-0.1", "NULL", "'nan'::DOUBLE"):
        with pytest.raises(QueryError, match="at_most is"):
            store.sql(f"FROM likely_copies(at_most := {ratio})")
    alone = {"a": np.ones(3), "b": np.ones(3)}
    images = [{"sample_id": name, "patient_id": "p"} for name in alone]
    assert write_store(tmp_path / "one", images, [], vectors=alone).sql("FROM likely_copies()").height == 0


def many(seed: int) -> tuple[dict[str, np.ndarray], dict[str, str | None]]:
    """600 samples of some 250 patients: vectors that repeat exactly, nearly or longer, or are zero; some of nobody."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((600, 48)) / np.sqrt(1 + np.arange(48))
    for share, change in ((40, 0.0), (40, 0.02), (40, 0.1), (40, 0.3)):
        vectors[rng.integers(0, 600, share)] = vectors[rng.integers(0, 600, share)] + change * unit(
            rng.standard_normal((share, 48))
        )
    vectors[rng.integers(0, 600, 3)] = 0
    vectors *= rng.uniform(0.5, 2, (600, 1))
    owners = rng.integers(0, 250, 600).tolist()
    names = [f"s{number:04d}" for number in rng.permutation(600)]
    people = {name: None if owner > 240 else f"p{owner}" for name, owner in zip(names, owners, strict=True)}
    return dict(zip(names, vectors, strict=True)), people


def by_hand(vectors: dict[str, np.ndarray], people: dict[str, str | None]) -> dict[str, float]:
    """Of every sample the highest cosine with one of another patient."""
    whose = np.array([people[name] or name for name in vectors])
    wide = unit(np.stack([vector.astype(np.float32) for vector in vectors.values()]))
    cosines = np.where(whose[:, None] == whose, -np.inf, wide @ wide.T)
    return dict(zip(vectors, cosines.max(axis=1).tolist(), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_bounds_and_a_sample_change_no_answer(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more samples than are sampled the same are told as by comparing every two, in whatever order they lie."""
    vectors, people = many(seed)
    images = [{"sample_id": name, "patient_id": patient} for name, patient in people.items()]
    store = write_store(tmp_path / "one", images, [], vectors=vectors)
    turned = write_store(tmp_path / "two", images[::-1], [], vectors=dict(reversed(vectors.items())))

    def asked(of: Store, ratio: float) -> pl.DataFrame:
        return of.sql(f"FROM likely_copies(at_most := {ratio})")

    every = asked(store, 3)
    wanted = by_hand(vectors, people)
    assert every["similarity"].to_list() == pytest.approx([wanted[name] for name in every["sample_id"]], abs=2e-6)
    distances = (2 - 2 * every["similarity"]).clip(0).sqrt()

    monkeypatch.setattr(copies, "SAMPLED", 400)
    kept: list[np.ndarray] = []
    monkeypatch.setattr(copies, "may_be_near", lambda *given: kept.append(may_be_near(*given)) or kept[-1])
    usual = (distances / asked(store, 3)["distance_ratio"]).drop_nans()
    assert usual.to_list() == pytest.approx([usual[0]] * len(usual), rel=1e-12)
    assert distances.median() != usual[0] == pytest.approx(distances.median(), rel=0.05)
    every = every.with_columns(distance_ratio=distances / usual[0])
    for ratio in (0.0, 0.2, 0.5, 0.79, 1.0, 3.0):
        found = asked(store, ratio)
        assert found.drop("distance_ratio").equals(
            every.filter(pl.col("distance_ratio") <= ratio).drop("distance_ratio")
        )
        assert found.equals(asked(turned, ratio))
        assert found.rows() == sorted(found.rows(), key=lambda row: (row[3], row[0]))
        assert found.height > 0
    assert len(kept) == 8
    assert max(there.mean() for there in kept[:2]) < 0.3


@pytest.mark.parametrize("most", [90, 250, 599])
@pytest.mark.parametrize("sampled", [400, 1024])
def test_a_tile_of_vectors_at_a_time_changes_no_answer(
    most: int, sampled: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few vectors are held, the same samples are told as of all at once, in whatever order they lie; and no
    more are held."""
    vectors, people = many(9)
    images = [{"sample_id": name, "patient_id": patient} for name, patient in people.items()]
    store = write_store(tmp_path / "one", images, [], vectors=vectors)
    turned = write_store(tmp_path / "two", images[::-1], [], vectors=dict(reversed(vectors.items())))
    monkeypatch.setattr(copies, "SAMPLED", sampled)
    ratios = (0.5, 0.8, 3.0)
    whole = [store.sql(f"FROM likely_copies(at_most := {ratio})") for ratio in ratios]
    assert [found.height > 0 for found in whole] == [True] * len(ratios)

    monkeypatch.setattr(copies, "TILE_BYTES", most * 48 * 4)
    held: list[int] = []

    def watched(*given: Any) -> Any:
        if len(given[0]) != sampled:
            held.extend((len(given[0]), len(given[2])))
        return nearest_of_others(*given)

    monkeypatch.setattr(copies, "nearest_of_others", watched)
    for ratio, expected in zip(ratios, whole, strict=True):
        assert store.sql(f"FROM likely_copies(at_most := {ratio})").equals(expected)
        assert turned.sql(f"FROM likely_copies(at_most := {ratio})").equals(expected)
    assert max(held) == most


def test_the_sample_is_of_all_patients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first third by name lies close together and the others do not, these tell what is usual."""
    rng = np.random.default_rng(0)
    spread = np.where(np.arange(300) < 100, 0.02, 1.0)[:, None] * rng.standard_normal((300, 30))
    vectors = {f"s{number:03d}": vector for number, vector in enumerate(spread + np.eye(30)[0])}
    images = [{"sample_id": name, "patient_id": f"p{name}"} for name in vectors]
    store = write_store(tmp_path / "store", images, [], vectors=vectors)
    query = "SELECT max(distance_ratio) FROM likely_copies(at_most := 9)"
    whole = store.sql(query).item()
    monkeypatch.setattr(copies, "SAMPLED", 100)
    assert store.sql(query).item() == pytest.approx(whole, rel=0.1)


@pytest.mark.skipif(not DATA.exists(), reason="needs the real chest films")
def test_one_case_that_two_sites_published_is_found(tmp_path: Path) -> None:
    """Four films of one patient stand among the real ones twice, saved anew, under two patients of two sources."""
    place = str(tmp_path / "covid")
    for command in (["ingest", place, "--metadata", str(DATA / "metadata.csv")], ["embed", place]):
        ended = CliRunner().invoke(app, command)
        assert ended.exit_code == 0, ended.stderr
    found = Store.open(place).sql(
        "SELECT DISTINCT least(sample_id, other_sample_id) AS a FROM likely_copies() ORDER BY a"
    )
    assert found["a"].to_list() == ["covid_0186", "covid_0187", "covid_0188", "covid_0189"]
