"""A whole audit of rows that are in no store: search, calibration, confirmation, Benjamini-Hochberg."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.audit.population import REASON, Population, population
from misread.execute.discovering import discover
from misread.execute.steps import FusedSamples, ScannedSamples
from misread.fitting import fuse
from misread.fuse import Block
from misread.metadata import fit_features
from misread.plan import Discover, Node
from misread.progress import silent
from misread.schemas.values import DISCOVERY

MODEL, TARGET = "model", "target"


def audited(
    blocks: Mapping[str, Block],
    patients: NDArray[np.intp],
    half: NDArray[np.str_],
    label: NDArray[np.intp],
    score: NDArray[np.float64],
    *,
    seed: int,
    permutations: int | None,
) -> list[dict[str, Any]]:
    """The slices table of an audit of rows, all (n, ...), at the threshold .5; stability is left out."""
    judged = _population(patients, half, label, score)
    samples = judged.samples.with_columns(left_out=pl.lit(None, REASON))
    fusion, vectors = fuse(blocks, half == DISCOVERY)
    below = ScannedSamples(seed, samples, pl.DataFrame(), pl.DataFrame())
    fused = FusedSamples(below, samples, vectors, fusion, fit_features(pl.DataFrame(), []), (), ())
    node = Discover(Node(), permutations=permutations, stability=0, threshold=0.5, named="audit")
    return [found.row for found in discover(node, fused, [judged], silent).slices]


def _population(
    patients: NDArray[np.intp], half: NDArray[np.str_], label: NDArray[np.intp], score: NDArray[np.float64]
) -> Population:
    ids = [f"{k:09d}" for k in range(len(label))]
    scanned = pl.DataFrame({"sample_id": ids, "patient": [f"{p:09d}" for p in patients], "half": half}).with_columns(
        left_out=pl.lit(None, REASON)
    )
    predictions = pl.DataFrame({"place": range(len(ids)), "label": label, "score": score}).with_columns(
        pl.col("label").cast(pl.Int8),
        task=pl.lit(None, pl.String),
        loss=pl.lit(None, pl.Float64),
        winner=pl.lit(None, pl.Boolean),
    )
    return population(scanned, predictions, MODEL, TARGET, 0.5)
