"""Yes/no attributes of patients and films: how common they are and how they hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .plants import Plant

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]


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
    plants: Sequence[Plant],
) -> dict[str, Flags]:
    """Every attribute of every film.

    Each attribute has a random stream of its own: changing one rate leaves unlinked attributes as they were.

    Args:
        patient_of: the patient's number of each film, shape (films,).
        age: years of each patient, shape (patients,).
        rates: rates to use in place of the natural ones; natural links stay.
        plants: planted pairs.

    Returns:
        one bool array of shape (films,) per name of `ATTRIBUTES`.

    Raises:
        ValueError: an unknown name, a rate outside 0 to 1, or plants that cannot all hold.
    """
    wanted = _rates(rates, plants)
    laid = _arrange(plants, wanted)
    drawn: dict[str, Flags] = {}
    for name in _order(laid):
        whole = _NATURE[name].of_patient
        known = {key: _per(flags, patient_of, len(age), whole) for key, flags in drawn.items()}
        years = age if whole else age[patient_of]
        chance = _chance(name, known, years, wanted[name], laid.get(name))
        luck = np.random.default_rng([seed, 100 + ATTRIBUTES.index(name)]).random(len(years))
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


def _chance(name: str, known: Mapping[str, Flags], age: Floats, rate: float, plant: Plant | None) -> Floats:
    if plant:
        return np.where(known[plant.given], plant.p_with, plant.p_without)
    pull = np.zeros(len(age))
    for other, weight in _NATURE[name].pulls.items():
        if other == "age":
            pull += weight * (age - 60) / 15
        elif other in known:
            pull += weight * known[other]
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


def _rates(rates: Mapping[str, float], plants: Sequence[Plant]) -> dict[str, float]:
    named = set(rates) | {name for plant in plants for name in (plant.attribute, plant.given)}
    unknown = sorted(named - set(ATTRIBUTES))
    if unknown:
        raise ValueError(f"no attribute {', '.join(unknown)}; there are {', '.join(ATTRIBUTES)}")
    wanted = {name: nature.rate for name, nature in _NATURE.items()} | dict(rates)
    for plant in plants:
        if plant.rate is not None:
            wanted[plant.given] = plant.rate
    for name, rate in wanted.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"the rate of {name} is {rate}; it runs from 0 to 1")
    return wanted


def _arrange(plants: Sequence[Plant], rates: dict[str, float]) -> dict[str, Plant]:
    """Plants by the attribute drawn second; a patient's attribute is always drawn before a film's."""
    laid: dict[str, Plant] = {}
    for plant in plants:
        way = plant
        if _NATURE[plant.attribute].of_patient and not _NATURE[plant.given].of_patient:
            way = plant.turned(rates[plant.given])
            rates[way.given] = way.rate if way.rate is not None else rates[way.given]
        if way.attribute in laid:
            raise ValueError(f"{way.attribute} is planted twice; give it one plant")
        laid[way.attribute] = way
    return laid


def _order(laid: Mapping[str, Plant]) -> list[str]:
    """Attributes in an order in which every planted one follows the one it hangs on."""
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            raise ValueError(f"plants run in a circle: {' on '.join((*path, name))}")
        if name in laid:
            visit(laid[name].given, (*path, name))
        if name not in order:
            order.append(name)

    for name in ATTRIBUTES:
        visit(name, ())
    return order
