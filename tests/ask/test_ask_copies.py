"""Samples that may be one image under two patients."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from misread.cli.main import app
from misread.library import Store
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
