"""Devices: chest drain, monitoring leads, pacemaker, breathing and feeding tubes, central line."""

import numpy as np

from .anatomy import Anatomy, sign
from .appearance import Appearance, Side
from .canvas import Frame, Strokes, bezier, offset


def devices(body: Anatomy, appearance: Appearance, seed: int) -> Frame:
    """Metal and plastic along the beam, 0 to 1, (size, size).

    Each device has its own random stream, so adding one leaves the others where they were.
    """
    strokes = Strokes(body.size)
    streams = [np.random.default_rng([seed, 60 + k]) for k in range(6)]
    if appearance.leads:
        _leads(strokes, body, streams[0])
    if appearance.line_side:
        _line(strokes, body, appearance.line_side, streams[1])
    if appearance.gastric_tube:
        _gastric_tube(strokes, body, streams[2])
    if appearance.tube:
        _breathing_tube(strokes, body, streams[3])
    if appearance.pacemaker:
        _pacemaker(strokes, body, np.random.default_rng([appearance.body, 67]))
    if appearance.drain_side:
        _drain(strokes, body, appearance.drain_side, streams[5])
    return strokes.frame()


def _drain(strokes: Strokes, body: Anatomy, side: Side, rng: np.random.Generator) -> None:
    """A wide tube from the flank into the pleural space, with a bright stripe broken once."""
    way = sign(side)
    low = float(rng.uniform(0.62, 0.86))
    entry = body.at(side, 1.0, low)
    outside = (entry[0] + way * float(rng.uniform(0.12, 0.20)), entry[1] + float(rng.uniform(0.02, 0.16)))
    apical = rng.random() < 0.75
    tip = body.at(side, float(rng.uniform(0.35, 0.55)), float(rng.uniform(0.10, 0.22)))
    if not apical:
        tip = body.at(side, float(rng.uniform(0.38, 0.5)), float(rng.uniform(0.60, 0.72)))
    inner = body.at(side, float(rng.uniform(0.66, 0.86)), low - float(rng.uniform(0.05, 0.15)))
    turn = body.at(side, float(rng.uniform(0.70, 1.0)), 0.45 * low)
    line = bezier([outside, inner, turn, tip], 36)
    width = float(rng.uniform(0.017, 0.022))
    strokes.curve(line, width, 0.34)
    for edge in (-0.5, 0.5):
        strokes.curve(offset(line, edge * width), 0.004, 0.62)
    stripe = offset(line, 0.12 * width)
    strokes.curve(stripe[:29], 0.0065, 1.0)
    strokes.curve(stripe[30:], 0.0065, 1.0)


def _leads(strokes: Strokes, body: Anatomy, rng: np.random.Generator) -> None:
    """Three to five electrodes, each with a looping wire that leaves the film."""
    spots = [
        ("right", 0.72, 0.08),
        ("left", 0.75, 0.08),
        ("left", 0.98, 0.88),
        ("right", 0.95, 0.92),
        ("left", 0.3, 0.6),
    ]
    exit_x = 0.5 + float(rng.choice([-1, 1])) * float(rng.uniform(0.10, 0.42))
    for side, share, depth in spots[: int(rng.integers(3, 6))]:
        spot = np.array(body.at(side, share, depth)) + rng.normal(0, 0.025, 2)  # type: ignore[arg-type]
        away = (exit_x + float(rng.normal(0, 0.03)), 1.05 if depth > 0.4 or rng.random() < 0.7 else -0.05)
        sweep = rng.normal(0, 0.10, 4)
        line = bezier(
            [spot, spot + np.array([sweep[0], 0.16 + sweep[1]]), (away[0] + sweep[2], 0.75 + sweep[3]), away], 26
        )
        strokes.curve(line, 0.0035, 0.52)
        strokes.disc(spot, 0.0165, 0.42)
        strokes.disc(spot, 0.0075, 1.0)


def _pacemaker(strokes: Strokes, body: Anatomy, rng: np.random.Generator) -> None:
    """A generator below the left collar bone and one or two leads into the right heart."""
    x, y = body.at("left", 0.80 + 0.05 * float(rng.uniform(-1, 1)), 0.21)
    turn = np.linspace(0, 2 * np.pi, 26, endpoint=False)
    shape = np.stack([np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.6 * 0.046,
                      np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.6 * 0.038], axis=1)  # fmt: skip
    strokes.polygon(shape + np.array([x, y]), 0.86)
    strokes.polygon(shape * (0.8, 0.6) + (x, y + 0.009), 1.0)
    strokes.polygon(shape * (0.7, 0.2) + (x, y - 0.026), 0.70)
    cava = body.at("right", 0.13, 0.22)
    for depth, share, side in ((0.86, 0.28, "left"), (0.64, 0.20, "right"))[: int(rng.integers(1, 3))]:
        tip = body.at(side, share, depth)  # type: ignore[arg-type]
        entry = bezier([(x, y - 0.03), (x + 0.02, y - 0.11), (0.5 + 0.05, y - 0.10), cava], 22)
        low = bezier([cava, (cava[0] - 0.005, cava[1] + 0.16), (cava[0], tip[1] + 0.02), tip], 22)
        strokes.curve(np.concatenate([entry, low]), 0.0055, 0.80)
        strokes.curve(low[-3:], 0.009, 1.0)


def _breathing_tube(strokes: Strokes, body: Anatomy, rng: np.random.Generator) -> None:
    tip = body.at("right", 0.01, float(rng.uniform(0.14, 0.27)))
    line = bezier([(0.5 + float(rng.normal(0, 0.02)), -0.05), (0.5, 0.02), (tip[0], tip[1] - 0.08), tip], 18)
    for edge in (-0.0085, 0.0085):
        strokes.curve(offset(line, edge), 0.0035, 0.42)
    strokes.curve(offset(line, 0.004), 0.005, 0.80)


def _gastric_tube(strokes: Strokes, body: Anatomy, rng: np.random.Generator) -> None:
    gate = (0.5 + 0.014, body.domes[1] + 0.02)
    tip = (0.5 + float(rng.uniform(0.08, 0.19)), min(gate[1] + float(rng.uniform(0.10, 0.2)), 0.99))
    down = bezier([(0.51, -0.05), (0.505, 0.2), (0.505, gate[1] - 0.2), gate], 20)
    line = np.concatenate([down, bezier([gate, (gate[0] + 0.02, gate[1] + 0.07), (tip[0], tip[1] - 0.05), tip], 12)])
    strokes.curve(line, 0.0075, 0.50)
    strokes.curve(line, 0.004, 0.85)


def _line(strokes: Strokes, body: Anatomy, side: Side, rng: np.random.Generator) -> None:
    """A neck, collar-bone or arm line whose tip lies over the superior vena cava."""
    way, tip = sign(side), body.at("right", 0.13, float(rng.uniform(0.34, 0.46)))
    if rng.random() < 0.5:
        start = (0.5 + way * float(rng.uniform(0.10, 0.15)), -0.02)
        bend = (0.5 + way * 0.055, body.top + 0.02)
    else:
        start = (0.5 + way * 0.46, body.top + float(rng.uniform(0.10, 0.25)))
        bend = (0.5 + way * 0.20, body.top - 0.04)
    strokes.curve(bezier([start, bend, (tip[0], body.top + 0.05), tip], 26), 0.0055, 0.66)
