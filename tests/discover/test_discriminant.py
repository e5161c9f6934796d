"""What tells two groups apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from misread.discover.discriminant import ClassModel, Moments, Shape, discriminant, fit_class_model, probability


def groups(seed: int, n: int = 300, k: int = 6, share: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """Rows of uneven variances, and which of them are of the group, which is shifted along every axis."""
    rng = np.random.default_rng(seed)
    member = np.arange(n) < share * n
    return rng.standard_normal((n, k)) * np.arange(1, k + 1) + member[:, None] * 1.5, member


@given(st.integers(0, 1000), st.floats(0.02, 0.98))
def test_discriminant_is_balanced_ridge_regression(seed: int, share: float) -> None:
    """Worked out from sums, it is the direction that scikit-learn's ridge finds with both groups weighing the same."""
    rows, member = groups(seed, 120, 4, share)
    weights = np.where(member, 0.5 / member.mean(), 0.5 / (1 - member.mean()))
    fitted = Ridge(alpha=400).fit(rows, np.where(member, 1.0, -1.0), sample_weight=weights).coef_
    found = discriminant(Moments.of(rows[member]), Moments.of(rows[~member]))
    assert found == pytest.approx(fitted / np.linalg.norm(fitted), abs=1e-8)


def test_moments_of_parts_are_those_of_the_whole() -> None:
    """Sums over parts add up, and a part taken away leaves the others."""
    rows, _ = groups(0)
    whole, one, two = Moments.of(rows), Moments.of(rows[:70]), Moments.of(rows[70:])
    for found in (one + two, whole):
        assert found.rows == 300
        assert found.total == pytest.approx(rows.sum(axis=0))
        assert found.squares == pytest.approx(rows.T @ rows)
    assert (whole - one).mean == pytest.approx(rows[70:].mean(axis=0))


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (0, 0)])
def test_a_group_without_rows_gives_no_direction(sizes: tuple[int, int]) -> None:
    """Nothing to compare with is zeros, never NaN."""
    one, other = (Moments.of(np.ones((size, 3))) for size in sizes)
    assert discriminant(one, other).tolist() == [0.0, 0.0, 0.0]


def test_moments_of_groups_are_those_of_their_rows() -> None:
    """One reading gives every group's; rows of no group are in none."""
    rows, _ = groups(0)
    number = np.arange(300) % 4 - 1
    found = Moments.by_group(rows, number, 3)
    for group, one in enumerate(found):
        mine = Moments.of(rows[number == group])
        assert (one.rows, one.total.tolist()) == (mine.rows, mine.total.tolist())
        assert one.squares == pytest.approx(mine.squares)


def test_a_shape_evens_variances_out_part_of_the_way() -> None:
    """Principal axes stay apart; a variance v of mean 1 becomes v^.2; the way back is the way back."""
    rows = 3.0 + np.random.default_rng(1).standard_normal((500, 5)) * [5, 3, 2, 1, 0.5]
    shape = Shape.of(Moments.of(rows))
    shaped = shape.rows(rows)
    values = np.linalg.eigvalsh(np.cov(rows.T, bias=True))
    assert shape.variances == pytest.approx(values.mean() * (values / values.mean()) ** 0.2)
    assert np.cov(shaped.T, bias=True) == pytest.approx(np.diag(shape.variances), abs=1e-9)
    assert shaped @ shape.back + shape.center == pytest.approx(rows)
    assert (np.abs(shape.turn).argmax(axis=0) == np.argmax(shape.turn, axis=0)).all()


def test_a_discriminant_of_shaped_rows_needs_their_moments_alone() -> None:
    """Told from the moments of the rows as they were, it is that of the shaped rows."""
    rows, member = groups(4)
    one, other = Moments.of(rows[member]), Moments.of(rows[~member])
    shape = Shape.of(one + other)
    shaped = shape.rows(rows)
    expected = discriminant(Moments.of(shaped[member]), Moments.of(shaped[~member]))
    assert shape.discriminant(one, other) == pytest.approx(expected, abs=1e-9)


def test_probabilities_of_a_class_are_its_shares() -> None:
    """Among fresh rows given about the same probability, that share is of the class; the other class has the rest."""
    rows, member = groups(2, 4000)
    model = fit_class_model(rows[::2][member[::2]], rows[::2][~member[::2]])
    likely = model.probability(rows[1::2])
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        among = (likely > low) & (likely <= high)
        assert among.sum() > 50
        assert member[1::2][among].mean() == pytest.approx(likely[among].mean(), abs=0.08)
    assert model.other.probability(rows) == pytest.approx(1 - model.probability(rows))


@pytest.mark.parametrize("case", ["one class", "no class", "equal rows", "no rows"])
def test_nothing_to_tell_classes_by_is_one_half_everywhere(case: str) -> None:
    """Where classes cannot be told apart, every row is as likely of the class as not, and nothing fails."""
    rows, member = groups(3, 50)
    if case == "equal rows":
        rows = np.ones_like(rows)
    kept = 0 if case == "no rows" else 50
    member = member if "rows" in case else np.full(50, case == "one class")
    rows, member = rows[:kept], member[:kept]
    model = fit_class_model(rows[member], rows[~member])
    assert model.probability(rows) == pytest.approx(0.5)


def test_probabilities_do_not_overflow() -> None:
    """Odds beyond any float's exponential are certainties."""
    assert probability(np.array([-1e6, 0.0, 1e6])).tolist() == [0.0, 0.5, 1.0]
    assert ClassModel(np.full(2, 1e8), 0.0).probability(np.ones((2, 2)) * [[1], [-1]]).tolist() == [1.0, 0.0]
