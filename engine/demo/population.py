"""Made-up patients and their films, one row per film."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .appearance import SIDES, ZONES, Appearance
from .attributes import Flags, Plant, draw_attributes

FILMS_PER_PATIENT = (0.65, 0.25, 0.10)


def draw_population(
    patients: int,
    *,
    seed: int,
    rates: Mapping[str, float] | None = None,
    plant: Plant | None = None,
    films_per_patient: Sequence[float] = FILMS_PER_PATIENT,
    prefix: str = "P",
) -> pl.DataFrame:
    """Patients with one film or a few each.

    Sex, age, habitus, heart size, pacemaker and body shape belong to the patient; everything else may change
    from film to film.

    Args:
        rates: rates to use in place of the natural ones, by name of `ATTRIBUTES`.
        plant: a planted pair; P(attribute | given) is then exactly the planted one.
        films_per_patient: P(1 film), P(2 films), ...
        prefix: letter that starts every patient's id.

    Returns:
        one row per film: sample_id ('P00042_1'), patient_id, study_id, film_seed, every field of
        `Appearance`, and every yes/no attribute of `ATTRIBUTES` as a bool column. Sorted by sample_id.

    Raises:
        ValueError: a negative number of patients, an unknown attribute, or a rate outside 0 to 1.
    """
    if patients < 0:
        raise ValueError(f"{patients} patients; give 0 or more")
    rng = np.random.default_rng([seed, 1])
    age = np.clip(np.rint(rng.normal(58, 17, patients)), 18, 95)
    slim = rng.random(patients) < 0.22
    body = rng.integers(0, 2**31, patients)
    counts = rng.choice(np.arange(1, len(films_per_patient) + 1), patients, p=np.asarray(films_per_patient))
    patient_of = np.repeat(np.arange(patients), counts)
    turn = np.arange(len(patient_of)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    flags = draw_attributes(patient_of, age, seed, rates or {}, plant)
    names = [f"{prefix}{patient:05d}" for patient in patient_of]
    columns: dict[str, object] = {
        "sample_id": [f"{name}_{k}" for name, k in zip(names, turn, strict=True)],
        "patient_id": names,
        "study_id": [f"{name}-S{k}" for name, k in zip(names, turn, strict=True)],
        "film_seed": np.random.default_rng([seed, 2]).integers(0, 2**31, len(names)),
        "age": age[patient_of].astype(np.int64),
        "body": body[patient_of],
    }
    columns |= _looks(flags, slim[patient_of], np.random.default_rng([seed, 3]))
    return pl.DataFrame(columns, schema_overrides=_SCHEMA)


def appearances(films: pl.DataFrame) -> list[Appearance]:
    """The appearance of every row of a population, in row order."""
    wanted = [field.name for field in fields(Appearance) if field.name in films.columns]
    return [Appearance(**row) for row in films.select(wanted).iter_rows(named=True)]


_SIDED = ("pneumothorax_side", "effusion_side", "consolidation_side", "nodule_side", "drain_side", "line_side")
_SCHEMA = dict.fromkeys(_SIDED, pl.String)


def _looks(flags: Mapping[str, Flags], slim: Flags, rng: np.random.Generator) -> dict[str, object]:
    """Fields of `Appearance` and yes/no columns from the yes/no attributes, with chance details."""
    count = len(slim)
    spread = rng.random((8, count))
    bedside = spread[0] < np.where(flags["leads"] | flags["drain"] | flags["tube"] | flags["line"], 0.75, 0.12)
    shallow, rotated, under = flags["shallow"], flags["rotated"], flags["underexposed"]
    lean = np.where(spread[1] < 0.5, -1.0, 1.0)
    sides = _sides(flags, rng)
    return {
        **flags,
        "sex": np.where(flags["female"], "F", "M"),
        "habitus": np.where(flags["large"], "large", np.where(slim, "slim", "average")),
        "view": np.where(flags["supine"], "AP supine", np.where(bedside, "AP", "PA")),
        "scanner": np.where(flags["older_scanner"], "B", "A"),
        "marker": np.where(flags["right_marker"], "R", "L"),
        "inspiration": np.where(shallow, 0.05 + 0.3 * spread[2], 0.55 + 0.45 * spread[2]).round(3),
        "rotation": (lean * np.where(rotated, 0.55 + 0.45 * spread[3], 0.25 * spread[3])).round(3),
        "exposure": np.where(under, -0.5 - 0.5 * spread[4], -0.25 + 0.75 * spread[4]).round(3),
        "pneumothorax_size": (0.07 + 0.55 * spread[5] * np.sqrt(spread[6])).round(3),
        "effusion_size": (0.08 + 0.75 * spread[7] ** 1.6).round(3),
        "consolidation_zone": rng.choice(np.array(ZONES), count, p=[0.25, 0.25, 0.5]),
        **sides,
    }


def _sides(flags: Mapping[str, Flags], rng: np.random.Generator) -> dict[str, list[str | None]]:
    """A side for each finding or device that is there; a drain follows what it drains."""
    count = len(flags["drain"])
    drawn: dict[str, NDArray[np.str_]] = {
        name: np.where(rng.random(count) < right, SIDES[0], SIDES[1])
        for name, right in (
            ("pneumothorax", 0.55), ("effusion", 0.55), ("consolidation", 0.5),
            ("nodule", 0.5), ("drain", 0.5), ("line", 0.75),
        )
    }  # fmt: skip
    drawn["drain"] = np.where(flags["effusion"], drawn["effusion"], drawn["drain"])
    drawn["drain"] = np.where(flags["pneumothorax"], drawn["pneumothorax"], drawn["drain"])
    return {
        f"{name}_side": [str(side) if there else None for side, there in zip(sides, flags[name], strict=True)]
        for name, sides in drawn.items()
    }
