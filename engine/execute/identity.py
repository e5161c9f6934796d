"""The name of an audit: a hash of what it read, how it was asked, and by which version of misread."""

import json
from dataclasses import fields
from hashlib import blake2b
from importlib.metadata import version

from misread.plan import Describe, Fuse, Node, Scan
from misread.schemas.tables import EMBEDDINGS_PREFIX
from misread.store import TableStore


def package_version() -> str:
    return version("misread")


def parameters_of(node: Node) -> dict[str, object]:
    """Everything a plan asks, by node; where the store lies and which of its states was open do not count."""
    found: dict[str, object] = {}
    for step in node.walk():
        if isinstance(step, Describe):
            continue
        values = {
            field.name: getattr(step, field.name)
            for field in fields(step)
            if field.name not in ("location", "state", "input")
        }
        name = type(step).__name__.lower()
        found[name] = [*found[name], values] if isinstance(found.get(name), list) else [values]  # type: ignore[misc]
    return found


def tables_of(store: TableStore, node: Node) -> dict[str, dict[str, object]]:
    """Version and fingerprint of every table the plan's answer depends on."""
    names = {"images", "predictions", "reports"}
    for step in node.walk():
        if isinstance(step, Fuse):
            names |= {EMBEDDINGS_PREFIX + encoder for encoder in (step.image, step.report) if encoder}
    entries = store.manifest.tables
    return {
        name: {"version": entries[name].version, "fingerprint": entries[name].fingerprint}
        for name in sorted(names & set(entries))
    }


def audit_id_of(store: TableStore, node: Node) -> str:
    """12 hex digits. Tables count by their content, so equal stores filled in another order agree."""
    content = {name: entry["fingerprint"] for name, entry in tables_of(store, node).items()}
    seed = next(step.seed for step in node.walk() if isinstance(step, Scan))
    document = json.dumps([package_version(), parameters_of(node), content, seed], sort_keys=True)
    return blake2b(document.encode(), digest_size=6).hexdigest()
