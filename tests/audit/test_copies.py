"""Files that lie in both halves of an audit."""

from hashlib import sha256

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from misread.audit.copies import copies_across_halves, copies_told
from misread.audit.halves import HALF
from misread.schemas.values import CONFIRMATION, DISCOVERY


def digest(content: object) -> str:
    return sha256(str(content).encode()).hexdigest()


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_those_counted_by_hand(seed: int) -> None:
    """In whatever batches and order files come; a sample left out, or without a file, has none and is none."""
    rng = np.random.default_rng(seed)
    n = 200
    samples = pl.DataFrame(
        {
            "sample_id": [f"s{i:03d}" for i in range(n)],
            "patient": rng.integers(60, size=n),
            "half": pl.Series(rng.choice([DISCOVERY, CONFIRMATION], n), dtype=HALF),
            "left_out": [("no label", None)[int(rng.random() < 0.8)] for _ in range(n)],
        }
    )
    files = [None if rng.random() < 0.2 else digest(rng.integers(150)) for _ in range(n)]
    listed = pl.DataFrame({"sample_id": samples["sample_id"], "sha256": files}, schema_overrides={"sha256": pl.String})
    shuffled = listed.sample(fraction=1, shuffle=True, seed=seed).to_arrow().cast(_plain(listed.to_arrow().schema))
    kept = [
        (file, half, patient)
        for file, (_, patient, half, left_out) in zip(files, samples.iter_rows(), strict=True)
        if file and left_out is None
    ]
    seen = {file for file, half, _ in kept if half == DISCOVERY}
    copies = [patient for file, half, patient in kept if half == CONFIRMATION and file in seen]
    assert copies
    found = copies_across_halves(samples, shuffled.to_batches(max_chunksize=37))
    assert found == (len(copies), len(set(copies)))


def test_copies_of_few_patients_are_not_counted_out() -> None:
    """The note is there, without a number."""
    assert copies_told(None).startswith("few confirmation samples")
    assert copies_told(12).startswith("12 confirmation samples")


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([(field.name, pa.string()) for field in schema])
