"""Free-text reports of made-up films."""

import numpy as np

from .appearance import Appearance, Side
from .phrases import PHRASES

_SMALL = 0.28
_ABSENT_DRAIN = 0.85


class _Writer:
    """Picks wordings from one random stream, so that a report is a function of its seed."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 91])

    def chance(self, p: float) -> bool:
        return bool(self._rng.random() < p)

    def say(self, what: str, side: Side | None = None, zone: str = "") -> str:
        choices = PHRASES[what]
        words = choices[int(self._rng.integers(len(choices)))]
        name = side or ""
        return words.format(side=name, Side=name.capitalize(), zone=zone, Zone=zone.capitalize())

    def shuffled(self, parts: list[list[str]]) -> list[list[str]]:
        return [parts[k] for k in self._rng.permutation(len(parts))]


def write_report(appearance: Appearance, seed: int) -> str:
    """A radiologist's report of one film: FINDINGS and IMPRESSION, worded afresh for every seed.

    Every finding and every tube is named with its side. A film without a chest drain says so in most cases,
    not in all; so it is with pneumothorax and effusion. The text tells of the film only, never of what a
    classifier made of it.

    Returns:
        text of two to four lines.
    """
    writer = _Writer(seed)
    found = _pleura(writer, appearance), _lungs(writer, appearance), _heart(writer, appearance)
    parts = writer.shuffled([_devices(writer, appearance), *found, _bones(writer)])
    sentences = [*_quality(writer, appearance), *(sentence for part in parts for sentence in part)]
    lines = _head(writer)
    lines.append("FINDINGS: " + " ".join(sentences))
    lines.append("IMPRESSION: " + " ".join(_impression(writer, appearance)))
    return "\n".join(lines)


def _head(writer: _Writer) -> list[str]:
    lines = []
    if writer.chance(0.5):
        lines.append("INDICATION: " + writer.say("indication"))
    if writer.chance(0.35):
        lines.append("COMPARISON: " + writer.say("comparison"))
    return lines


def _quality(writer: _Writer, appearance: Appearance) -> list[str]:
    sentences = [writer.say(f"view {appearance.view}")] if writer.chance(0.7) else []
    if appearance.inspiration < 0.4 and writer.chance(0.75):
        sentences.append(writer.say("shallow"))
    if abs(appearance.rotation) > 0.5 and writer.chance(0.6):
        sentences.append(writer.say("rotated"))
    return sentences


def _devices(writer: _Writer, appearance: Appearance) -> list[str]:
    plain = ("tube", "gastric_tube", "pacemaker")
    sentences = [writer.say(name) for name in plain if getattr(appearance, name)]
    if appearance.line_side:
        sentences.append(writer.say("line", appearance.line_side))
    if appearance.leads and writer.chance(0.7):
        sentences.append(writer.say("leads"))
    if appearance.drain_side:
        return [writer.say("drain", appearance.drain_side), *sentences]
    bare = not (appearance.tube or appearance.gastric_tube or appearance.pacemaker or appearance.line_side)
    if writer.chance(_ABSENT_DRAIN):
        alone = bare and not appearance.leads and writer.chance(0.55)
        sentences.append(writer.say("no devices" if alone else "no drain"))
    return sentences


def _sized(name: str, size: float) -> str:
    return f"{name} {'small' if size < _SMALL else 'large'}"


def _pleura(writer: _Writer, appearance: Appearance) -> list[str]:
    sentences = []
    if appearance.pneumothorax_side:
        key = _sized("pneumothorax", appearance.pneumothorax_size)
        sentences.append(writer.say(key, appearance.pneumothorax_side))
    elif writer.chance(0.85):
        sentences.append(writer.say("no pneumothorax"))
    if appearance.effusion_side:
        key = _sized("effusion", appearance.effusion_size)
        sentences.append(writer.say(key, appearance.effusion_side))
    elif writer.chance(0.8):
        sentences.append(writer.say("no effusion"))
    return sentences


def _lungs(writer: _Writer, appearance: Appearance) -> list[str]:
    sentences = []
    if appearance.consolidation_side:
        sentences.append(writer.say("consolidation", appearance.consolidation_side, appearance.consolidation_zone))
    if appearance.nodule_side:
        sentences.append(writer.say("nodule", appearance.nodule_side))
    if not sentences and writer.chance(0.85):
        sentences.append(writer.say("clear"))
    return sentences


def _heart(writer: _Writer, appearance: Appearance) -> list[str]:
    if appearance.cardiomegaly:
        return [writer.say("cardiomegaly")]
    return [writer.say("heart normal")] if writer.chance(0.85) else []


def _bones(writer: _Writer) -> list[str]:
    return [writer.say("bones")] if writer.chance(0.6) else []


def _impression(writer: _Writer, appearance: Appearance) -> list[str]:
    told = []
    if appearance.pneumothorax_side:
        key = _sized("pneumothorax", appearance.pneumothorax_size)
        told.append(writer.say(key, appearance.pneumothorax_side))
    if appearance.consolidation_side:
        told.append(writer.say("consolidation", appearance.consolidation_side, appearance.consolidation_zone))
    if appearance.effusion_side:
        told.append(writer.say(_sized("effusion", appearance.effusion_size), appearance.effusion_side))
    if appearance.nodule_side:
        told.append(writer.say("nodule", appearance.nodule_side))
    if appearance.cardiomegaly:
        told.append(writer.say("cardiomegaly"))
    if not told:
        return [writer.say("normal")]
    return told + ([writer.say("stable")] if writer.chance(0.3) else [])
