"""Scans of a store's tables: the leaves of plans."""

from collections.abc import Sequence

from misread.plan import Filter, Node, Samples, Scan
from misread.schemas.errors import AuditError, nothing_predicted, unknown_name
from misread.schemas.tables import CONTRACTS, PICTURE
from misread.schemas.values import LARGEST_INTEGER
from misread.store import TableStore
from misread.store.lance_table import quoted

from .inputs import model_targets

Names = str | Sequence[str] | None


def scan_of(store: TableStore, name: str, *, pictures: bool = False) -> Scan:
    """A scan of every column of a table that plans may read; `pictures`: those of images, too.

    A table of the store's format that the store does not have yet is one without rows (version 0).
    Raises UnknownNameError for a name that is neither.
    """
    if not store.has(name) and name in CONTRACTS:
        contract = CONTRACTS[name]
        schema, version = contract.readable, 0
    else:
        table = store.table(name)
        contract, schema, version = table.contract, table.readable, table.version
    schema = schema.remove_metadata()
    columns = tuple(n for n in schema.names if pictures or n != PICTURE)
    return Scan(store.location, store.state, name, version, contract.key, schema, columns)


def samples_of(store: TableStore, model: Names, target: Names, *, seed: int, include_train: bool) -> Samples:
    """The samples of some models and targets (None: all).

    Raises UnknownNameError for those without predictions, AuditError for an empty list and for a seed that is none.
    """
    if not 0 <= seed <= LARGEST_INTEGER:
        raise AuditError(f"{seed} is no seed", f"give a whole number from 0 to {LARGEST_INTEGER}")
    if not store.has("predictions"):
        raise nothing_predicted(store.location)
    pairs = model_targets(store)
    known = sorted({m for m, _ in pairs})
    models = _chosen("model", model, known)
    there = sorted({t for m, t in pairs if m in models})
    targets = _chosen("target", target, there)
    scan = scan_of(store, "predictions")
    # a task's winner may be another target than those asked for
    asked = [f"model IN ({_listed(models)})"] if models != tuple(known) else []
    asked += [f"target IN ({_listed(targets)}) OR task IS NOT NULL"] if targets != tuple(there) else []
    predictions: Node = Filter(scan, tuple(asked)) if asked else scan
    return Samples(scan_of(store, "images"), predictions, models, targets, seed, include_train)


def _chosen(kind: str, asked: Names, known: Sequence[str]) -> tuple[str, ...]:
    if asked is None:
        return tuple(known)
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names:
        raise AuditError(f"no {kind} is named", f"there is: {', '.join(known)}; None is all")
    for name in names:
        if name not in known:
            raise unknown_name(kind, name, known, "predictions")
    return tuple(sorted(set(names)))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quoted, names))
