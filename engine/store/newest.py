"""The newest manifest of a store: where it lies, and how one writer's takes the place of another's.

On a disk it is the file `manifest.json`, and a writer holds the store's lock. An object store has no lock: there it is
what the schema of a Lance table without columns, `manifest.lance`, carries as metadata. Lance writes a version of a
table only where there is none of that number (a conditional put), so of two writers one is told, even in the same
moment. A store copied from the one kind of place to the other has its manifest where it was until its next commit.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import pyarrow as pa

from misread.schemas.errors import StoreError

from .files import StoreFiles
from .manifest import Manifest

MANIFEST: Final = "manifest.json"
MANIFEST_TABLE: Final = "manifest.lance"
_VERSIONS: Final = f"{MANIFEST_TABLE}/_versions"
_CONTENT: Final = b"misread manifest"
_CLOSED: Final = b"misread closed"


@dataclass(frozen=True)
class Newest:
    """A store's newest manifest, and what a swap needs to know of where it lies.

    `version` is that of the manifest's table (0: there is none). `closed`: what no state names is being removed, or who
    did it was killed, and until that is through nothing may be written.
    """

    manifest: Manifest
    version: int = 0
    closed: bool = False


def newest(files: StoreFiles) -> Newest | None:
    """The newest manifest; None where there is no store.

    Raises StoreError where it is damaged, of another format version or out of reach.
    """
    table = _in_table(files) if files.exists(_VERSIONS) else None
    if not files.exists(MANIFEST):
        return table
    manifest = Manifest.from_json(files.read(MANIFEST), files.location)
    if table is None or table.manifest.state < manifest.state:
        return Newest(manifest, table.version if table else 0)
    return table


def swapped(files: StoreFiles, old: Newest | None, manifest: Manifest, *, closed: bool = False) -> Newest:
    """Puts a manifest in the place of the one that was the newest when its writer began, and returns it.

    Raises StoreError where that is no longer the newest: then nothing is changed. The caller holds the store
    (`StoreFiles.writing`), which is no lock in an object store; `closed` counts there alone.
    """
    made = Newest(manifest, old.version + 1 if old else 1, closed)
    if files.is_local:
        if newest(files) != old:
            raise changed_meanwhile(f"the store {files.location}")
        files.replace(MANIFEST, manifest.to_json())
        if files.exists(MANIFEST_TABLE):
            files.remove_folder(MANIFEST_TABLE)
        return replace(made, version=0, closed=False)
    _swap_in_table(files, made)
    if files.exists(MANIFEST):
        files.remove(MANIFEST)
    return made


def forget_older(files: StoreFiles) -> None:
    """Removes the manifests before the newest from an object store; on a disk there are none."""
    if files.exists(_VERSIONS):
        with files.written():
            _opened(files).cleanup_old_versions(older_than=timedelta(0), delete_unverified=True)


def changed_meanwhile(place: str) -> StoreError:
    return StoreError(
        f"{place} was changed by another process meanwhile",
        "run the same command again; nothing of this one is visible",
    )


def _swap_in_table(files: StoreFiles, made: Newest) -> None:
    """Writes the version of the manifest's table that `made` names, unless there is one."""
    from lance import LanceDataset, LanceOperation

    told = {_CONTENT: made.manifest.to_json()} | ({_CLOSED: b"1"} if made.closed else {})
    content = LanceOperation.Overwrite(pa.schema([], metadata=told), [])
    try:
        with files.written():  # without retries Lance never puts an overwrite on top of another's
            LanceDataset.commit(files.uri(MANIFEST_TABLE), content, read_version=made.version - 1, max_retries=0)
    except Exception as error:
        there = newest(files)
        if there is not None and there.version == made.version and _same(there, made):
            return  # it was written, and the answer lost on its way
        if there is not None and there.version >= made.version:
            raise changed_meanwhile(f"the store {files.location}") from error
        raise


def _same(there: Newest, made: Newest) -> bool:
    return there.manifest.to_json() == made.manifest.to_json() and there.closed == made.closed


def _in_table(files: StoreFiles) -> Newest:
    dataset = _opened(files)
    told = dataset.schema.metadata or {}
    manifest = Manifest.from_json(told.get(_CONTENT, b""), files.location)
    return Newest(manifest, int(dataset.version), _CLOSED in told)


def _opened(files: StoreFiles) -> Any:
    import lance

    try:
        return lance.dataset(files.uri(MANIFEST_TABLE))
    except (ValueError, OSError) as error:
        raise StoreError(
            f"the manifest of {files.location} cannot be read: {error}",
            "check its permissions and credentials; where that does not help, restore manifest.lance from a copy",
        ) from error
