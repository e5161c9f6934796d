"""Removing from the disk what no state of a store names: versions, tables, models, and what killed writers left."""

from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, Final

from misread.schemas.errors import StoreError
from misread.schemas.tables import AUDITS

from .commit import MODELS, table_in, table_uri
from .files import RESTORE, StoreFiles
from .lance_table import LanceTable
from .manifest import Manifest
from .newest import MANIFEST, MANIFEST_TABLE, forget_older

_NEVER: Final = timedelta(days=36_500)


def remove_unnamed(files: StoreFiles, manifest: Manifest) -> None:
    """Removes what the newest manifest of a store does not name. The caller holds the store (`StoreFiles.writing`).

    On a disk no other writer of tables is alive then, so whatever is unnamed was given up. Object stores have no lock:
    there a table that no state names goes only if all of it is older than the manifest (whoever wrote it can no longer
    commit), and a table with versions on top of the newest named one is left, as they may be a living writer's.
    Models that a living `embed` fitted go too; it writes them again when it commits.
    """
    for folder in files.folders():
        name = table_in(folder)
        if name is None:
            continue
        versions = manifest.versions(name)
        if versions:
            with files.written():
                _remove_versions(table_uri(files, name), versions, alone=files.is_local)
        elif files.is_local or files.is_older(folder, MANIFEST_TABLE):
            files.remove_folder(folder)
    forget_older(files)
    named = named_models(files, manifest)
    for file in files.names(MODELS):
        if file not in named:
            files.remove(file)
    for names in (f".{MANIFEST}.*", f"{MODELS}/.*"):
        files.remove_half_written(names)


def named_models(files: StoreFiles, manifest: Manifest) -> set[str]:
    """The files of fitted models that some state names: its encoders' and its audits'.

    Raises StoreError where the audits cannot be read.
    """
    kept = (manifest.at(state.state) for state in manifest.states if not state.forgotten)
    encoders = [entry for known in kept for entry in known.encoders.values()]
    audits = [
        LanceTable(table_uri(files, AUDITS.name), AUDITS, version).read(["fusion"])["fusion"].to_pylist()
        for version in manifest.versions(AUDITS.name)
    ]
    return {entry.model for entry in encoders if entry.model} | {file for files in audits for file in files if file}


def _remove_versions(uri: str, named: AbstractSet[int], *, alone: bool) -> None:
    """Removes every other version of a table, and files that no version has. Where the named ones are gone, nothing."""
    dataset = _opened(uri)
    there = [entry["version"] for entry in dataset.versions()]
    kept = [version for version in there if version in named]
    if not kept or (dataset.version != kept[-1] and not alone):
        return
    if dataset.version != kept[-1]:  # Lance never removes its newest version: it becomes one with the same rows
        _opened(uri, version=kept[-1]).restore()
        dataset = _opened(uri)
    unnamed = [version for version in there if version not in named]
    which: dict[str, Any] = {"versions": unnamed} if unnamed else {"older_than": _NEVER}
    dataset.cleanup_old_versions(delete_unverified=True, **which)


def _opened(uri: str, version: int | None = None) -> Any:
    import lance

    try:
        return lance.dataset(uri, version=version)
    except (ValueError, OSError) as error:
        raise StoreError(f"the table {uri} cannot be read: {error}", RESTORE) from error
