"""The scorer of a fusion."""

import numpy as np
import pytest

from misread.fitting import FusionFit, fuse
from misread.fuse import Block, parts
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
