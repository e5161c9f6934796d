"""Bones: ribs, spine, collar bones, shoulder blades and upper arms."""

import numpy as np

from .anatomy import Anatomy
from .appearance import Appearance
from .canvas import Frame, Points, Strokes, bezier, clouds, offset, ramp, ridge, solid
from .tissue import arm_line


def bones(body: Anatomy, appearance: Appearance) -> Frame:
    """Bone along the beam, about 0 to 1.5, (size, size)."""
    own = np.random.default_rng([appearance.body, 31])
    calcium = 1.0 - 0.005 * max(0, appearance.age - 55) - 0.08 * (appearance.sex == "F")
    frame = _ribs(body, appearance, own) + _spine(body, own) + _girdle(body, appearance, own)
    return solid(np.float32(calcium) * frame)


def _ribs(body: Anatomy, appearance: Appearance, own: np.random.Generator) -> Frame:
    spacing = 0.0590 + 0.006 * (appearance.inspiration - 0.8) + 0.0015 * float(own.standard_normal())
    tilt = 0.085 + 0.012 * float(own.standard_normal()) - 0.012 * appearance.supine
    share = np.clip(body.off / (body.wall + np.float32(1e-4)), 0, 1)
    arc = np.sqrt(np.clip(1 - share * share, 0, 1))
    steep = np.float32(tilt / body.width) * share / np.maximum(arc, 0.12)
    stretch = np.minimum(np.sqrt(1 + steep * steep), 2.4)
    wobble = 0.0035 * clouds(own, body.size, 6)
    start = np.float32(body.top + 0.015)
    uneven = 1 + 0.10 * np.clip(0.5 - body.depth, 0, 1)
    inside = ramp(body.wall + 0.008 - body.off, 0.010) * ramp(body.depth + 0.02, 0.05)
    back = (body.y + tilt * arc * uneven + wobble - start - 0.055) / np.float32(spacing)
    front = (body.y - 1.65 * tilt * arc + wobble - start - 0.02) / np.float32(spacing * 1.04)
    behind = _bars(back, stretch, 0.235, 12) * (0.55 + 0.45 * ramp(share - 0.2, 0.3))
    before = _bars(front, stretch, 0.24, 7) * ramp(share - 0.52, 0.22)
    faint = 1 - 0.35 * ramp(body.y - body.diaphragm, 0.05)
    edge = 0.35 * ridge(body.wall + np.float32(0.004) - body.off, 0.016) * ramp(body.depth, 0.1)
    return solid(inside * faint * (0.58 * behind + 0.32 * before) + edge * faint)


def _bars(phase: Frame, stretch: Frame, half: float, count: int) -> Frame:
    """Parallel bands one unit of `phase` apart, brighter along both edges as cortex is."""
    near = np.rint(phase)
    away = np.abs(phase - near)
    reach = np.minimum(half * stretch, 0.5)
    within = np.clip((reach - away) * 9 + 0.5, 0, 1)
    cortex = np.clip(1 - np.abs(away - reach + 0.05) * 9, 0, 1)
    real = (near >= 0) & (near < count)
    return solid(real * (0.62 * within + 0.50 * cortex))


def _spine(body: Anatomy, own: np.random.Generator) -> Frame:
    half = 0.036 + 0.010 * body.depth
    column = ramp(half - body.off, 0.010) * (0.7 + 0.3 * ridge(half - body.off, 0.012))
    phase = body.y / (0.046 + 0.012 * body.y) + np.float32(own.random())
    fade = 1 - 0.6 * ramp(body.depth - 1.0, 0.3)
    disc = np.clip(np.abs(phase - np.rint(phase)) * 6 - 0.15, 0, 1)
    pedicle = ridge(body.off - 0.62 * half, 0.011) * ridge(phase - np.rint(phase) - 0.25, 0.22)
    process = ridge(body.off, 0.009) * ridge(phase - np.rint(phase) + 0.25, 0.3)
    return solid(fade * (column * (0.24 + 0.13 * disc) + 0.20 * pedicle + 0.12 * process))


def _girdle(body: Anatomy, appearance: Appearance, own: np.random.Generator) -> Frame:
    tilt = 0.012 * float(own.standard_normal())
    strokes = Strokes(body.size)
    for left in (False, True):
        _blade(strokes, body, appearance, left)
        _humerus(strokes, body, appearance, left)
        _collar(strokes, body, appearance, left, tilt)
    return strokes.frame(0.003)


def _collar(strokes: Strokes, body: Anatomy, appearance: Appearance, left: bool, tilt: float) -> None:
    way = 1 if left else -1
    turn = 0.022 * appearance.rotation
    high = -0.025 if appearance.frontal_ap else 0.02
    inner, outer = 0.5 + way * 0.040 + turn, 0.5 + way * (0.425 + 0.5 * (body.flank - 0.055))
    y = body.top + 0.058 + high * 0.6 + way * tilt * 0.3
    rise = body.top + (0.012 if appearance.frontal_ap else 0.0) + way * tilt
    span = outer - inner
    line = bezier(
        [
            (inner, y),
            (inner + 0.32 * span, y + 0.022),
            (inner + 0.52 * span, rise - 0.045 + high),
            (outer, rise + 0.012),
        ],
        28,
    )
    _bone(strokes, line, 0.021, 0.52)
    strokes.disc((inner, y), 0.0150, 0.58)


def _bone(strokes: Strokes, line: Points, width: float, fill: float) -> None:
    strokes.curve(line, width, fill)
    for way in (-0.5, 0.5):
        strokes.curve(offset(line, way * width), 0.0045, min(1.0, fill + 0.26))


def _blade(strokes: Strokes, body: Anatomy, appearance: Appearance, left: bool) -> None:
    """The shoulder blade: over the lung on a bedside film, turned out of it otherwise."""
    way = 1 if left else -1
    joint, _ = arm_line(body, appearance, left)
    inward = 0.175 if appearance.frontal_ap else 0.105
    top, low = joint[1] - 0.035, joint[1] + 0.22
    edge = joint[0] - way * 0.035
    corners = np.array(
        [
            (edge, top + 0.03),
            (edge - way * 0.05, top - 0.015),
            (joint[0] - way * inward, top + 0.01),
            (joint[0] - way * (inward + 0.01), low - 0.06),
            (joint[0] - way * (inward - 0.045), low),
            (edge - way * 0.035, low - 0.09),
            (edge - way * 0.01, top + 0.09),
        ]
    )
    strokes.polygon(corners, 0.15)
    strokes.curve(corners[[4, 5, 6]], 0.012, 0.40)
    strokes.curve(np.array([corners[2], corners[3], corners[4]]), 0.005, 0.36)
    spine = bezier(
        [corners[2] + (0, 0.03), (edge - way * 0.05, top + 0.02), (edge, top - 0.012), (joint[0], top - 0.022)]
    )
    strokes.curve(spine, 0.014, 0.42)
    strokes.disc((edge + way * 0.004, joint[1] + 0.012), 0.026, 0.42, 0.020)


def _humerus(strokes: Strokes, body: Anatomy, appearance: Appearance, left: bool) -> None:
    joint, elbow = arm_line(body, appearance, left)
    line = bezier([joint, joint, elbow, elbow], 12)
    strokes.curve(line, 0.036, 0.32)
    for way in (-1, 1):
        strokes.curve(offset(line, way * 0.016), 0.007, 0.54)
    strokes.disc(joint, 0.038, 0.34)
    strokes.disc(joint, 0.038, 0.46, 0.034)
