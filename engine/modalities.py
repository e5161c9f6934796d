"""Which vectors a plan fuses: those asked for, or the best the store has."""

from collections.abc import Sequence

from misread.schemas.errors import AuditError, command, unknown_name
from misread.schemas.tables import EMBEDDINGS_PREFIX, VECTOR
from misread.schemas.values import MODALITIES, Modality

from .execute import scan_of
from .execute.inputs import metadata_columns
from .plan import AUTOMATIC, Fuse, Node, Select
from .plan.audits import Automatic
from .store import TableStore, newest_encoder


def fused(
    store: TableStore,
    plan: Node,
    image: str | None,
    report: str | None,
    metadata: str | Sequence[str] | None,
    modalities: Modality | Sequence[Modality] | None,
) -> Fuse:
    """The fuse step over `plan`; `LazyFrame.fuse` tells what is taken. Raises for what is not there."""
    named = {"image": image, "report": report, "metadata": metadata}
    if modalities is None:
        modalities = [m for m in MODALITIES if named[m] is not None] or _available(store)
    if isinstance(modalities, str):
        modalities = [modalities]
    for modality in modalities:
        if modality not in MODALITIES:
            raise unknown_name("modality", modality, MODALITIES)
    for name, asked in named.items():
        if asked is not None and name not in modalities:
            raise AuditError(f"{name} is {asked!r}, and not among the modalities", "name it there, or leave it out")
    encoders = {
        modality: _encoder(store, modality, asked) if modality in modalities else None
        for modality, asked in (("image", image), ("report", report))
    }
    scans = {modality: _vectors(store, name) for modality, name in encoders.items() if name is not None}
    columns = _columns(store, metadata) if "metadata" in modalities else None
    return Fuse(plan, encoders["image"], encoders["report"], columns, scans.get("image"), scans.get("report"))


def _vectors(store: TableStore, encoder: str) -> Node:
    return Select(scan_of(store, EMBEDDINGS_PREFIX + encoder), ("sample_id", VECTOR))


def _available(store: TableStore) -> list[Modality]:
    embedded = {entry.modality for entry in store.encoders.values()}
    return [m for m in MODALITIES if m in embedded or m == "metadata"]


def _encoder(store: TableStore, modality: str, asked: str | None) -> str:
    entries = {name: e for name, e in store.encoders.items() if e.modality == modality}
    if asked is not None:
        if asked not in entries:
            raise unknown_name(f"{modality} encoder", asked, entries, store.location)
        return asked
    if not entries:
        raise AuditError(
            f"the store holds no {modality} vectors", f"make them with: {command('embed', store.location)}"
        )
    return newest_encoder(entries)


def _columns(store: TableStore, asked: str | Sequence[str] | None) -> tuple[str, ...] | Automatic:
    if asked is None:
        return AUTOMATIC
    known = metadata_columns(store)
    asked = (asked,) if isinstance(asked, str) else asked
    for name in asked:
        if name not in known:
            raise unknown_name("metadata column", name, known, "images")
    return tuple(sorted(set(asked)))
