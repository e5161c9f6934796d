"""Made-up chest radiographs: a demo archive with a known answer, and films with any attribute planted."""

from .appearance import Appearance
from .archive import Archive, write_archive
from .attributes import ATTRIBUTES, PATIENT_ATTRIBUTES, Plant
from .films import Exposure, expose_films
from .population import appearances, draw_population
from .radiograph import draw
from .reports import write_report

__all__ = [
    "ATTRIBUTES",
    "PATIENT_ATTRIBUTES",
    "Appearance",
    "Archive",
    "Exposure",
    "Plant",
    "appearances",
    "draw",
    "draw_population",
    "expose_films",
    "write_archive",
    "write_report",
]
