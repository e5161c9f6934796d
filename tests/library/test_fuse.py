"""The scorer of a fusion."""

from functools import partial

import numpy as np
import pytest

from misread.fitting import FITTED_ROWS, FusionFit, drawn_to_fit, fuse
from misread.fuse import AT_ONCE, Block, parts
from misread.products import TILE
from misread.schemas.errors import AuditError


def blocks(n: int) -> dict[str, Block]:
    rng = np.random.default_rng(n)
    return {
        "image": Block(rng.standard_normal((n, 30)).astype(np.float32) + 5, rng.random(n) < 0.8),
        "report": Block(rng.standard_normal((n, 9)) * 3, rng.random(n) < 0.5),
    }


@pytest.mark.parametrize("n", [40, 300])
def test_scores_by_parts_are_scores_of_the_whole(n: int) -> None:
    """Summed modality by modality, scores are those of the fused vectors, whichever modalities a row has."""
    given = blocks(n)
    fusion, vectors = fuse(given, np.arange(n) % 2 == 0)
    directions = np.random.default_rng(0).standard_normal((fusion.dimension, 3))
    scorer = fusion.scorer(directions)
    scores = np.tile(scorer.without(), (n, 1))
    for name, block in given.items():
        scores[block.present] += scorer.gain(name, block.rows[block.present])
    assert scores == pytest.approx(fusion.transform(given) @ directions, abs=1e-11)
    assert (fusion.transform(given) == vectors).all()


@pytest.mark.parametrize("n", [40, 300])
def test_sums_of_spans_make_the_fusion_of_all(n: int) -> None:
    """Fits of spans of the rows, merged in their order, are the fit of all rows, few rows or many."""
    given = {name: Block(block.rows.astype(float), block.present) for name, block in blocks(n).items()}
    one, _ = fuse(given, np.ones(n, bool))
    empty, fit = (FusionFit(next(parts(given, np.arange(n)))) for _ in range(2))
    for rows in np.array_split(np.arange(n), 5):
        fit.merge(empty.summed(parts(given, rows)))
    other = fit.fusion()
    vectors = one.transform(given), other.transform(given)
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-9)


def test_no_rows_and_no_directions_are_no_scores() -> None:
    """Zero rows, or zero directions, give empty arrays of the right shape."""
    fusion, _ = fuse(blocks(40), np.ones(40, bool))
    assert fusion.scorer(np.ones((fusion.dimension, 2))).gain("image", np.empty((0, 30))).shape == (0, 2)
    assert fusion.scorer(np.empty((fusion.dimension, 0))).gain("report", np.ones((5, 9))).shape == (5, 0)


@pytest.mark.parametrize(("rows", "message"), [(np.ones((2, 8)), "8 numbers"), (np.full((2, 9), np.nan), "NaN")])
def test_rows_that_do_not_fit_are_refused(rows: np.ndarray, message: str) -> None:
    """Rows of another dimension, or not finite, are a clear error."""
    fusion, _ = fuse(blocks(40), np.ones(40, bool))
    with pytest.raises(AuditError, match=message):
        fusion.scorer(np.ones((fusion.dimension, 1))).gain("report", rows)


@pytest.mark.parametrize("at_once", [1, 7, TILE, TILE + 1, 500])
def test_a_row_is_fused_alike_whoever_stands_beside_it(at_once: int) -> None:
    """In any order and any lots, single rows too, the fused vectors of float32 rows agree to 9 decimals."""
    rng = np.random.default_rng(0)
    given = {"image": Block(rng.standard_normal((500, 700)).astype(np.float32) + 5, rng.random(500) < 0.8)}
    fusion, vectors = fuse(given, np.ones(500, bool))
    order = np.random.default_rng(at_once).permutation(500)
    for start in range(0, 500, at_once):
        some = order[start : start + at_once]
        lot = {name: Block(block.rows[some], block.present[some]) for name, block in given.items()}
        assert fusion.transform(lot) == pytest.approx(vectors[some], abs=1e-12)


@pytest.mark.parametrize("n", [25, 300])
@pytest.mark.parametrize("unit", [2.0**-110, 2.0**-40, 2.0**100])
def test_the_unit_of_a_modality_does_not_matter(n: int, unit: float) -> None:
    """Vectors far shorter or longer than 1 are fused as they would be at length 1, of few rows or many."""
    given = blocks(n)
    image = given["image"]
    other = given | {"image": Block(image.rows * np.float32(unit), image.present)}
    one, two = (fuse(each, np.ones(n, bool))[1] for each in (given, other))
    assert two == pytest.approx(one, abs=1e-12)


@pytest.mark.parametrize("length", [1e12, 1e25, 1e38])
def test_a_row_far_longer_than_those_before_it_is_fused(length: float) -> None:
    """Its squares may be too large for single precision: they are summed in double precision then."""
    rows = np.random.default_rng(0).standard_normal((AT_ONCE + 60, 30)).astype(np.float32) * np.float32(1e-3)
    rows[-1] = 0.0
    rows[-1, :2] = length
    _, vectors = fuse({"image": Block(rows, np.ones(len(rows), bool))}, np.ones(len(rows), bool))
    assert np.isfinite(vectors).all()
    assert np.abs(vectors[:-1]).max() < 1e-3 * np.abs(vectors[-1]).max()


def test_a_modality_that_comes_late_is_fused_as_exactly_as_any() -> None:
    """Vectors far from 0 that the first rows lack: means are of those who have them, or single precision drowns all."""
    n = 2 * AT_ONCE
    rng = np.random.default_rng(0)
    image, report = (rng.standard_normal((n, 9)).astype(np.float32) for _ in range(2))
    everyone, late = np.ones(n, bool), np.arange(n) >= AT_ONCE
    given = {"image": Block(image, everyone), "report": Block(report + np.float32(3000), late)}
    wide = {name: Block(block.rows.astype(float), block.present) for name, block in given.items()}
    one, two = (fuse(each, everyone)[1] for each in (given, wide))
    assert np.abs(one @ one[:50].T - two @ two[:50].T).max() < 1e-4 * np.square(two).sum(axis=1).max()


def test_what_absent_rows_hold_is_ignored_and_present_rows_must_be_finite() -> None:
    """A fit never looks at rows that are absent; one number of a present row that is not finite is named."""
    given = blocks(300)
    spoilt = {name: Block(block.rows.copy(), block.present) for name, block in given.items()}
    for block, wrong in zip(spoilt.values(), (np.nan, np.inf), strict=True):
        block.rows[~block.present] = wrong
    everyone = np.ones(300, bool)
    assert (fuse(spoilt, everyone)[1] == fuse(given, everyone)[1]).all()
    for name, wrong in (("image", np.nan), ("report", -np.inf)):
        rows = given[name].rows.copy()
        rows[np.flatnonzero(given[name].present)[100], 3] = wrong
        changed = given | {name: Block(rows, given[name].present)}
        fit = FusionFit({each: Block(block.rows[:9], block.present[:9]) for each, block in given.items()})
        with pytest.raises(AuditError, match=f"{name} vectors hold NaN or infinity"):
            fit.add(changed)


def test_a_fit_is_drawn_evenly_from_many_rows_and_from_few_takes_all() -> None:
    """In rising order, none twice, the same for the same seed; the modality of the fewest rows keeps enough of them."""
    n = 20 * FITTED_ROWS
    rows = np.arange(n) * 3
    everyone, some, few = np.ones(n, bool), np.arange(n) % 5 == 0, np.arange(n) < 1000
    draw = partial(drawn_to_fit, rows)
    assert (draw([everyone, few], 0) == rows).all()
    assert (draw([], 0) == rows).all()
    assert len(draw([everyone], 0)) == len(draw([everyone, ~everyone], 0)) == FITTED_ROWS
    found = draw([everyone, some], 7)
    assert (np.diff(found) > 0).all()
    assert (found == draw([everyone, some], 7)).all()
    assert not np.isin(draw([everyone, some], 8), found).all()
    assert len(found) == 5 * FITTED_ROWS
    assert some[found // 3].sum() == pytest.approx(FITTED_ROWS, rel=0.02)
    assert (found < rows[n // 2]).mean() == pytest.approx(0.5, abs=0.01)


def test_a_share_of_the_rows_tells_the_fusion_of_all() -> None:
    """The space fused from a tenth of the rows is that of all, to the error of that many rows."""
    rng = np.random.default_rng(0)
    n, d = 30_000, 40
    rows = (rng.standard_normal((n, d)) / np.sqrt(1 + np.arange(d))).astype(np.float32) @ rng.standard_normal((d, d))
    given = {"image": Block(rows.astype(np.float32), np.ones(n, bool))}
    whole, drawn = (fuse(given, fitted_on, 8)[1] for fitted_on in (np.ones(n, bool), np.arange(n) % 10 == 0))
    centered = rows - rows.mean(axis=0)
    kept = [np.square(basis_of(vectors).T @ centered).sum() for vectors in (whole, drawn)]
    assert kept[1] > 0.999 * kept[0]
    assert np.square(drawn).sum() == pytest.approx(np.square(whole).sum(), rel=3 * np.sqrt(2 / 3000))


def basis_of(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.qr(vectors - vectors.mean(axis=0))[0]


@pytest.mark.parametrize("law", ["normal", "heavy tails", "a rare group", "nine in ten alike", "lengths of any size"])
def test_vectors_of_any_usual_law_drown_nobody(law: str) -> None:
    """Long vectors among short ones, a group of its own, or equal rows are no damage."""
    rng = np.random.default_rng(0)
    given = rng.standard_normal((600, 24))
    if law == "heavy tails":
        given /= np.sqrt(rng.chisquare(3, (600, 1)) / 3)
    elif law == "lengths of any size":
        given *= np.exp(rng.standard_normal((600, 1)))
    elif law == "a rare group":
        given[:30] += 15.0
    elif law == "nine in ten alike":
        given[30:] = 0.0
    block = {"image": Block(given.astype(np.float32), np.ones(600, bool))}
    fit = FusionFit(block)
    fit.add(block)
    assert fit.drowned() == []
