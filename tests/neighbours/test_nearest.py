"""Nearest neighbours behind one function."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misread.neighbours import WAYS, Way, choose, chosen_way, exact, nearest, settle, tiles
from misread.schemas.errors import MisreadError, UnknownNameError
from misread.spill import Spilled

CERTAIN: tuple[Way, ...] = ("exact", "tiles")


def by_hand(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Every row sorted by (distance, number) of all others."""
    squares = np.square(vectors[:, None] - vectors[None]).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    rows = np.argsort(squares, axis=1, kind="stable")[:, : min(count, max(len(vectors) - 1, 0))]
    return rows, np.sqrt(np.take_along_axis(squares, rows, 1))


def spilled(vectors: np.ndarray) -> Spilled:
    kept = Spilled(vectors.shape[1])
    kept.append(vectors)
    return kept


def drawn(n: int, dimension: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dimension))


@st.composite
def tables(draw: Any) -> np.ndarray:
    """Rows with ties and equal rows, far from the origin and of any size."""
    n, dimension = draw(st.integers(0, 60)), draw(st.sampled_from([1, 2, 6, 20]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    numbers = rng.integers(0, 4, (n, dimension)) if draw(st.booleans()) else rng.standard_normal((n, dimension))
    scale, shift = draw(st.sampled_from([1.0, 1e-30, 1e6])), draw(st.sampled_from([0.0, 1.0, -8.0]))
    return np.asarray(scale * (numbers + shift), float)


@pytest.mark.parametrize("way", CERTAIN)
@given(vectors=tables(), count=st.integers(0, 30))
@settings(max_examples=60)
def test_rows_and_distances_are_those_of_comparing_all(way: Way, vectors: np.ndarray, count: int) -> None:
    """Self excluded, nearest first, ties by the lower number; with equal rows, few rows and k >= n too."""
    found = nearest(vectors, count, way=way, device="cpu" if way == "tiles" else None)
    rows, distances = by_hand(vectors, count)
    assert found.rows.dtype == np.intp
    np.testing.assert_array_equal(found.rows, rows)
    np.testing.assert_allclose(found.distances, distances, rtol=1e-14)


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles, "SHAPES", {"cpu": (50, 300), "cuda": (50, 300)})
    monkeypatch.setattr(tiles, "GROUP", 4)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("held", [True, False])
def test_many_tiles_are_as_good_as_one(held: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles that end in the middle, and groups of columns, lose nothing; nor do rows made anew for every query."""
    monkeypatch.setattr(tiles, "HELD_BYTES", 1 << 30 if held else 0)
    vectors = drawn(1237, 9)
    found = nearest(vectors, 16, way="tiles", device="cpu")
    np.testing.assert_array_equal(found.rows, by_hand(vectors, 16)[0])


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("way", WAYS)
def test_rows_on_disk_have_the_same_neighbours(way: Way) -> None:
    """Vectors on disk are read in parts, and give what the array gives."""
    vectors = drawn(900, 12)
    held, read = (nearest(rows, 7, way=way) for rows in (vectors, spilled(vectors)))
    np.testing.assert_array_equal(held.rows, read.rows)
    np.testing.assert_array_equal(held.distances, read.distances)


@pytest.mark.usefixtures("small_tiles")
@pytest.mark.parametrize("case", ["an outlier", "far from the origin", "nearly equal", "many equal", "all equal"])
def test_single_precision_passes_nothing_over(case: str) -> None:
    """Where rounding could decide, rows are compared with all others in double precision."""
    vectors = drawn(400, 5)
    if case == "an outlier":
        vectors[17] *= 1e8
    elif case == "far from the origin":
        vectors += 1e5
    elif case == "nearly equal":
        vectors = 1.0 + 1e-9 * vectors
        vectors[3] = 0.0
    elif case == "many equal":
        vectors[40:200] = vectors[0]
    elif case == "all equal":
        vectors[:] = 0.1
    found = nearest(vectors, 10, way="tiles", device="cpu")
    np.testing.assert_array_equal(found.rows, by_hand(vectors, 10)[0])


@pytest.mark.slow
def test_what_single_precision_bounds_is_a_bound() -> None:
    """No row that is left out is nearer than `beyond` says; and it says enough to settle most rows at once."""
    vectors = drawn(1500, 40)
    squares = np.square(by_hand(vectors, 60)[1])
    settled = 0
    with tiles.tile_search(vectors, 25, "cpu") as search:
        for start in range(0, 1500, 250):
            offered = search.offer(slice(start, start + 250))
            assert (offered.beyond <= squares[offered.here, 25]).all()
            settled += int((squares[offered.here, 15] < offered.beyond).sum())
    assert settled > 1450


def test_the_index_finds_most() -> None:
    """Lance's index gives most of the neighbours, with the distances that they have."""
    vectors = drawn(6000, 24) / np.sqrt(1 + np.arange(24))
    found, true = nearest(vectors, 10, way="index"), nearest(vectors, 10, way="exact")
    shared = [len(np.intersect1d(a, b)) for a, b in zip(found.rows, true.rows, strict=True)]
    assert np.mean(shared) > 8.5
    assert (np.diff(found.distances, axis=1) >= 0).all()
    assert (found.rows != np.arange(len(vectors))[:, None]).all()
    exactly = np.linalg.norm(vectors[found.rows] - vectors[:, None], axis=2)
    np.testing.assert_allclose(found.distances, exactly)


@pytest.mark.parametrize("unit", [2.0**-400, 2.0**400])
def test_the_index_finds_as_much_of_vectors_of_any_length(unit: float) -> None:
    """Squares too large or small for single precision pass nothing over: the neighbours are those at length 1."""
    vectors = drawn(400, 12)
    near, other = (nearest(times * vectors, 5, way="index") for times in (1.0, unit))
    np.testing.assert_array_equal(other.rows, near.rows)
    np.testing.assert_array_equal(other.distances, unit * near.distances)


def test_what_an_index_does_not_find_is_sought_among_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows for which the index gives too few have all their neighbours."""
    vectors = drawn(300, 5)

    def few(here: slice) -> settle.Offered:
        rows = np.full((here.stop - here.start, 12), -1)
        rows[:, 0] = np.arange(here.start, here.stop)
        return settle.Offered(here, rows, np.full(len(rows), np.inf))

    monkeypatch.setattr(choose, "index_search", lambda *_: nullcontext(settle.Search(70, few)))
    np.testing.assert_array_equal(nearest(vectors, 3, way="index").rows, by_hand(vectors, 3)[0])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("n", "count", "kept"), [(0, 5, 0), (1, 5, 0), (4, 0, 0), (2, 5, 1), (5, 4, 4), (5, 99, 4)])
def test_degenerate_tables_have_neighbours_as_there_are(way: Way, n: int, count: int, kept: int) -> None:
    """No rows, one row, no neighbour asked for, and more than there are."""
    found = nearest(drawn(n, 3), count, way=way)
    assert found.rows.shape == found.distances.shape == (n, kept)
    assert all(sorted(rows) != [number] for number, rows in enumerate(found.rows.tolist()))


@pytest.mark.parametrize("fault", [np.nan, np.inf, -np.inf, 1e200])
def test_numbers_that_have_no_distance_are_refused(fault: float) -> None:
    """NaN, infinity and numbers whose squares are infinite: the error names the row."""
    vectors = drawn(9000, 3)
    vectors[8500, 1] = fault
    with pytest.raises(MisreadError, match="row 8500 of the vectors"):
        nearest(vectors, 3)


def test_unknown_names_and_counts_are_refused() -> None:
    """A way, a device and a number of neighbours that there are not."""
    with pytest.raises(UnknownNameError, match="there is: exact, index, tiles"):
        nearest(drawn(9, 3), 2, way="tile")  # type: ignore[arg-type]
    with pytest.raises(MisreadError, match="there is no device 'cuda:99'"):
        nearest(drawn(9, 3), 2, way="tiles", device="cuda:99")
    with pytest.raises(MisreadError, match="-1 neighbours"):
        nearest(drawn(9, 3), -1)


def test_without_torch_there_are_other_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """torch is never needed: what is asked without a way is answered, tiles are refused with what to do."""
    monkeypatch.setattr(choose, "find_spec", lambda name: None)
    vectors = drawn(200, 30)
    assert chosen_way(200, 30) == "exact"
    np.testing.assert_array_equal(nearest(vectors, 4).rows, by_hand(vectors, 4)[0])
    with pytest.raises(MisreadError, match="torch is not installed"):
        nearest(vectors, 4, way="tiles")


def test_the_way_follows_rows_and_dimensions() -> None:
    """A tree in few dimensions, all rows compared while that is affordable, then the index."""
    assert chosen_way(10**7, exact.TREE_DIMENSIONS, "cpu") == "exact"
    assert chosen_way(10**5, 64, "cpu") == "tiles"
    assert chosen_way(10**7, 64, "cpu") == "index"
