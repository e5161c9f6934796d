"""The nearest row of another patient."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misread.neighbours import apart, nearest_of_others
from misread.subgroups.lattice import unchecked


def by_hand(vectors: np.ndarray, patients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of every row the highest cosine, to six decimals, among rows of others, the lower row where two are equal."""
    wide = vectors.astype(float)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    wide /= np.where(lengths > 0, lengths, 1)
    cosines = np.round(wide @ wide.T, 6)
    cosines[patients[:, None] == patients[None]] = -np.inf
    best = cosines.max(axis=1)
    return np.where(np.isinf(best), -1, cosines.argmax(axis=1)), np.where(np.isinf(best), np.nan, best)


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 6), st.integers(1, 20), st.integers(1, 7))
def test_it_is_that_of_every_cosine(seed: int, rows: int, dimension: int, people: int, at_once: int) -> None:
    """However many are compared at once; rows repeat, some are zero, and a patient has any number of rows."""
    generator = np.random.default_rng(seed)
    vectors = generator.standard_normal((rows, dimension)).astype(np.float32)
    vectors = vectors[generator.integers(0, rows, rows)] * (generator.random((rows, 1)) < 0.95)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    patients = np.sort(generator.integers(0, people, rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "_AT_ONCE", at_once * rows)
        others, cosines = nearest_of_others(vectors, patients, unchecked)
    wanted, nearness = by_hand(vectors, patients)
    assert np.array_equal(others, wanted)
    assert np.allclose(cosines, nearness, rtol=0, atol=1e-12, equal_nan=True)


def test_single_precision_decides_nothing() -> None:
    """Of rows as near to six decimals the lower one is told, whatever sums in single precision make of them."""
    generator = np.random.default_rng(0)
    vectors = np.tile(generator.standard_normal((60, 300)), (4, 1)) + 1e-6 * generator.standard_normal((240, 300))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    others, _ = nearest_of_others(vectors, np.arange(240), unchecked)
    assert np.array_equal(others, by_hand(vectors, np.arange(240))[0])


def test_work_is_stopped_between_lots() -> None:
    """`check` is asked before each lot."""

    def stop() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        nearest_of_others(np.eye(3, dtype=np.float32), np.arange(3), stop)
    assert nearest_of_others(np.zeros((0, 3), np.float32), np.zeros(0, np.intp), stop)[0].tolist() == []
