"""Yes/no attributes of patients and films: how common they are and how they hang together."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plant:
    """P(attribute | given) and P(attribute | not given), in place of whatever links the two by nature.

    Args:
        attribute: the attribute drawn second.
        given: the attribute drawn first: one that stands before it in `ATTRIBUTES`.
        p_with: P(attribute) where `given` holds.
        p_without: P(attribute) where it does not.
        rate: P(given).
    """

    attribute: str
    given: str
    p_with: float
    p_without: float
    rate: float


@dataclass(frozen=True, slots=True)
class _Nature:
    """A rate, and the log odds that age (per 15 years over 60) and other attributes add."""

    rate: float
    pulls: Mapping[str, float]
    of_patient: bool = False


_NATURE: dict[str, _Nature] = {
    "female": _Nature(0.47, {}, of_patient=True),
    "large": _Nature(0.22, {}, of_patient=True),
    "cardiomegaly": _Nature(0.16, {"age": 0.5}, of_patient=True),
    "pacemaker": _Nature(0.06, {"age": 0.9, "cardiomegaly": 0.8}, of_patient=True),
    "pneumothorax": _Nature(0.12, {"age": -0.15}),
    "effusion": _Nature(0.16, {"age": 0.3, "cardiomegaly": 0.8}),
    "consolidation": _Nature(0.13, {}),
    "nodule": _Nature(0.06, {"age": 0.4}),
    "drain": _Nature(0.10, {"pneumothorax": 2.6, "effusion": 1.0}),
    "supine": _Nature(0.14, {"effusion": 0.4, "consolidation": 0.5}),
    "tube": _Nature(0.08, {"supine": 2.6}),
    "line": _Nature(0.15, {"supine": 1.2, "tube": 2.0}),
    "gastric_tube": _Nature(0.08, {"tube": 2.8}),
    "leads": _Nature(0.28, {"supine": 1.5, "tube": 1.2, "drain": 0.5}),
    "shallow": _Nature(0.20, {"supine": 1.2, "large": 0.6}),
    "rotated": _Nature(0.15, {"supine": 0.6}),
    "underexposed": _Nature(0.12, {"large": 1.0}),
    "older_scanner": _Nature(0.30, {"supine": 0.4}),
    "right_marker": _Nature(0.12, {}),
}

ATTRIBUTES = tuple(_NATURE)
PATIENT_ATTRIBUTES = tuple(name for name, nature in _NATURE.items() if nature.of_patient)


def draw_attributes(
    patient_of: NDArray[np.intp],
    age: Floats,
    seed: int,
    rates: Mapping[str, float],
    plant: Plant | None,
) -> dict[str, Flags]:
    """Every attribute of every film.

    Each attribute has a random stream of its own: changing one rate leaves unlinked attributes as they were.

    Args:
        patient_of: the patient's number of each film, shape (films,).
        age: years of each patient, shape (patients,).
        rates: rates to use in place of the natural ones; natural links stay.
        plant: a planted pair.

    Returns:
        one bool array of shape (films,) per name of `ATTRIBUTES`.

    Raises:
        ValueError: an unknown name, or a rate outside 0 to 1.
    """
    wanted = _rates(rates, plant)
    drawn: dict[str, Flags] = {}
    for place, (name, nature) in enumerate(_NATURE.items()):
        whole = nature.of_patient
        known = {key: _per(flags, patient_of, len(age), whole) for key, flags in drawn.items()}
        years = age if whole else age[patient_of]
        planted = plant if plant and plant.attribute == name else None
        chance = _chance(nature, known, years, wanted[name], planted)
        luck = np.random.default_rng([seed, 100 + place]).random(len(years))
        flags = luck < chance
        drawn[name] = flags[patient_of] if whole else flags
    return drawn


def _per(flags: Flags, patient_of: NDArray[np.intp], patients: int, whole: bool) -> Flags:
    """Film flags as they are, or, for an attribute of the patient, the flag of each patient's films."""
    if not whole:
        return flags
    per_patient = np.zeros(patients, dtype=bool)
    per_patient[patient_of] = flags
    return per_patient


def _chance(nature: _Nature, known: Mapping[str, Flags], age: Floats, rate: float, plant: Plant | None) -> Floats:
    if plant:
        return np.where(known[plant.given], plant.p_with, plant.p_without)
    pull = np.zeros(len(age))
    for other, weight in nature.pulls.items():
        pull += weight * ((age - 60) / 15 if other == "age" else known[other])
    return _with_mean(pull, rate)


def _with_mean(pull: Floats, rate: float) -> Floats:
    """Probabilities whose log odds are `pull` plus a constant, with a mean of `rate`."""
    if rate in (0.0, 1.0) or not len(pull):
        return np.full(len(pull), rate)
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if float((1 / (1 + np.exp(-pull - middle))).mean()) < rate:
            low = middle
        else:
            high = middle
    return np.asarray(1 / (1 + np.exp(-pull - low)))


def _rates(rates: Mapping[str, float], plant: Plant | None) -> dict[str, float]:
    unknown = sorted(set(rates) - set(ATTRIBUTES))
    if unknown:
        raise ValueError(f"no attribute {', '.join(unknown)}; there are {', '.join(ATTRIBUTES)}")
    planted = {plant.given: plant.rate} if plant else {}
    wanted = {name: nature.rate for name, nature in _NATURE.items()} | dict(rates) | planted
    for name, rate in wanted.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"the rate of {name} is {rate}; it runs from 0 to 1")
    return wanted
