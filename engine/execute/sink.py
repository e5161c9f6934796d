"""Keeping an audit in its store."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from misread.audit.population import Population
from misread.plan import Filter, Fuse, Node
from misread.schemas.tables import (
    AUDIT_TARGETS,
    AUDITED,
    AUDITS,
    CHECKSUM,
    COMPARISONS,
    MEMBERSHIPS,
    PHRASES,
    SLICES,
    TableContract,
)
from misread.schemas.values import CONFIRMATION, DISCOVERY
from misread.store import Commit, TableStore

from .identity import package_version, parameters_of, tables_of
from .steps import Described, Discovered


def stored_audit(store: TableStore, audit_id: str) -> bool:
    """Whether the store holds this audit."""
    return store.has("audits") and store.table("audits").count(f"audit_id = '{audit_id}'") > 0


def write_audit(store: TableStore, node: Node, described: Described) -> None:
    """Writes every table of an audit in one commit; does nothing if it is there already."""
    below = described.below
    with store.commit("discover") as commit:
        if commit.has("audits") and commit.table("audits").count(f"audit_id = '{below.audit_id}'"):
            return
        fusion = commit.put_model("fusion", below.below.fusion.to_arrays())
        _append(commit, AUDITS, [_audit_row(store, node, below, fusion)])
        _append(commit, AUDIT_TARGETS, _target_rows(below))
        for judged in below.populations:
            rows = judged.rows.with_columns(
                audit_id=pl.lit(below.audit_id), model=pl.lit(judged.model), target=pl.lit(judged.target)
            )
            _append_frame(commit, AUDITED, rows)
        _append(commit, SLICES, [found.row for found in below.slices])
        _append_frame(commit, MEMBERSHIPS, below.memberships())
        _append(commit, COMPARISONS, below.comparisons)
        _append(commit, PHRASES, described.phrases)


def _audit_row(store: TableStore, node: Node, below: Discovered, fusion: str) -> dict[str, object]:
    scan = below.below.below.scan
    predicates = [p for step in node.walk() if isinstance(step, Filter) for p in step.predicates]
    fuse = next(step for step in node.walk() if isinstance(step, Fuse))
    parameters = {**parameters_of(node), "metadata_features": json.loads(below.below.features.to_json())}
    return {
        "audit_id": below.audit_id,
        "created_at": datetime.now(UTC),
        "package_version": package_version(),
        "state": scan.state,
        "seed": scan.seed,
        "models": list(scan.models),
        "targets": list(scan.targets),
        "where": " AND ".join(predicates) or None,
        "modalities": list(fuse.modalities),
        "samples": int(below.below.samples["left_out"].null_count()),
        "slices": len(below.slices),
        "confirmed_slices": sum(bool(found.row["confirmed"]) for found in below.slices),
        "notes": [*(f"{m}, {t}: {note}" for (m, t), note in below.target_notes.items()), *below.below.notes],
        "parameters": json.dumps(parameters, sort_keys=True),
        "tables": json.dumps(tables_of(store, node), sort_keys=True),
        "fusion": fusion,
    }


def _target_rows(below: Discovered) -> Iterable[dict[str, object]]:
    for judged in below.populations:
        found = judged.rows.filter(pl.col("half") == DISCOVERY)
        held = judged.rows.filter(pl.col("half") == CONFIRMATION)
        yield {
            "audit_id": below.audit_id,
            "model": judged.model,
            "target": judged.target,
            "threshold": judged.threshold.value,
            "threshold_source": judged.threshold.source,
            "discovery_rows": found.height,
            "discovery_errors": _errors(judged, found),
            "confirmation_rows": held.height,
            "confirmation_errors": _errors(judged, held),
            **below.effects[judged.model, judged.target],
            "left_out": [{"reason": reason, "rows": rows} for reason, rows in judged.left_out.items()],
            "note": below.target_notes.get((judged.model, judged.target)),
        }


def _errors(judged: Population, rows: pl.DataFrame) -> int | None:
    return None if judged.by_loss else int(rows["error"].sum())


def _append(commit: Commit, contract: TableContract, rows: Iterable[Mapping[str, object]]) -> None:
    listed = [{name: row.get(name) for name in contract.names if name != CHECKSUM} for row in rows]
    if listed:
        commit.append(contract.name, pa.Table.from_pylist(listed, schema=_without_checksum(contract)))


def _append_frame(commit: Commit, contract: TableContract, rows: pl.DataFrame) -> None:
    if rows.height:
        schema = _without_checksum(contract)
        commit.append(contract.name, rows.select(schema.names).to_arrow().cast(schema))


def _without_checksum(contract: TableContract) -> pa.Schema:
    return pa.schema([field for field in contract.fields if field.name != CHECKSUM])
