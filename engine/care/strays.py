"""What lies in a store's folder and belongs to no state of it: files of others, and what killed commands left."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from misread.encode.finished import FOLDER as UNFINISHED
from misread.execute.cache import FOLDER as ANSWERS
from misread.schemas.errors import StoreError
from misread.store import TableStore
from misread.store.commit import MODELS, table_in
from misread.store.manifest import Manifest
from misread.store.newest import MANIFEST, MANIFEST_TABLE, newest
from misread.store.unnamed import named_models

FOREIGN: Final = "is none of misread's, which neither reads nor removes it: move it to another place"
UNNAMED: Final = (
    "belongs to no state: a command is writing it, or was killed and left it: run that again; deleting a patient, or "
    "misread embed --refit, removes what is left"
)
_OURS: Final = frozenset({MANIFEST, MANIFEST_TABLE, MODELS, UNFINISHED, ANSWERS})
_MODEL: Final = re.compile(r".+-[0-9a-f]{16}\.npz")


@dataclass(frozen=True)
class Stray:
    """A file or folder in the store's own, its bytes (with all it holds), and what to do about it."""

    name: str
    bytes: int
    reason: str


def strays(store: TableStore) -> list[Stray]:
    """Everything that no state of a store names, by name; the store is whole with it, and nothing is removed.

    Looked at are the store's folder and that of fitted models, not what lies within tables, among kept answers and the
    vectors of unfinished jobs. Raises StoreError for a store out of reach.
    """
    found = {name: store.files.bytes_of(name) for name in [*store.files.entries(), *store.files.entries(MODELS)]}
    there = newest(store.files)  # after the look: what another command names by now is no stray
    told = [] if there is None else list(_told(store, there.manifest, found))
    return [Stray(name, size, reason) for name, reason in sorted(told) if (size := found[name]) is not None]


def _told(store: TableStore, manifest: Manifest, names: dict[str, int | None]) -> Iterator[tuple[str, str]]:
    try:
        models = named_models(store.files, manifest)
    except (StoreError, OSError, ValueError, RuntimeError):  # told where the table is looked at
        models = None
    for name in names:
        folder, _, file = name.rpartition("/")
        if folder:
            is_model = _MODEL.fullmatch(file) is not None
            if file.startswith(".") or (is_model and models is not None and name not in models):
                yield name, UNNAMED
            elif not is_model:
                yield name, FOREIGN
        elif name.startswith(f".{MANIFEST}."):
            yield name, UNNAMED
        elif (table := table_in(name)) is not None:
            if not manifest.versions(table):
                yield name, UNNAMED
        elif name not in _OURS:
            yield name, FOREIGN
