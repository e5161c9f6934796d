"""Small stores made in place, for tests of what stands on a store."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads

from misread.library import Store
from misread.schemas.tables import CHECKSUM, CONTRACTS, IMAGES, PREDICTIONS, REPORTS, TableContract, embeddings_contract
from misread.store import EncoderEntry


def table(contract: TableContract, rows: Sequence[dict[str, object]], extra: Sequence[pa.Field] = ()) -> pa.Table:
    """Rows of a contract; what a row does not say is NULL."""
    fields = [field for field in contract.fields if field.name != CHECKSUM] + list(extra)
    names = [field.name for field in fields]
    return pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows], schema=pa.schema(fields))


def write_store(
    location: Path,
    images: Sequence[dict[str, object]],
    predictions: Sequence[dict[str, object]],
    *,
    vectors: dict[str, np.ndarray] | None = None,
    reports: Sequence[dict[str, object]] = (),
    metadata: Sequence[pa.Field] = (),
) -> Store:
    """A store of one commit; `vectors` (sample -> (d,)) become the encoder `outside`."""
    store = Store.open_or_new(location)
    with store.commit("ingest") as commit:
        commit.append("images", table(IMAGES, images, metadata))
        if predictions:
            commit.append("predictions", table(PREDICTIONS, predictions))
        if reports:
            commit.append("reports", table(REPORTS, reports))
        if vectors:
            dimension = len(next(iter(vectors.values())))
            contract = embeddings_contract("outside", dimension)
            rows = [{"sample_id": s, "vector": np.asarray(v, np.float32).tolist()} for s, v in vectors.items()]
            commit.append(contract.name, table(contract, rows))
            commit.set_encoder("outside", EncoderEntry("image", dimension, "external", 1))
    return store


def dataset(name: str, rows: Sequence[dict[str, Any]]) -> pads.Dataset:
    """Rows of a table by its contract; keys that the contract does not have become further columns."""
    contract = CONTRACTS[name]
    fields = [field for field in contract.fields if field.name not in contract.hidden]
    known = {field.name for field in fields}
    further = {key: None for row in rows for key in row if key not in known}
    schema = pa.schema([field.with_nullable(True) for field in fields])
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in schema}
    columns |= {key: pa.array([row.get(key) for row in rows]) for key in further}
    return pads.dataset(pa.table(columns))


VIEW = pa.field("view", pa.string())
AGE = pa.field("age", pa.int64())


def planted_store(
    location: Path,
    *,
    samples: int = 900,
    seed: int = 0,
    targets: Sequence[str] = ("Pneumothorax",),
    shuffle: int | None = None,
    inside: float = 0.75,
    per_patient: int = 1,
    with_reports: bool = True,
) -> Store:
    """A store in which positives with a large first coordinate (a quarter of the rows) are mostly missed.

    Their reports say "no chest tube"; `shuffle` writes the rows in another order.
    """
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((samples, 12))
    group = rng.random(samples) < 0.25
    vectors[group, 0] += 4.0
    images, predictions, reports = [], [], []
    for i in range(samples):
        sample = f"s{i:04d}"
        images.append(
            {
                "sample_id": sample,
                "patient_id": f"p{i // per_patient}",
                "view": ["PA", "AP", None][int(rng.integers(3))],
                "age": int(rng.integers(20, 90)),
            }
        )
        for target in targets:
            label = int(rng.random() < 0.5)
            rate = inside if label and group[i] else 0.12
            wrong = rng.random() < rate
            score = float(rng.uniform(0.55, 1.0) if bool(label) != wrong else rng.uniform(0.0, 0.45))
            predictions.append(
                {"sample_id": sample, "model": "m", "target": target, "label": label, "score": score, "threshold": 0.5}
            )
        line = "No chest tube." if group[i] else ["A chest tube is in place.", "Lines as before."][int(rng.integers(2))]
        reports.append({"sample_id": sample, "report": f"{line} The heart is normal. Film {i}."})
    vector_of = {f"s{i:04d}": vectors[i] for i in range(samples)}
    if shuffle is not None:
        order = np.random.default_rng(shuffle).permutation(samples)
        images, reports = [images[i] for i in order], [reports[i] for i in order]
        predictions = [predictions[i] for i in np.random.default_rng(shuffle).permutation(len(predictions))]
        vector_of = {f"s{i:04d}": vectors[i] for i in order}
    told = reports if with_reports else ()
    return write_store(location, images, predictions, vectors=vector_of, reports=told, metadata=[VIEW, AGE])


def clustered_wilson(
    events: Sequence[bool], patients: Sequence[object], confidence: float = 0.95
) -> tuple[float, float]:
    """Wilson's interval of a share, of as many rows as are worth independent ones (Korn and Graubard 1998)."""
    from scipy.stats import norm, t

    tail = 0.5 + confidence / 2
    hit, who = np.asarray(events, float), np.asarray(patients)
    rate, n = hit.mean(), len(hit)
    sizes = np.array([(who == one).sum() for one in set(who.tolist())], float)
    spread = sum(float(((hit - rate)[who == one]).sum()) ** 2 for one in set(who.tolist()))
    alike = rate in (0.0, 1.0)
    most = (sizes**2).sum() / n
    effect = most if alike else max(1.0, spread / (n * rate * (1 - rate)))
    patients_of = [{bool(event) for event in hit[who == one]} for one in set(who.tolist())]
    few = min(sum(outcome in mine for mine in patients_of) for outcome in (True, False))
    effect = (few * effect + most) / (few + 1)
    if (sizes > 1).any():
        freedom = max(1.0, (sizes**2).sum() ** 2 / (sizes**4).sum() - 1)
        effect = min(most, effect * (t.ppf(tail, freedom) / t.ppf(tail, n - 1)) ** 2)
    z, worth = norm.ppf(tail), n / effect
    middle = (rate + z**2 / (2 * worth)) / (1 + z**2 / worth)
    half = z / (1 + z**2 / worth) * np.sqrt(rate * (1 - rate) / worth + z**2 / (4 * worth**2))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))
