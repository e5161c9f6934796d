"""Audits whose vectors lie on disk."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from misread import spill
from misread.library import Store
from stores import planted_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return planted_store(tmp_path_factory.mktemp("archives") / "store", samples=1_200, per_patient=2)


@pytest.mark.slow
def test_an_audit_from_disk_is_the_audit_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors on disk give the same slices, members and scores as vectors that are held, but for float rounding."""
    frame = (
        store.scan().filter("view = 'PA' OR age > 30").fuse(modalities=["image"]).discover(permutations=19, stability=3)
    )
    held = frame.collect(cache=False)
    monkeypatch.setattr(spill, "HELD_BYTES", 1_000)
    monkeypatch.setattr(spill, "PART_ROWS", 100)
    read = frame.collect(cache=False)
    assert held.height > 50
    assert_frame_equal(held, read, rel_tol=1e-6, abs_tol=1e-6)
    described = frame.describe()
    told = described.collect(cache=False)
    monkeypatch.undo()
    assert_frame_equal(
        told.select(pl.selectors.numeric()), described.collect(cache=False).select(pl.selectors.numeric()), rel_tol=1e-4
    )


def test_fused_vectors_from_disk_are_those_in_memory(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that ends with fused vectors gives the same, wherever they lay."""
    frame = store.scan().fuse()
    held = frame.collect(cache=False)
    monkeypatch.setattr(spill, "HELD_BYTES", 1_000)
    assert_frame_equal(held, frame.collect(cache=False))
