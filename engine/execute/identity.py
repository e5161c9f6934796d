"""The name of an audit: a hash of what it read, how it was asked, and by which method it is answered."""

import json
from collections.abc import Iterator
from dataclasses import fields
from hashlib import blake2b
from typing import Final

from misread.plan import Describe, Discover, Filter, Fuse, Node, Samples, Scan, Take
from misread.schemas.errors import AuditError, StoreError
from misread.store import TableStore

METHOD: Final = 1
"""Rises with every change of what the same question of the same contents is answered: an audit, or an answer kept, is
found again by those of the same method alone. `tests/library/test_method.py` tells when it has to."""
_HOW = ("with_half", "named")
"""Fields that say how a step is run, and nothing of what it gives."""


def parameters_of(node: Node) -> dict[str, list[dict[str, object]]]:
    """Everything an audit asks, by the name of the step; which of the store's states was open does not count."""
    found: dict[str, list[dict[str, object]]] = {}
    for step in node.walk():
        if isinstance(step, Filter | Samples | Fuse | Discover) or _is_told_otherwise(step):
            values = {field.name: getattr(step, field.name) for field in fields(step)}
            asked = {name: value for name, value in values.items() if name not in _HOW and not isinstance(value, Node)}
            if not (isinstance(step, Filter) and isinstance(step.input, Scan)):  # those Samples says by itself
                found.setdefault(type(step).__name__.lower(), []).append(asked)
    return found


def _is_told_otherwise(step: Node) -> bool:
    """Whether slices are described in another way than by default."""
    return isinstance(step, Describe) and step != Describe(step.input)


def tables_of(store: TableStore, node: Node) -> dict[str, dict[str, object]]:
    """Version and fingerprint of every table the answer depends on; of an audit those of reports, which tell it."""
    found = {
        scan.table: {"version": scan.version, "fingerprint": fingerprint_of(store, scan)} for scan in _scans_of(node)
    }
    reports = store.manifest.tables.get("reports")
    if reports and any(isinstance(step, Discover) for step in node.walk()):
        found["reports"] = {"version": reports.version, "fingerprint": reports.fingerprint}
    return dict(sorted(found.items()))


def fingerprint_of(store: TableStore, scan: Scan) -> str:
    """What the table holds at the version that a scan reads. Raises StoreError if the store no longer knows it."""
    for state in reversed(store.manifest.states):
        entry = state.tables.get(scan.table)
        if entry is not None and entry.version == scan.version:
            return entry.fingerprint
    if not scan.version:
        return ""
    raise StoreError(
        f"the store {store.location} has no version {scan.version} of {scan.table!r} any more",
        "open the store again and write the plan anew",
    )


def _scans_of(node: Node) -> Iterator[Scan]:
    """Every scan of a plan, those that rows are fetched from too."""
    for step in node.walk():
        if isinstance(step, Scan):
            yield step
        if isinstance(step, Take):
            yield step.table


def audit_id_of(store: TableStore, node: Node) -> str:
    """12 hex digits. Tables count by their content, so equal stores filled in another order agree.

    Raises AuditError for a plan that was optimised.
    """
    check_as_written(node)
    content = {name: entry["fingerprint"] for name, entry in tables_of(store, node).items()}
    seed = node.first(Samples).seed
    document = json.dumps([METHOD, parameters_of(node), content, seed], sort_keys=True)
    return blake2b(document.encode(), digest_size=6).hexdigest()


def check_as_written(node: Node) -> None:
    """Raises AuditError for an audit's plan that was optimised: its filters are no longer told apart from its scans."""
    images = node.first(Samples).images
    if not isinstance(images, Scan) or images.where:
        raise AuditError(
            "an audit is known by its plan as it was written, and this one was optimised",
            "leave optimised() out: plans are optimised when they are run",
        )
