"""What the film may show: air or fluid beside the lung, consolidation, a nodule."""

from dataclasses import dataclass

import numpy as np

from .anatomy import Anatomy
from .appearance import Appearance, Side
from .canvas import Frame, clouds, ellipse, ramp, ridge, solid

_ZONE_DEPTH = {"upper": 0.24, "middle": 0.52, "lower": 0.78}


@dataclass(slots=True)
class Chest:
    """The layers that findings change, each (size, size) float32: air, vessels and added density."""

    air: Frame
    vessels: Frame
    texture: Frame
    density: Frame


def add_findings(chest: Chest, body: Anatomy, appearance: Appearance, rng: np.random.Generator) -> None:
    """Change `chest` to show every finding of `appearance`."""
    if appearance.consolidation_side:
        _consolidation(chest, body, appearance.consolidation_side, appearance.consolidation_zone, rng)
    if appearance.nodule_side:
        _nodule(chest, body, appearance.nodule_side, rng)
    if appearance.pneumothorax_side:
        _pneumothorax(chest, body, appearance, appearance.pneumothorax_side)
    if appearance.effusion_side:
        _effusion(chest, body, appearance, appearance.effusion_side)


def _pneumothorax(chest: Chest, body: Anatomy, appearance: Appearance, side: Side) -> None:
    """Air outside the lung: a thin pleural line with no markings beyond it."""
    away = _beyond(body, appearance)
    empty = ramp(away, 0.006) * body.half(side) * body.lungs
    size = appearance.pneumothorax_size
    line = ridge(away, 0.0055) * body.half(side) * body.lungs
    kept = 1 - empty
    collapsed = body.half(side) * body.lungs * kept
    chest.vessels *= kept
    chest.texture *= kept
    chest.air *= 1 - 0.20 * size * collapsed
    chest.air += 0.13 * empty
    chest.density += 0.095 * line


def _beyond(body: Anatomy, appearance: Appearance) -> Frame:
    """Distance outside the collapsed lung's edge, positive in the free air."""
    size = appearance.pneumothorax_size
    drop = (0.02 + 0.20 * size) if appearance.supine else (0.045 + 0.30 * size)
    sunk = (body.depth - drop) / (1 - 0.6 * drop)
    profile = np.clip(sunk, 0, 1)
    if appearance.supine:
        pull = 0.05 + 0.55 * size * (0.45 + 0.55 * profile)
    else:
        pull = 0.03 + 0.70 * size * (0.9 - 0.45 * profile)
    edge = body.wall_at(sunk)
    rooted = np.float32(0.30 * body.width)
    edge = np.where(edge > rooted, rooted + (edge - rooted) * (1 - pull), edge)
    slope = np.gradient(edge[:, 0]) * body.size
    steep = np.sqrt(1 + np.minimum(slope * slope, 60))[:, None].astype(np.float32)
    return solid((body.off - edge) / steep)


def _effusion(chest: Chest, body: Anatomy, appearance: Appearance, side: Side) -> None:
    """Fluid at the base with a meniscus that climbs the wall; a veil when the patient lies down."""
    half, size = body.half(side), appearance.effusion_size
    if appearance.supine:
        veil = half * np.clip((body.depth - 0.15) * 1.2, 0, 1) * np.float32(0.25 + 0.65 * size)
        angle = half * ramp(body.depth - np.float32(0.92 - 0.3 * size), 0.2)
        wet = np.maximum(veil, angle * 0.9)
    else:
        share = np.clip(body.off / body.width, 0, 1)
        level = np.float32(body.foot - 0.065 - 0.42 * size) - 0.075 * (share**5 - 0.25)
        flat = bool(appearance.pneumothorax_side == side)
        level = np.float32(body.foot - 0.065 - 0.42 * size) if flat else level
        wet = half * ramp(body.y - level, 0.008 if flat else 0.06)
    dry = 1 - wet
    chest.air *= dry
    chest.vessels *= dry
    chest.texture *= dry
    chest.density += 0.05 * wet * body.lungs


def _consolidation(chest: Chest, body: Anatomy, side: Side, zone: str, rng: np.random.Generator) -> None:
    share, lean = 0.55 + 0.12 * float(rng.uniform(-1, 1)), 0.05 * float(rng.standard_normal())
    centre = body.at(side, share, _ZONE_DEPTH[zone] + lean)
    radii = (float(rng.uniform(0.085, 0.13)), float(rng.uniform(0.085, 0.14)))
    spread = 1 - ellipse(body.x, body.y, centre, radii, 0.3) + 0.55 * clouds(rng, body.size, 12)
    patch = ramp(spread + 0.22 * clouds(rng, body.size, 30), 1.9) * body.half(side) * body.lungs
    chest.air *= 1 - 0.80 * patch
    chest.vessels *= 1 - 0.75 * patch
    chest.density += 0.03 * patch * clouds(rng, body.size, 56)


def _nodule(chest: Chest, body: Anatomy, side: Side, rng: np.random.Generator) -> None:
    centre = body.at(side, float(rng.uniform(0.45, 0.78)), float(rng.uniform(0.22, 0.72)))
    radius = float(rng.uniform(0.017, 0.032))
    inside = 1 - ellipse(body.x, body.y, centre, (radius, radius * 1.08))
    chest.density += 0.24 * np.sqrt(np.clip(inside + 0.1, 0, 1)) * ramp(inside, 0.4) * body.lungs
