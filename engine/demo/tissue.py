"""Soft tissue: the body's outline, arms, breasts, heart, belly, windpipe, and the air in the lungs."""

import numpy as np

from .anatomy import Anatomy
from .appearance import Appearance
from .canvas import Frame, ellipse, ramp, solid


def air(body: Anatomy, appearance: Appearance) -> Frame:
    """How much air the beam crosses in the lungs, 0 to 1: deep in the middle, thin at the walls."""
    near_wall = np.clip((body.wall - body.off) * np.float32(3.6 / body.width), 0.0, 1)
    thin_apex = 0.72 + 0.28 * np.clip(body.depth * 3.0, 0, 1) - 0.16 * np.clip(body.depth * 2 - 0.9, 0, 1)
    behind = 0.10 * _behind(body)
    veil = 0.90 if appearance.supine else 1.0
    return solid(np.maximum(body.lungs * (0.50 + 0.50 * np.sqrt(near_wall)) * thin_apex * veil, behind))


def _behind(body: Anatomy) -> Frame:
    """The lung behind the heart and below the domes, which shows through them faintly."""
    low = ramp(np.float32(body.foot - 0.02) - body.y, 0.12)
    return low * ramp(body.wall * 0.96 - body.off, 0.03) * ramp(body.off - np.float32(0.1 * body.width), 0.03)


def soft_tissue(body: Anatomy, appearance: Appearance, rng: np.random.Generator) -> Frame:
    """Thickness of soft tissue along the beam, without the lungs' air; 0 outside the body."""
    trunk = _trunk(body, appearance)
    limbs = _arms(body, appearance, rng)
    total = np.sqrt(trunk * trunk + limbs * limbs)
    total = total + _centre(body, appearance) + _belly(body, appearance)
    if appearance.sex == "F":
        total = total + _breasts(body, appearance)
    return total - _windpipe(body)


def _trunk(body: Anatomy, appearance: Appearance) -> Frame:
    neck = 0.115 + 0.025 * (appearance.habitus == "large")
    reach = np.clip((body.off - neck) * np.float32(1 / 0.34), 0, 1.4)
    flare = np.float32(0.0045) / np.maximum(body.off - np.float32(neck - 0.012), 0.004)
    outer = np.clip(reach - 0.85, 0, 1)
    shoulder = np.float32(body.top - 0.045) + 0.075 * reach + 0.5 * outer * outer - flare
    below = body.y - shoulder
    skin = body.wall_at(np.maximum(body.depth, 0.32)) + np.float32(body.flank)
    armpit = np.clip((0.52 - body.depth) / 0.36, 0, 1)
    skin = skin + 0.22 * armpit * armpit
    share = body.off / skin
    across = np.clip(1 - share * share, 0, 1)
    rising = np.sqrt(np.clip(below * np.float32(1 / 0.20), 0, 1))
    stout = 0.72 + 0.14 * (appearance.habitus == "large") - 0.06 * (appearance.habitus == "slim")
    return solid(np.float32(stout) * np.sqrt(across) * (0.15 + 0.85 * rising) * ramp(below, 0.006))


def _capsule(body: Anatomy, start: tuple[float, float], end: tuple[float, float], radius: float) -> Frame:
    """Thickness of a round limb from start to end, as (radius) chords, 0 outside."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    px, py = body.x - np.float32(start[0]), body.y - np.float32(start[1])
    along = np.clip((px * np.float32(dx) + py * np.float32(dy)) * np.float32(1 / (dx * dx + dy * dy)), 0, 1)
    away = (px - along * np.float32(dx)) ** 2 + (py - along * np.float32(dy)) ** 2
    return solid(np.sqrt(np.clip(1 - away * np.float32(1 / radius**2), 0, 1)))


def arm_line(body: Anatomy, appearance: Appearance, left: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """The shoulder joint and the elbow end of the humerus, (x, y) each."""
    way = 1 if left else -1
    out = body.flank - 0.04
    lean = 0.012 * ((appearance.body * 7 + left * 3) % 5 - 2)
    joint = (0.5 + way * (0.445 + 0.6 * out), body.top + 0.095)
    if appearance.frontal_ap:
        return joint, (0.5 + way * (0.535 + out + lean), body.top + 0.75)
    return joint, (0.5 + way * (0.66 + lean), body.top + 0.25 + lean)


def _arms(body: Anatomy, appearance: Appearance, rng: np.random.Generator) -> Frame:
    radius = 0.078 + 0.016 * (appearance.habitus == "large") + 0.004 * float(rng.standard_normal())
    right = _capsule(body, *arm_line(body, appearance, False), radius)
    left = _capsule(body, *arm_line(body, appearance, True), radius)
    return np.float32(0.46) * np.where(body.left, left, right)


def _centre(body: Anatomy, appearance: Appearance) -> Frame:
    """Great vessels and heart over the spine."""
    inside = ramp(body.border - body.off, 0.012) * ramp(body.depth + 0.10, 0.2)
    inside = inside * ramp(body.diaphragm + 0.04 - body.y, 0.10)
    bulge = np.sqrt(np.clip(1 - (body.off / (body.border + 1e-3)) ** 2, 0, 1))
    thick = 0.10 + 0.13 * np.clip((body.depth - 0.25) / 0.4, 0, 1)
    fat = 1.25 if appearance.habitus == "large" else 1.0
    return solid(inside * np.float32(fat) * (thick * (0.35 + 0.65 * bulge)))


def _belly(body: Anatomy, appearance: Appearance) -> Frame:
    inside = ramp(body.wall - body.off, 0.05)
    below = np.clip((body.y - body.diaphragm) / 0.16, 0, 1)
    organs = inside * (0.34 * np.sqrt(below))
    return solid(organs - _stomach(body, appearance) * inside)


def _stomach(body: Anatomy, appearance: Appearance) -> Frame:
    """The gastric bubble: air with a level when upright, a rounder cloud when not."""
    own = np.random.default_rng([appearance.body, 23])
    size, shift, amount, second = (float(v) for v in own.random(4))
    centre = (0.5 + (0.34 + 0.22 * shift) * body.width, body.domes[1] + 0.045 + 0.012 * size)
    radii = (0.030 + 0.050 * size, 0.022 + 0.022 * size)
    beside = (centre[0] + 0.05 * (second - 0.3), centre[1] + 0.02 * second)
    gas = ellipse(body.x, body.y, centre, radii, 0.5 * shift - 0.1)
    gas = np.minimum(gas, ellipse(body.x, body.y, beside, (0.03, 0.02), 0.4))
    bubble = ramp(1 - gas, 0.6)
    if not appearance.supine:
        bubble = bubble * ramp(np.float32(centre[1] + 0.008) - body.y, 0.006)
    return np.float32(0.45 * min(1.0, max(0.0, 1.9 * amount - 0.5))) * bubble


def _breasts(body: Anatomy, appearance: Appearance) -> Frame:
    own = np.random.default_rng([appearance.body, 29])
    fill = 0.5 * float(own.random()) + {"slim": 0.35, "average": 0.65, "large": 1.0}[appearance.habitus]
    sag = 0.62 + 0.0016 * (appearance.age - 50) + 0.05 * float(own.standard_normal())
    splay = 0.10 if appearance.supine else 0.0
    y = body.top + (sag - 0.10 * appearance.supine) * (body.foot - body.top)
    radii = (0.125 + 0.03 * fill, 0.135 + 0.045 * fill)
    total = np.zeros_like(body.off)
    for way in (-1, 1):
        centre = (0.5 + way * (0.60 + splay) * body.width, y)
        inside = np.clip(1 - ellipse(body.x, body.y, centre, radii, 0.25 * way), 0, 1)
        fade = np.clip((body.y - np.float32(y - 0.12)) / 0.16, 0, 1)
        total = total + np.sqrt(inside) * fade
    return np.float32(0.05 + 0.17 * fill) * total


def _windpipe(body: Anatomy) -> Frame:
    carina = 0.36
    nudge = np.float32(0.010) * np.clip(body.depth * 3, 0, 1)
    trachea = ramp(0.021 - np.abs(body.across + nudge), 0.014) * ramp(carina - body.depth, 0.06)
    fall = np.clip(body.depth - carina + 0.03, 0, 1) * np.float32(body.foot - body.top)
    slope = np.where(body.left, fall * 1.15, fall * 0.75)
    bronchi = ramp(np.float32(0.011) - np.abs(np.abs(body.across + 0.008) - slope), 0.012)
    bronchi = bronchi * ramp(body.depth - carina + 0.03, 0.03) * ramp(carina + 0.13 - body.depth, 0.08)
    return solid(0.17 * np.maximum(trachea, 0.6 * bronchi))
