"""The nearest row of another patient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.neighbours import apart, bounds, leading_directions, may_be_near, nearest_of_others, projected
from misread.principal import unit
from misread.subgroups.lattice import unchecked


def by_hand(vectors: np.ndarray, patients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every row the highest cosine, to six decimals, among rows of others, the lower row where two are equal."""
    wide = unit(vectors)
    cosines = np.round(wide @ wide.T, 6)
    cosines[patients[:, None] == patients[None]] = -np.inf
    best = cosines.max(axis=1)
    return np.where(np.isinf(best), -1, cosines.argmax(axis=1)), np.where(np.isinf(best), np.nan, best)


def made(generator: np.random.Generator, rows: int, dimension: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of length 1, of which some repeat, exactly or nearly, and some are zero; any number of a patient."""
    vectors = generator.standard_normal((rows, dimension))
    vectors = vectors[generator.integers(0, rows, rows)] * (generator.random((rows, 1)) < 0.95)
    vectors += 0.03 * generator.standard_normal((rows, dimension)) * (generator.random((rows, 1)) < 0.2)
    return unit(vectors).astype(np.float32), np.sort(generator.integers(0, people, rows))


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 6), st.integers(1, 20), st.integers(1, 7))
def test_it_is_that_of_every_cosine(seed: int, rows: int, dimension: int, people: int, at_once: int) -> None:
    """However many are compared at once; rows repeat, some are zero, and a patient has any number of rows."""
    generator = np.random.default_rng(seed)
    vectors, patients = made(generator, rows, dimension, people)
    asked = generator.permutation(rows)[: generator.integers(1, rows + 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "_AT_ONCE", at_once * rows)
        others, cosines = nearest_of_others(vectors[asked], patients[asked], vectors, patients, unchecked)
    wanted, nearness = by_hand(vectors, patients)
    assert np.array_equal(others, wanted[asked])
    assert np.allclose(cosines, nearness[asked], rtol=0, atol=1e-12, equal_nan=True)


def test_single_precision_decides_nothing() -> None:
    """Of rows as near to six decimals the lower one is told, whatever sums in single precision make of them."""
    generator = np.random.default_rng(0)
    vectors = np.tile(generator.standard_normal((60, 300)), (4, 1)) + 1e-6 * generator.standard_normal((240, 300))
    vectors = unit(vectors).astype(np.float32)
    others, _ = nearest_of_others(vectors, np.arange(240), vectors, np.arange(240), unchecked)
    assert np.array_equal(others, by_hand(vectors, np.arange(240))[0])


def test_the_nearest_of_many_that_are_all_alike_is_found() -> None:
    """Where all point the same way, so that single precision leaves hundreds open, the nearest are looked at first."""
    generator = np.random.default_rng(0)
    vectors = 1 + 0.01 * generator.standard_normal((400, 300))
    vectors[399] = vectors[0] + 0.002 * generator.standard_normal(300)
    vectors = unit(vectors).astype(np.float32)
    others, _ = nearest_of_others(vectors, np.arange(400), vectors, np.arange(400), unchecked)
    assert np.array_equal(others, by_hand(vectors, np.arange(400))[0])
    equal = np.repeat(vectors[:1], 200, axis=0)
    others, _ = nearest_of_others(equal, np.arange(200), equal, np.arange(200), unchecked)
    assert others.tolist() == [1, *[0] * 199]


@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.integers(1, 9),
    st.integers(1, 20),
    st.floats(-1, 1),
    st.integers(0, 4),
)
def test_no_near_row_is_ruled_out(
    seed: int, rows: int, dimension: int, people: int, least: float, directions: int
) -> None:
    """Whoever is as near to another patient's row as asked stays, by whatever directions and in whatever tiles."""
    generator = np.random.default_rng(seed)
    vectors, patients = made(generator, rows, dimension, people)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("DIRECTIONS", directions), ("_FIRST", 2), ("_TILE", (7, 5)), ("_PAIRS", 3)):
            patch.setattr(bounds, name, value)
        patch.setattr(bounds, "_MANY", generator.choice([0.0, 0.2, 1.0]))
        few = projected(vectors.astype(np.float64), leading_directions(vectors[: rows // 2 + 1].astype(np.float64)))
        kept = may_be_near(few, patients, least, unchecked)
    near = by_hand(vectors, patients)[1] >= least
    assert not (near & ~kept).any()
    assert not kept.any() or len(set(patients[kept].tolist())) > 1


def test_rows_far_from_all_others_are_ruled_out() -> None:
    """Of vectors in many directions, by few of them, all but the near ones; the copies of one patient do not count."""
    generator = np.random.default_rng(0)
    vectors = generator.standard_normal((3000, 400)) / np.sqrt(1 + np.arange(400))
    vectors[2000] = vectors[10] + 0.05 * vectors[11]
    vectors[21] = vectors[20]
    vectors = unit(vectors)
    few = projected(vectors, leading_directions(vectors[::4]))
    assert few.shape == (3000, 129)
    patients = np.arange(3000) - (np.arange(3000) > 20)
    assert np.flatnonzero(may_be_near(few, patients, 0.98, unchecked)).tolist() == [10, 2000]


def test_bounds_of_nothing() -> None:
    """No rows, zeros alone, and one direction."""
    assert may_be_near(np.zeros((0, 3), np.float32), np.zeros(0, np.intp), 0.5, unchecked).tolist() == []
    zeros = np.zeros((3, 5))
    few = projected(zeros, leading_directions(zeros))
    assert few.tolist() == [[0.0], [0.0], [0.0]]
    assert may_be_near(few, np.arange(3), 0.5, unchecked).tolist() == [False] * 3
    assert may_be_near(few, np.arange(3), 0.0, unchecked).tolist() == [True] * 3
    assert projected(np.ones((2, 1)), leading_directions(np.ones((2, 1)))).tolist() == [[1.0, 0.0]] * 2


def test_work_is_stopped_between_lots() -> None:
    """`check` is asked before each lot."""

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        nearest_of_others(np.eye(3, dtype=np.float32), np.arange(3), np.eye(3, dtype=np.float32), np.arange(3), stop)
    with pytest.raises(TimeoutError):
        may_be_near(np.eye(3, dtype=np.float32), np.arange(3), 0.5, stop)
    none, nobody = np.zeros((0, 3), np.float32), np.zeros(0, np.intp)
    assert nearest_of_others(none, nobody, none, nobody, stop)[0].tolist() == []
