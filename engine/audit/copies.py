"""Images whose files lie in both halves of an audit, under different patients."""

from collections.abc import Iterable

import numpy as np
import polars as pl
import pyarrow as pa

from misread.schemas.values import CONFIRMATION, DISCOVERY

from .aligned import located


def copies_across_halves(samples: pl.DataFrame, files: Iterable[pa.RecordBatch]) -> tuple[int, int]:
    """How many confirmation samples have the very file of a discovery sample, and of how many patients they are.

    `samples`: sample_id, patient, half and left_out, by sample_id, of which those that are left out count for nothing.
    `files`: batches of sample_id and sha256 (text, or NULL without a file), of which 9 bytes a sample are held. A
    patient lies in one half, so that copies are of different patients.
    """
    own, has_file = np.zeros(samples.height, np.uint64), np.zeros(samples.height, np.bool_)
    for batch in files:
        rows = pl.DataFrame(batch).drop_nulls("sha256")
        places = located(samples["sample_id"], rows["sample_id"])
        own[places[places >= 0]] = rows["sha256"].hash().to_numpy()[places >= 0]
        has_file[places[places >= 0]] = True
    kept = samples["left_out"].is_null().to_numpy() & has_file
    found, held = (kept & (samples["half"] == each).fill_null(False).to_numpy() for each in (DISCOVERY, CONFIRMATION))
    held[held] = np.isin(own[held], own[found])
    return int(held.sum()), samples["patient"].filter(pl.Series(held)).n_unique()


def copies_told(copies: int | None) -> str:
    """That in words; None: of so few patients that they are not counted."""
    return (
        f"{copies or 'few'} confirmation samples have the very image file of a discovery sample, under another "
        "patient: of them the search saw what confirms a slice; give copies (files of equal bytes, which the view "
        "copies lists) one patient_id, or leave them out with --where"
    )
