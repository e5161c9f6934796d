"""Made-up frontal chest radiographs: `draw` turns an `Appearance` into a picture."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from .anatomy import Anatomy, anatomy_of
from .appearance import Appearance
from .bones import bones
from .canvas import Frame, grid, soften, solid
from .devices import devices
from .findings import Chest, add_findings
from .tissue import air, soft_tissue
from .vessels import markings, mottle


def draw(appearance: Appearance, seed: int, size: int = 256) -> NDArray[np.uint8]:
    """A frontal chest film of `appearance`, shape (size, size), uint8, white where the beam was stopped.

    Deterministic: the same appearance, seed and size give the same bytes. `appearance.body` fixes the
    person's shape, `seed` the exposure's own accidents (noise, where devices lie).

    Raises:
        ValueError: `size` below 64.
    """
    if size < 64:
        raise ValueError(f"size is {size}; a film needs at least 64 pixels a side")
    body = anatomy_of(appearance, size)
    thickness = _thickness(body, appearance, seed)
    thickness = _place(thickness, np.random.default_rng([seed, 8]))
    film = _expose(thickness, appearance, np.random.default_rng([seed, 5]))
    return _mark(film, appearance, seed)


def _thickness(body: Anatomy, appearance: Appearance, seed: int) -> Frame:
    """Attenuation along the beam, 0 in open air and near 1.3 behind the heart."""
    tissue = soft_tissue(body, appearance, np.random.default_rng([appearance.body, 7]))
    chest = Chest(
        air=air(body, appearance),
        vessels=markings(body, appearance),
        texture=mottle(body, np.random.default_rng([appearance.body, 3])),
        density=np.zeros((body.size, body.size), np.float32),
    )
    add_findings(chest, body, appearance, np.random.default_rng([seed, 4]))
    lung = chest.air * np.float32(0.47)
    inside = np.clip(tissue * 8, 0, 1)
    marks = chest.air * (0.27 * chest.vessels + 0.018 * chest.texture)
    skeleton = bones(body, appearance) * np.float32(0.25) * inside
    total = np.maximum(tissue - lung, 0.06 * inside) + marks + chest.density + skeleton
    metal = devices(body, appearance, seed)
    return solid(total + metal * np.float32(0.34))


def _place(thickness: Frame, rng: np.random.Generator) -> Frame:
    """Turn, shift and scale the patient a little on the plate; open air comes in at the edges."""
    size = thickness.shape[0]
    turn, zoom = float(rng.normal(0, 0.018)), float(rng.uniform(0.93, 0.99))
    dx, dy = (float(v) for v in rng.normal(0, 0.013, 2))
    c, s, mid = zoom * np.cos(turn), zoom * np.sin(turn), size / 2
    matrix = (c, -s, mid * (1 - c + s) + dx * size, s, c, mid * (1 - c - s) + dy * size)
    plate = Image.fromarray(thickness)
    return np.asarray(plate.transform((size, size), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def _expose(thickness: Frame, appearance: Appearance, rng: np.random.Generator) -> Frame:
    """Film brightness 0 to 1: scatter, the curve of the film, a beam gradient, blur and noise."""
    size = thickness.shape[0]
    old = appearance.scanner == "B"
    scatter = 0.14 + 0.08 * appearance.frontal_ap + 0.07 * (appearance.habitus == "large") + 0.05 * old
    seen = thickness + np.float32(scatter) * (soften(thickness, 0.08) - thickness)
    x, y = grid(size)
    tilt = rng.normal(0, 0.04, 2).astype(np.float32)
    seen = seen * (1 + tilt[0] * (x - 0.5) + tilt[1] * (y - 0.5))
    gain = 1.85 * float(np.exp(-0.22 * appearance.exposure + 0.05 * rng.standard_normal()))
    film = 1 - np.exp(-np.float32(gain) * np.maximum(seen, 0) ** np.float32(1.15))
    if old:
        film = 0.09 + 0.80 * _soften_fine(film, 1.6)
    grain = rng.standard_normal((size, size), dtype=np.float32)
    if old:
        grain = _soften_fine(grain, 1.0)
    level = (0.028 if old else 0.009) * (1 + 0.5 * appearance.frontal_ap)
    return solid(film + np.float32(level) * grain * (0.35 + film))


def _soften_fine(film: Frame, pixels: float) -> Frame:
    """`film` blurred by a small kernel of `pixels` neighbours' weight."""
    w = np.float32(pixels / (2 + 2 * pixels))
    out = film.copy()
    out[1:-1] = (1 - w) * film[1:-1] + 0.5 * w * (film[:-2] + film[2:])
    across = out.copy()
    across[:, 1:-1] = (1 - w) * out[:, 1:-1] + 0.5 * w * (out[:, :-2] + out[:, 2:])
    return across


def _mark(film: Frame, appearance: Appearance, seed: int) -> NDArray[np.uint8]:
    """Burn in the side letter, and MOBILE on bedside films of the newer scanner."""
    size = film.shape[0]
    picture = Image.fromarray(np.clip(film * 255, 0, 255).astype(np.uint8))
    rng = np.random.default_rng([seed, 6])
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(8, round(0.055 * size)))
    x = 0.90 if appearance.marker == "L" else 0.055
    spot = (size * (x + 0.02 * rng.uniform(-1, 1)), size * (0.045 + 0.03 * rng.random()))
    pen.text(spot, appearance.marker, fill=238, font=font)
    if appearance.frontal_ap and appearance.scanner == "A":
        small = ImageFont.load_default(max(7, round(0.03 * size)))
        pen.text((size * (x - 0.05), spot[1] + 0.065 * size), "MOBILE", fill=205, font=small)
    return np.asarray(picture)
