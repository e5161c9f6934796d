"""A small store with every kind of column, for plans."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from misread.library import Store
from stores import write_store

METADATA = (
    pa.field("age", pa.float64()),
    pa.field("visits", pa.int64()),
    pa.field("view", pa.string()),
    pa.field("portable", pa.bool_()),
    pa.field("taken", pa.date32()),
    pa.field("score", pa.float64()),
)
VIEWS = ("PA", "AP", "it's", "É", "", None)
AGES = (0.0, -0.0, 40.0, 41.5, float("nan"), -float("nan"), float("inf"), None)
ROWS = 60


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Sixty images, written out of order, with NULL, NaN, odd text, ties; predictions of most; vectors of some."""
    return _written(tmp_path_factory.mktemp("plans") / "store")


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The rows of `mixed`, written from the last to the first."""
    return _written(tmp_path_factory.mktemp("plans") / "store", step=-1)


def _written(location: Path, step: int = 1) -> Store:
    rng = np.random.default_rng(3)
    images = [
        {
            "sample_id": f"s{row:03d}",
            "patient_id": f"p{row % 23}" if row % 7 else None,
            "split": rng.choice(["test", "train"]) if row % 5 else None,
            "age": AGES[rng.integers(len(AGES))],
            "visits": None if row % 11 == 0 else int(rng.integers(-2, 4)),
            "view": VIEWS[rng.integers(len(VIEWS))],
            "portable": [True, False, None][rng.integers(3)],
            "taken": None if row % 13 == 0 else dt.date(2020, 1, 1) + dt.timedelta(days=int(rng.integers(4))),
            "score": float(rng.random()),
        }
        for row in rng.permutation(ROWS)
    ]
    predictions = [
        {"sample_id": f"s{row:03d}", "model": model, "target": target, "label": row % 2, "score": float(rng.random())}
        for row in rng.permutation(ROWS)
        for model in ("m", "n")
        for target in ("A", "B")
        if rng.random() < 0.8
    ]
    vectors = {f"s{row:03d}": rng.standard_normal(4) for row in rng.permutation(ROWS) if row % 3}
    reports = [{"sample_id": f"s{row:03d}", "report": f"film {row % 4}"} for row in range(0, ROWS, 2)]
    return write_store(
        location,
        images[::step],
        predictions[::step],
        vectors=dict(list(vectors.items())[::step]),
        reports=reports[::step],
        metadata=METADATA,
    )
