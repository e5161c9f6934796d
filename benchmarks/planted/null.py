"""Audits in which there is nothing to find: errors that have nothing to do with the vectors.

The whole audit is run as `misread` runs it: search, calibration, confirmation on held-out patients, and
Benjamini-Hochberg. Every confirmed slice is a false discovery.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from benchmarks.audits import audited
from benchmarks.peers import Audit, method
from misread.audit.halves import half_of
from misread.fuse import Block
from misread.metadata import choose_columns, fit_features
from misread.principal import principal_directions
from misread.schemas.values import DISCOVERY, SIGNIFICANCE

from .scenarios import Booleans, Generator, Integers
from .setting import Setting, generator
from .source import Source

ROWS = 1600
RATE = 0.2
WITHIN = 0.3
"""Intra-class correlation of errors within a patient."""
MOST_OF_PATIENT = 6


def null_rows(setting: Setting, source: Source, permutations: int | None) -> dict[str, Any]:
    """Slices found and confirmed in one null audit, and slices that Domino gives on the same rows."""
    rng = generator(setting, 2)
    rows = np.sort(rng.choice(len(source), min(ROWS, len(source)), replace=False))
    patients = _patients(setting, source, rows, rng)
    label = source.flags(str(rng.choice(source.targets)))[rows].astype(np.intp)
    errors = errors_of(patients, WITHIN if setting.predictions == "patients" else 0.0, rng)
    sure = 0.5 + 0.5 * rng.random(len(rows))
    score = np.where((label == 1) != errors, sure, 1 - sure)
    half = np.array([half_of(str(patient), setting.seed) for patient in patients])
    blocks = _blocks(setting, source, rows, label, half == DISCOVERY)
    began = time.perf_counter()
    found = audited(blocks, patients, half, label, score, seed=setting.seed, permutations=permutations)
    seconds = time.perf_counter() - began
    audit = Audit(blocks, pl.DataFrame(), label, score, (score >= 0.5).astype(np.intp), errors, patients)
    domino = method("domino").fit(audit.take(half == DISCOVERY), 0).score(audit, True).shape[1]
    return {
        "found": len(found),
        "confirmed": sum(bool(row["confirmed"]) for row in found),
        "smallest_p": min((row["p_value"] for row in found), default=None),
        "domino_found": domino,
        "seconds": round(seconds, 3),
        "permutations": permutations,
        "significance": SIGNIFICANCE,
    }


def errors_of(patients: Integers, within: float, rng: Generator) -> Booleans:
    """Errors at a rate of .2; a patient's own rate is drawn from a Beta of intra-class correlation `within`."""
    names, codes = np.unique(patients, return_inverse=True)
    if within <= 0:
        return np.asarray(rng.random(len(patients)) < RATE)
    strength = 1 / within - 1
    rates = rng.beta(RATE * strength, (1 - RATE) * strength, len(names))
    return np.asarray(rng.random(len(patients)) < rates[codes])


def _patients(setting: Setting, source: Source, rows: Integers, rng: Generator) -> Integers:
    """The source's own patients; where they seldom repeat and should, neighbours in the vectors are made one."""
    own = source.patients[rows]
    if setting.predictions != "patients" or len(np.unique(own)) < 0.6 * len(own):
        return own
    block = next(iter(source.blocks.values()))
    centered = np.asarray(block.rows[rows], float)
    centered = centered - centered.mean(axis=0)
    line = centered @ principal_directions(centered, 3)[1] @ rng.standard_normal(3)
    sizes = rng.integers(1, MOST_OF_PATIENT + 1, len(rows))
    numbers = np.repeat(np.arange(len(sizes)), sizes)[: len(rows)]
    patients = np.empty(len(rows), np.intp)
    patients[np.argsort(line, kind="stable")] = numbers
    return patients


def _blocks(
    setting: Setting, source: Source, rows: Integers, label: Integers, fitted_on: Booleans
) -> Mapping[str, Block]:
    names = [name for name in source.blocks if name in setting.modalities]
    blocks = {name: Block(source.blocks[name].rows[rows], source.blocks[name].present[rows]) for name in names}
    if "metadata" in setting.modalities:
        columns = source.metadata[rows.tolist()]
        chosen, _ = choose_columns(columns, {"target": pl.Series("target", label)}, None)
        features = fit_features(columns.filter(pl.Series(fitted_on)), chosen)
        blocks["metadata"] = Block(features.transform(columns), np.ones(len(rows), bool))
    return blocks
