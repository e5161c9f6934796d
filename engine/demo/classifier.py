"""A small, real classifier of made-up films: hand-made picture features and a regularised linear model."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float32]

_THUMB = 32
_CELLS = 16
_WORK = 128
_STRENGTH = 3e-4
"""Inverse of the penalty on weights."""


def film_features(picture: NDArray[np.uint8]) -> Features:
    """What the classifier sees of a film: a thumbnail, and where bright and dark ridges run in which direction.

    Args:
        picture: grey film, shape (size, size), uint8, size a multiple of 128.

    Returns:
        shape (3072,), float32.
    """
    size = picture.shape[0]
    if picture.shape != (size, size) or size % _WORK:
        raise ValueError(f"a film of shape {picture.shape}; give a square one of a multiple of {_WORK} pixels")
    film = _shrink(picture.astype(np.float32), _WORK)
    film = (film - film.mean()) / (film.std() + 1)
    thumb = _shrink(film, _THUMB)
    coarse = _ridges(_shrink(film, _WORK // 2))
    return np.concatenate([thumb.ravel(), _peaks(_ridges(film)), _peaks(coarse)])


def _shrink(film: Features, size: int) -> Features:
    step = film.shape[0] // size
    cells = film.reshape(size, step, size, step)
    return np.asarray(cells.mean(axis=(1, 3), dtype=np.float32), dtype=np.float32)


def _ridges(film: Features) -> Features:
    """Second differences across four directions, shape (4, size, size); positive on a bright line."""
    wide = np.pad(film, 2, mode="edge")
    size = film.shape[0]

    def moved(dy: int, dx: int) -> Features:
        return wide[2 + dy : 2 + dy + size, 2 + dx : 2 + dx + size]

    steps = ((0, 2), (2, 0), (1, 1), (1, -1))
    return np.stack([2 * film - moved(dy, dx) - moved(-dy, -dx) for dy, dx in steps])


def _peaks(maps: Features) -> Features:
    """The highest value of every cell of a 16 x 16 grid, per map, flattened."""
    step = maps.shape[1] // _CELLS
    cells = maps.reshape(len(maps), _CELLS, step, _CELLS, step)
    return np.asarray(cells.max(axis=(2, 4)), dtype=np.float32).ravel()


@dataclass(frozen=True, slots=True)
class FilmClassifier:
    """A fitted model; make one with `fit_classifier`."""

    model: Any

    def score(self, features: Features) -> NDArray[np.float64]:
        """P(finding) of each row of `features`, shape (films,), rounded to 6 digits."""
        return np.round(np.asarray(self.model.predict_proba(features))[:, 1], 6)


def fit_classifier(features: Features, labels: NDArray[np.bool_]) -> FilmClassifier:
    """Learn `labels`, shape (films,), from `features`, shape (films, 3072).

    Raises:
        ValueError: labels of one class only.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if labels.all() or not labels.any():
        raise ValueError("the training films are all of one class; give films with and without the finding")
    model = make_pipeline(StandardScaler(), LogisticRegression(C=_STRENGTH, max_iter=300))
    return FilmClassifier(model.fit(features, labels))
