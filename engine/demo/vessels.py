"""Lung markings: branching vessels from both hila and the fine mottle between them."""

from collections.abc import Iterable

import numpy as np

from .anatomy import Anatomy
from .appearance import SIDES, Appearance, Side
from .canvas import Frame, Points, Strokes, clouds

_LEVELS = 4
_ROOTS = {"right": (-70.0, -38, -8, 22, 45, 62, 74, 84), "left": (-72.0, -42, -12, 18, 40, 58, 72, 82)}


def markings(body: Anatomy, appearance: Appearance) -> Frame:
    """Vessels and hila along the beam, about 0 to 1, (size, size); not yet held to the lungs."""
    own = np.random.default_rng([appearance.body, 41])
    strokes = Strokes(body.size)
    for side in SIDES:
        _hilum(strokes, body, side, own)
        for ends, widths, shades in _tree(body, side, own):
            strokes.segments(ends, widths, shades)
    crowded = 1.15 if appearance.supine else 1.0
    return np.float32(crowded) * strokes.frame(0.0024)


def mottle(body: Anatomy, rng: np.random.Generator) -> Frame:
    """Fine cloudy texture of the lung, mean near 0."""
    return 0.6 * clouds(rng, body.size, body.size // 3) + 0.5 * clouds(rng, body.size, 36)


def _hilum(strokes: Strokes, body: Anatomy, side: Side, own: np.random.Generator) -> None:
    x, y = body.at(side, 0.20, 0.45 if side == "left" else 0.48)
    for _ in range(5):
        dx, dy = own.normal(0, 0.010), own.normal(0, 0.030)
        strokes.disc((x + float(dx), y + float(dy)), float(own.uniform(0.010, 0.020)), float(own.uniform(0.4, 0.7)))


def _tree(body: Anatomy, side: Side, own: np.random.Generator) -> Iterable[tuple[Points, Points, Points]]:
    """Generations of branches, thin ones first; ends (n, 3, 2), widths (n,), shades (n,)."""
    way = -1 if side == "right" else 1
    hilum = np.array(body.at(side, 0.27 if side == "left" else 0.22, 0.44 if side == "left" else 0.47))
    angle = np.deg2rad(np.array(_ROOTS[side]) + own.normal(0, 6, len(_ROOTS[side])))
    start = hilum + np.stack([np.zeros_like(angle), 0.055 * np.sin(angle)], axis=1)
    length = 0.070 * own.uniform(0.6, 1.3, len(angle))
    width = 0.0125 * own.uniform(0.6, 1.15, len(angle))
    grown: list[tuple[Points, Points, Points]] = []
    for level in range(_LEVELS):
        bend = angle + own.normal(0, 0.30, len(angle))
        mid = start + 0.5 * length[:, None] * _step(angle, way)
        end = mid + 0.5 * length[:, None] * _step(bend, way)
        shade = np.clip((0.85 - 0.14 * level) * own.uniform(0.35, 1.05, len(angle)), 0.05, 1)
        grown.append((np.stack([start, mid, end], axis=1), width, shade))
        start = np.repeat(end, 2, axis=0)
        fork = np.tile([-1.0, 1.0], len(angle)) * own.uniform(0.12, 0.48, 2 * len(angle))
        angle = np.clip(np.repeat(bend, 2) + fork, -1.75, 1.75)
        length = np.repeat(length, 2) * own.uniform(0.55, 1.05, len(angle))
        width = np.repeat(width, 2) * own.uniform(0.55, 0.80, len(angle))
    return reversed(grown)


def _step(angle: Points, way: int) -> Points:
    """Unit steps: angle 0 runs outwards, a positive angle downwards."""
    return np.stack([way * np.cos(angle), np.sin(angle)], axis=1)
