"""The shape of one chest: where its walls, lungs, heart borders and diaphragm lie on the film."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from .appearance import Appearance, Side
from .canvas import Frame, grid, ramp, solid

_STEPS = np.linspace(-0.4, 1.6, 1001)


def _table(heights: Sequence[float], values: Sequence[float]) -> NDArray[np.float64]:
    """A smooth curve through the points, held on `_STEPS` so that reading it is one interpolation."""
    held = np.clip(_STEPS, heights[0], heights[-1])
    return np.asarray(PchipInterpolator(heights, values)(held), dtype=float)


_WALL = _table(
    [-0.4, -0.02, 0.0, 0.035, 0.10, 0.20, 0.40, 0.60, 0.80, 1.0, 1.4],
    [-1.5, 0.08, 0.27, 0.44, 0.60, 0.735, 0.875, 0.95, 0.99, 1.0, 0.97],
)
_INNER = _table([-0.4, 0.0, 0.02, 0.06, 0.12, 1.4], [0.6, 0.26, 0.20, 0.15, 0.10, 0.10])
_HEIGHTS = [-0.3, 0.0, 0.12, 0.19, 0.25, 0.31, 0.37, 0.43, 0.52, 0.62, 0.72, 0.82, 0.92, 1.05, 1.4]
_LEFT = _table(
    _HEIGHTS,
    [0.17, 0.15, 0.155, 0.205, 0.24, 0.215, 0.19, 0.245, 0.33, 0.445, 0.52, 0.555, 0.53, 0.46, 0.4],
)
_RIGHT = _table(
    _HEIGHTS,
    [0.17, 0.14, 0.15, 0.16, 0.165, 0.165, 0.165, 0.18, 0.24, 0.285, 0.292, 0.265, 0.22, 0.18, 0.18],
)
_HEART = _table(_HEIGHTS, [0, 0, 0, 0, 0, 0, 0, 0.15, 0.5, 0.85, 1, 1, 1, 1, 1])
_KNOB = _table(_HEIGHTS, [0, 0, 0, 0.6, 1, 0.8, 0.2, 0, 0, 0, 0, 0, 0, 0, 0])


def _read(table: NDArray[np.float64], depth: Frame | float) -> Frame:
    return solid(np.asarray(np.interp(depth, _STEPS, table)))


def sign(side: Side) -> int:
    """-1 for the patient's right (left of the picture), 1 for the left."""
    return -1 if side == "right" else 1


@dataclass(frozen=True, slots=True)
class Anatomy:
    """One chest on a frame. Lengths are shares of the frame's side; maps are (size, size) float32.

    `across` is the signed distance from the midline (positive to the patient's left) and `off` its absolute
    value; `depth` (size, 1) runs from 0 at the apex to 1 at the costophrenic angle. `wall`, `inner` and
    `border` are the chest wall's, the lung's and the mediastinum's distance from the midline.
    """

    size: int
    x: Frame
    y: Frame
    middle: Frame
    across: Frame
    off: Frame
    left: NDArray[np.bool_]
    depth: Frame
    width: float
    top: float
    foot: float
    wall: Frame
    border: Frame
    diaphragm: Frame
    domes: tuple[float, float]
    flank: float
    lungs: Frame

    def at(self, side: Side, share: float, depth: float) -> tuple[float, float]:
        """The point a `share` of the way from the midline to the chest wall, at a `depth`; (x, y)."""
        y = self.top + depth * (self.foot - self.top)
        row = min(max(int(y * self.size), 0), self.size - 1)
        reach = float(np.interp(depth, _STEPS, _WALL)) * self.width
        return float(self.middle[row, 0]) + sign(side) * share * reach, y

    def half(self, side: Side) -> Frame:
        """1 on that side of the midline, 0 on the other."""
        return (self.left if side == "left" else ~self.left).astype(np.float32)

    def wall_at(self, depth: Frame) -> Frame:
        """The chest wall's distance from the midline at any `depth`."""
        return _read(_WALL, depth) * np.float32(self.width)


def anatomy_of(appearance: Appearance, size: int) -> Anatomy:
    """The chest that `appearance` describes, on a frame of `size` pixels."""
    own = np.random.default_rng([appearance.body, 11])
    wide, tall, lean, bend, knob, fat = (float(v) for v in own.normal(0, 1, 6))
    x, y = grid(size)
    large, slim = appearance.habitus == "large", appearance.habitus == "slim"
    female = appearance.sex == "F"
    width = 0.395 - 0.014 * female - 0.030 * large - 0.014 * appearance.frontal_ap + 0.011 * wide
    top = 0.105 + 0.03 * appearance.frontal_ap + 0.012 * tall
    reach = 0.50 + 0.14 * appearance.inspiration + 0.02 * slim - 0.035 * large - 0.05 * appearance.supine
    dome_right = top + reach + 0.012 * lean
    dome_left = dome_right + 0.025
    foot = dome_right + 0.135
    middle = 0.5 + 0.012 * appearance.rotation + 0.008 * bend * np.sin(5 * (y - 0.3)) * (appearance.age / 60)
    middle = middle.astype(np.float32)
    across = x - middle
    off, left = np.abs(across), across > 0
    depth = (y - top) / np.float32(foot - top)
    wall = _read(_WALL, depth) * np.float32(width)
    border = _mediastinum(appearance, depth, width, left, knob)
    diaphragm = _dome(off / width, np.where(left, np.float32(dome_left), np.float32(dome_right)))
    inner = _read(_INNER, depth) * np.float32(width)
    lungs = ramp(wall - off, 0.008) * ramp(off - np.maximum(inner, border), 0.010) * ramp(diaphragm - y, 0.008)
    flank = 0.055 + 0.035 * large - 0.015 * slim + 0.006 * fat + 0.008 * female
    return Anatomy(
        size, x, y, middle, across, off, left, depth, width, top, foot, wall, border, diaphragm,
        (dome_right, dome_left), flank, lungs,
    )  # fmt: skip


def _mediastinum(appearance: Appearance, depth: Frame, width: float, left: NDArray[np.bool_], knob: float) -> Frame:
    magnified = 1.1 if appearance.frontal_ap else 1.0
    low = _read(_HEART, depth)
    heart = 1 + low * ((0.34 if appearance.cardiomegaly else 0.03 * knob) + (magnified - 1))
    aorta = _read(_KNOB, depth) * (0.0008 * (min(appearance.age, 80) - 50) + 0.010 * knob)
    upper = 1 + (1 - low) * 0.12 * appearance.supine
    turn = 0.055 * appearance.rotation
    left_edge = (_read(_LEFT, depth) + aorta) * heart * upper + turn
    right_edge = _read(_RIGHT, depth) * heart * upper - turn
    return solid(np.where(left, left_edge, right_edge) * np.float32(width))


def _dome(share: Frame, height: Frame) -> Frame:
    """The diaphragm's y over the share of the way to the wall: a dome with a deep outer angle."""
    lateral = np.clip((share - 0.42) / 0.585, 0, 1)
    medial = np.clip((0.42 - share) / 0.42, 0, 1)
    drop = 0.15 * (1 - np.sqrt(1 - lateral * lateral)) + 0.03 * medial * medial
    return solid(height + drop)
