"""An audit's frozen slices, read back from its store."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from misread.fuse import Fusion
from misread.metadata import MetadataFeatures
from misread.schemas.errors import AuditError, command, nothing_audited, unknown_name
from misread.schemas.tables import AUDITED, EMBEDDINGS_PREFIX, SLICES
from misread.store import TableStore


@dataclass(frozen=True)
class FrozenAudit:
    """What an audit fitted and found.

    `slices`: its rows of the slices table, by slice id; `directions` (k, 2 s), those of the slices and then those of
    their classes, `class_offsets` and `cuts` (s,) in that order (see `misread.discover.Rule`).
    `encoders`: per fused modality the encoder's name; `predicates`: the rows it was asked about (all true).
    `targets`: its rows of the audit_targets table.
    """

    audit_id: str
    state: int
    seed: int
    include_train: bool
    predicates: tuple[str, ...]
    encoders: dict[str, str]
    fusion: Fusion
    features: MetadataFeatures
    slices: pl.DataFrame
    directions: NDArray[np.float64]
    class_offsets: NDArray[np.float64]
    cuts: NDArray[np.float64]
    targets: pl.DataFrame


def frozen_audit(store: TableStore, audit_id: str) -> FrozenAudit:
    """Raises AuditError for a store without audits, UnknownNameError for an audit it does not hold."""
    row = _row(store, audit_id)
    asked = json.loads(row["parameters"])
    (fuse,) = asked["fuse"]
    mine = f"audit_id = '{audit_id}'"
    fusion = Fusion.from_arrays(store.read_model(row["fusion"]))
    found = store.table("slices").read(predicate=mine) if store.has("slices") else SLICES.schema.empty_table()
    slices = pl.DataFrame(found).sort("slice_id")
    return FrozenAudit(
        audit_id=audit_id,
        state=row["state"],
        seed=row["seed"],
        include_train=asked["samples"][0]["include_train"],
        predicates=tuple(p for step in asked.get("filter", []) for p in step["predicates"]),
        encoders={name: fuse[name] for name in ("image", "report") if fuse[name]},
        fusion=fusion,
        features=MetadataFeatures.from_dicts(asked["metadata_features"]),
        slices=slices.drop("direction", "class_direction", "class_offset"),
        directions=np.hstack([_columns(slices[name], fusion.dimension) for name in ("direction", "class_direction")]),
        class_offsets=slices["class_offset"].to_numpy().astype(float),
        cuts=slices["cut"].to_numpy().astype(float),
        targets=pl.DataFrame(store.table("audit_targets").read(predicate=mine)),
    )


def _columns(directions: pl.Series, dimension: int) -> NDArray[np.float64]:
    return np.array(directions.to_list(), float).reshape(len(directions), dimension).T


def check_spaces(store: TableStore, audit: FrozenAudit) -> None:
    """Raises AuditError where vectors of today do not lie in the space that the audit's rules were fitted in."""
    then = store.manifest.at(audit.state).encoders
    for modality, name in audit.encoders.items():
        if not store.has(EMBEDDINGS_PREFIX + name):
            raise AuditError(
                f"the store holds no {modality} vectors of {name}",
                f"make them with: {command('embed', store.location)}",
            )
        now, old = store.encoders[name], then[name]
        same = (now.model, now.dimension, now.parameters.get("version"))
        if same != (old.model, old.dimension, old.parameters.get("version")):
            raise AuditError(
                f"{modality} encoder {name!r} was fitted anew since audit {audit.audit_id}: its vectors no longer fit",
                "find slices again, or read the store as it was before (--state NUMBER)",
            )


def _row(store: TableStore, audit_id: str) -> dict[str, Any]:
    if not store.has("audits"):
        raise nothing_audited(store.location)
    rows = pl.DataFrame(store.table("audits").read())
    found = rows.filter(pl.col("audit_id") == audit_id)
    if not found.height:
        raise unknown_name("audit", audit_id, rows["audit_id"], store.location)
    return found.row(0, named=True)


def judged_samples(store: TableStore, audit: FrozenAudit) -> pl.DataFrame:
    """sample_id and half of every row that the audit judged, whatever the model and target."""
    if not store.has(AUDITED.name):
        return pl.DataFrame(schema={"sample_id": pl.String, "half": pl.String})
    return pl.DataFrame(store.table(AUDITED.name).read(["sample_id", "half"], f"audit_id = '{audit.audit_id}'"))
