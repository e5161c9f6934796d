"""The words that name a planted attribute in a report; one of them in a phrase is a hit, whoever gave it."""

from __future__ import annotations

import re
from functools import lru_cache

_DEMO = """
cardiomegaly: cardiomegaly, enlarged, cardiac size
pacemaker: pacemaker, pacing
pneumothorax: pneumothorax, pleural line, pleural edge
effusion: effusion, costophrenic, pleural fluid
consolidation: consolidation, opacity, airspace
nodule: nodule, nodular
drain: drain, drains, chest tube, thoracostomy
supine: supine
tube: endotracheal, ett, intubated
line: line, venous, vena cava, svc
gastric_tube: nasogastric, enteric, ng, gastric, stomach
leads: leads, lead, telemetry
shallow: inspiration, inspiratory, volumes
rotated: rotated, rotation
"""

_INDIANA = """
Airspace Disease: airspace, consolidation, pneumonia, infiltrate, opacity, opacities
Aorta: aorta, aortic
Aorta, Thoracic: aorta, aortic
Atherosclerosis: atherosclerosis, atherosclerotic, aorta, aortic
Calcified Granuloma: granuloma, granulomas, granulomatous, calcified
Calcinosis: calcified, calcification, calcifications, granuloma, granulomas
Cardiomegaly: cardiomegaly, enlarged, enlargement
Catheters, Indwelling: catheter, picc, line, port, tube
Cicatrix: scar, scarring
Costophrenic Angle: costophrenic, blunting
Deformity: deformity, deformities
Density: density, densities
Diaphragm: diaphragm, hemidiaphragm, eventration
Emphysema: emphysema, hyperexpanded, hyperinflated, hyperinflation, copd, emphysematous
Fractures, Bone: fracture, fractures
Granulomatous Disease: granulomatous, granuloma, granulomas
Implanted Medical Device: pacemaker, device, generator, stimulator, leads, icd, implanted
Infiltrate: infiltrate, infiltrates, opacity, opacities
Markings: markings
Nodule: nodule, nodules, nodular
Opacity: opacity, opacities
Osteophyte: osteophyte, osteophytes, osteophytosis
Pleural Effusion: effusion, effusions
Pulmonary Atelectasis: atelectasis, atelectatic
Pulmonary Congestion: congestion, edema, vascular
Scoliosis: scoliosis, dextroscoliosis, levoscoliosis, curvature
Spine: spine, vertebral
Spondylosis: spondylosis, degenerative, osteophyte, osteophytes
Surgical Instruments: clips, surgical, sternotomy, sutures, wires
Technical Quality of Image Unsatisfactory: rotated, rotation, limited, underpenetrated, quality, technique
Thoracic Vertebrae: spine, vertebral, thoracic, degenerative
"""


def _read(lines: str) -> dict[str, tuple[str, ...]]:
    parts = [line.partition(": ") for line in lines.strip().splitlines()]
    return {name: tuple(words.split(", ")) for name, _, words in parts}


WORDS = {"demo": _read(_DEMO), "indiana": _read(_INDIANA)}
"""Attributes that reports do not speak of (sex, habitus, exposure, scanner, marker) have none, and take no part."""


def told(source: str, group: str) -> bool:
    """Whether reports have words for a planted group: an attribute, or `not ` and one."""
    return group.removeprefix("not ") in WORDS[source]


def names(source: str, group: str, phrase: str) -> bool:
    """Whether a phrase has a word of the group's attribute, present or not."""
    return bool(_pattern(source, group.removeprefix("not ")).search(phrase.lower()))


@lru_cache
def _pattern(source: str, attribute: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, WORDS[source][attribute]))})\b")
