"""Keeping an audit in its store."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from itertools import chain, product

import polars as pl
import pyarrow as pa

from misread.audit.population import Population
from misread.memory import trim
from misread.plan import Discover, Fuse, Node, Samples, optimise
from misread.schemas.errors import AuditError, StoreError, nothing_audited, unknown_name
from misread.schemas.tables import (
    AUDIT_TARGETS,
    AUDITED,
    AUDITS,
    CHECKSUM,
    COMPARISONS,
    CONTRAST_WORDS,
    EXAMPLES,
    MEMBERSHIPS,
    PHRASES,
    SLICES,
    TableContract,
)
from misread.schemas.values import CONFIRMATION, DISCOVERY
from misread.sql.pipeline import BATCH_ROWS
from misread.store import Commit, TableStore

from .identity import audit_id_of, check_as_written, parameters_of, tables_of
from .inputs import model_targets
from .steps import Described, Discovered
from .work import Work

_NAME = re.compile(r"\w[\w .-]{0,99}")
_ID = re.compile(r"[0-9a-f]{12}")


def stored_audit(store: TableStore | Commit, audit_id: str) -> bool:
    """Whether the store holds this audit."""
    return store.has("audits") and store.table("audits").count(f"audit_id = '{audit_id}'") > 0


def sink_audit(store: TableStore, node: Node, name: str | None, work: Work) -> str:
    """Runs a plan that describes an audit and keeps it by its id, and by `name` if one is given; returns the id.

    An audit that is there already is not run again. Raises AuditError for a name that another audit has or that can
    be none, and for a plan that was optimised; StoreError where the store has moved on to other reports than its id
    stands for, and before anything is searched where it cannot be written.
    """
    check_as_written(node)
    audit_id = node.first(Discover).named
    newest = TableStore.open(store.location)
    _check_name(newest, name, audit_id)
    if not stored_audit(newest, audit_id):
        if audit_id_of(store, node) != audit_id:  # its row would name the reports of now
            raise StoreError(
                f"the reports of {store.location} were changed since this audit's plan was written",
                "open the store again, and write the plan anew",
            )
        store.files.check_takes_writers()
        write_audit(store, node, work.value(optimise(node)), name)
        work.table(optimise(node))  # whoever collects it next finds it in the cache
    elif name is not None and (audit_id, name) not in audit_names(newest):
        _rename(store, audit_id, name)
    return audit_id


def audit_names(store: TableStore | Commit) -> list[tuple[str, str | None]]:
    """(id, name or None) of every audit."""
    rows = store.table("audits").read(["audit_id", "name"]).to_pylist() if store.has("audits") else []
    return sorted((row["audit_id"], row["name"]) for row in rows)


def audit_named(store: TableStore, text: str) -> str:
    """The id of an audit by its id or name. Raises UnknownNameError for neither, AuditError without audits."""
    known = audit_names(store)
    if not known:
        raise nothing_audited(store.location)
    for audit_id, name in known:
        if text in (audit_id, name):
            return audit_id
    raise unknown_name("audit", text, [part for pair in known for part in pair if part], store.location)


def _check_name(store: TableStore | Commit, name: str | None, audit_id: str) -> None:
    if name is None:
        return
    if _ID.fullmatch(name):
        raise AuditError(f"{name!r} cannot be the name of an audit", "12 hexadecimal digits are an audit's id")
    if not _NAME.fullmatch(name):
        raise AuditError(f"{name!r} cannot be the name of an audit", "use letters, digits, spaces, - _ and .")
    holder = next((known for known, called in audit_names(store) if called == name), audit_id)
    if holder != audit_id:
        raise AuditError(f"audit {holder} is already named {name!r}", "choose another name")


def _rename(store: TableStore, audit_id: str, name: str) -> None:
    with store.commit("name audit") as commit:
        _check_name(commit, name, audit_id)
        _name(commit, audit_id, name)


def _name(commit: Commit, audit_id: str, name: str) -> None:
    if (audit_id, name) in audit_names(commit):
        return
    rows = commit.table("audits").read(predicate=f"audit_id = '{audit_id}'").drop_columns([CHECKSUM])
    place = rows.schema.get_field_index("name")
    commit.upsert("audits", rows.set_column(place, rows.schema.field(place), pa.array([name], pa.string())))


def write_audit(store: TableStore, node: Node, described: Described, name: str | None = None) -> None:
    """Writes every table of an audit in one commit; if it is there already, its name at most.

    Raises StoreError where patients were deleted since its rows were read.
    """
    below = described.below
    with store.commit("discover") as commit:
        commit.follow(store.state)
        _check_name(commit, name, below.audit_id)  # another audit may have taken it since
        if stored_audit(commit, below.audit_id):
            if name is not None:
                _name(commit, below.audit_id, name)
            return
        fusion = commit.put_model("fusion", below.below.fusion.to_arrays())
        made = commit.moment(AUDITS.name, "created_at")
        _append(commit, AUDITS, [{**_audit_row(store, node, described, made), "fusion": fusion, "name": name}])
        _append(commit, AUDIT_TARGETS, _target_rows(below))
        for judged in below.populations:
            _append_frames(commit, AUDITED, _audited(below.audit_id, judged))
        _append(commit, SLICES, [found.row for found in below.slices])
        _append_frames(commit, MEMBERSHIPS, below.memberships(BATCH_ROWS))
        _append(commit, COMPARISONS, below.comparisons)
        _append(commit, PHRASES, described.phrases)
        _append(commit, CONTRAST_WORDS, described.contrast_words)
        _append(commit, EXAMPLES, described.examples)


def _audit_row(store: TableStore, node: Node, described: Described, made: datetime) -> dict[str, object]:
    below = described.below
    samples, fuse = node.first(Samples), node.first(Fuse)
    asked = parameters_of(node)
    predicates = [p for step in asked.get("filter", []) for p in step["predicates"]]  # type: ignore[attr-defined]
    parameters = {**asked, "metadata_features": below.below.features.to_dicts()}
    return {
        "audit_id": below.audit_id,
        "created_at": made,
        "package_version": version("misread"),
        "state": store.state,
        "seed": samples.seed,
        "models": sorted({judged.model for judged in below.populations}),
        "targets": sorted({judged.target for judged in below.populations}),
        "where": " AND ".join(predicates) or None,
        "modalities": list(fuse.modalities),
        "samples": int(below.below.samples["left_out"].null_count()),
        "slices": len(below.slices),
        "confirmed_slices": sum(bool(found.row["confirmed"]) for found in below.slices),
        "notes": [
            *(f"{m}, {t}: {note}" for (m, t), note in below.target_notes.items()),
            *_not_audited(store, samples, below),
            *below.below.notes,
            *described.notes,
        ],
        "parameters": json.dumps(parameters, sort_keys=True),
        "tables": json.dumps(tables_of(store, node), sort_keys=True),
    }


def _not_audited(store: TableStore, samples: Samples, below: Discovered) -> list[str]:
    """Of every model and target that were asked for and predicted, but not of a sample that was selected."""
    asked = set(product(samples.models, samples.targets)) - {(one.model, one.target) for one in below.populations}
    gone = asked.intersection(model_targets(store)) if asked else asked
    why = "not audited: no sample that was selected has a prediction"
    return [f"{model}, {target}: {why}" for model, target in sorted(gone)]


def _target_rows(below: Discovered) -> Iterable[dict[str, object]]:
    for judged in below.populations:
        half = judged.samples["half"].gather(judged.verdicts["place"])
        found, held = (judged.verdicts["error"].filter(half == each) for each in (DISCOVERY, CONFIRMATION))
        yield {
            "audit_id": below.audit_id,
            "model": judged.model,
            "target": judged.target,
            "threshold": judged.threshold.value,
            "threshold_source": judged.threshold.source,
            "discovery_rows": len(found),
            "discovery_errors": _errors(judged, found),
            "confirmation_rows": len(held),
            "confirmation_errors": _errors(judged, held),
            **below.effects[judged.model, judged.target],
            "left_out": [{"reason": reason, "rows": rows} for reason, rows in judged.left_out.items()],
            "left_out_patients": [judged.left_out_patients.get(reason) for reason in judged.left_out],
            "note": below.target_notes.get((judged.model, judged.target)),
        }


def _errors(judged: Population, errors: pl.Series) -> int | None:
    return None if judged.by_loss else int(errors.sum())


def _append(commit: Commit, contract: TableContract, rows: Iterable[Mapping[str, object]]) -> None:
    schema = contract.without_checksum
    listed = [{name: row.get(name) for name in schema.names} for row in rows]
    if listed:
        commit.append(contract.name, pa.Table.from_pylist(listed, schema=schema))


def _audited(audit_id: str, judged: Population) -> Iterator[pl.DataFrame]:
    """The rows that a population judges, a part at a time."""
    for start in range(0, judged.verdicts.height, BATCH_ROWS):
        yield judged.rows(start, start + BATCH_ROWS).with_columns(
            audit_id=pl.lit(audit_id), model=pl.lit(judged.model), target=pl.lit(judged.target)
        )


def _append_frames(commit: Commit, contract: TableContract, frames: Iterator[pl.DataFrame]) -> None:
    """Adds rows as they come; nothing where none come."""
    if (first := next(frames, None)) is None:
        return
    schema = contract.without_checksum
    tables = (rows.select(schema.names).to_arrow().cast(schema) for rows in chain([first], frames))
    commit.append_batches(contract.name, tables, schema)
    trim()
