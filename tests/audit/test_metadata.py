"""Metadata as vectors."""

import json
from datetime import date

import numpy as np
import polars as pl
import pytest

from misread.metadata import MetadataFeatures, choose_columns, fit_features
from misread.schemas.errors import UnknownNameError


def rows() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "view": ["PA", "AP", None, "PA"],
            "age": [20, None, 60, 40],
            "when": [date(2020, 1, 1), None, date(2020, 1, 3), date(2020, 1, 2)],
            "same": ["x"] * 4,
            "ratio": [0.5, float("nan"), float("inf"), 1.5],
        }
    )


def test_values_become_numbers_with_an_indicator_of_missing_ones() -> None:
    """One-hot in the order of the categories, numbers standardised, and a column that says "missing"."""
    features = fit_features(rows(), ["age", "view"])
    matrix = features.transform(rows())
    assert matrix[:, 0] == pytest.approx([-20 / np.std([20, 60, 40]), 0, 20 / np.std([20, 60, 40]), 0])
    assert matrix[:, 1].tolist() == [0, 1, 0, 0]
    assert matrix[:, 2:].tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]


def test_features_are_always_finite_and_survive_json() -> None:
    """NaN and infinity count as missing; a fitted set written down and read back gives the same numbers."""
    features = fit_features(rows(), rows().columns)
    again = MetadataFeatures.from_dicts(json.loads(json.dumps(features.to_dicts())))
    assert np.isfinite(features.transform(rows())).all()
    assert (again.transform(rows()) == features.transform(rows())).all()
    assert "same" not in [feature.column for feature in features.features]


@pytest.mark.parametrize("unit", [1.6e308, 2e307, 1e-307, 1e-320])
def test_numbers_may_be_as_large_or_small_as_there_are(unit: float) -> None:
    """The largest float64 stands for a missing value in some tables; its squares, sums and differences overflow."""
    values = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], 60, p=[0.1, 0.1, 0.8]) * unit
    frame = pl.DataFrame({"number": values})
    found = fit_features(frame, ["number"]).transform(frame)[:, 0]
    smallest = pl.DataFrame({"number": [0.0, 5e-324]})
    assert np.isfinite(fit_features(smallest, ["number"]).transform(smallest)).all()
    assert np.abs(found).max() < 10
    assert (np.sign(found - found[:, None]) == np.sign(values / unit - (values / unit)[:, None])).all()


@pytest.mark.parametrize("value", [0.1, 0.3, 2.7])
def test_one_number_and_gaps_do_not_vary(value: float) -> None:
    """What rounding makes of the deviation of equal numbers is none: another number met later would be 10^16."""
    column = pl.Series([value] * 1000 + [None])
    (feature,) = fit_features(pl.DataFrame({"number": column}), ["number"]).features
    assert (feature.mean, feature.deviation) == (value, 1.0)


def test_never_seen_values_are_zeros() -> None:
    """A category first met after the fit is neither an error nor a known one."""
    features = fit_features(rows(), ["view"])
    assert features.transform(pl.DataFrame({"view": ["LATERAL"]})).tolist() == [[0, 0, 0]]


def labelled(n: int = 200) -> tuple[pl.DataFrame, dict[str, pl.Series]]:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, n)
    frame = pl.DataFrame(
        {
            "site": [f"site{value * 3 + rng.integers(3)}" for value in label],
            "view": rng.choice(["PA", "AP"], n),
            "findings": rng.choice(["a", "b"], n),
            "Effusion": rng.integers(0, 2, n),
            "notes": [f"text {i}" for i in range(n)],
            "age": rng.integers(20, 90, n),
            "hint": [f"h{value if rng.random() < 0.9 else 1 - value}" for value in label],
        }
    )
    return frame, {"effusion": pl.Series(label)}


def test_columns_that_give_the_label_away_are_left_out_by_name() -> None:
    """A column that determines the label, names it, or holds over 50 categories is left out, with the reason."""
    frame, labels = labelled()
    columns, left_out = choose_columns(frame, labels, None)
    assert columns == ["age", "hint", "view"]
    assert left_out["site"] == "determines the label"
    assert left_out["Effusion"] == left_out["findings"] == "names the label"
    assert left_out["notes"].startswith("holds 200 categories")


def test_columns_asked_for_are_taken() -> None:
    """Naming columns overrides every rule; a name that does not exist is an error with the names that do."""
    frame, labels = labelled()
    assert choose_columns(frame, labels, ["site"]) == (["site"], {})
    with pytest.raises(UnknownNameError, match="did you mean 'view'"):
        choose_columns(frame, labels, ["veiw"])
