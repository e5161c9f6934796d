"""Which half of an audit a patient belongs to: slices are found on one and confirmed on the other."""

from hashlib import blake2b

import numpy as np
import polars as pl

from misread.schemas.values import CONFIRMATION, DISCOVERY, Half

from .aligned import inverse

HALF = pl.Enum([DISCOVERY, CONFIRMATION])
"""A half as a column: a byte a row."""


def half_of(patient: str, seed: int) -> Half:
    """The half of one patient: a hash of seed and patient, whatever else the store holds."""
    digest = blake2b(f"{seed}\x1f{patient}".encode(), digest_size=8).digest()
    return DISCOVERY if digest[0] & 1 else CONFIRMATION


def with_half(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """The rows, which have `patient`, with `half`, and `patient` as a number, in the order of names: from 0, UInt32.

    Every patient is looked at once.
    """
    number = rows["patient"].rank("dense").cast(pl.UInt32) - 1
    one = inverse(number.to_numpy().astype(np.intp), number.n_unique())
    half = pl.Series("half", (half_of(patient, seed) for patient in rows["patient"].gather(one)), dtype=HALF)
    return rows.with_columns(half.gather(number), patient=number)


def patient_unit() -> pl.Expr:
    """The patient a sample counts for; a sample without one stands alone."""
    return pl.col("patient_id").fill_null(pl.concat_str(pl.lit("sample\x1f"), pl.col("sample_id"))).alias("patient")
