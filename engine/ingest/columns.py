"""Which columns of a metadata file are ours, which are metadata, and under what name they are stored."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from misread.schemas.tables import IMAGES, VECTOR

from .headers import clean_name

OURS: Final = ("sample_id", "patient_id", "study_id", "split", "image")


@dataclass(frozen=True)
class MetadataColumns:
    """`names` maps a file's column to the store's; `clashes` are columns that would get the same name."""

    names: dict[str, str]
    notices: tuple[str, ...]
    clashes: tuple[str, ...]


def metadata_columns(columns: Iterable[str], stored: Iterable[str]) -> MetadataColumns:
    """The names under which the columns of a metadata file are stored. `stored`: columns of the store."""
    spelled = {clean_name(name).casefold(): name for name in stored}
    names: dict[str, str] = {}
    for column in columns:
        if column.casefold() in OURS:
            names[column] = column.casefold()
        else:
            safe = _safe(column)
            names[column] = spelled.get(safe.casefold(), safe)
    times = Counter(name.casefold() for name in names.values())
    clashes = tuple(c for c, name in names.items() if times[name.casefold()] > 1)
    notices = [f"column {c!r} is stored as {name!r}" for c, name in names.items() if c != name and name not in OURS]
    return MetadataColumns(names, tuple(notices), clashes)


def _safe(column: str) -> str:
    """The name a metadata column is stored under: Lance takes no dots, and some names are taken."""
    name = re.sub(r"[.`\x00-\x1f\x7f]", "_", column)
    taken = name.casefold() in {ours.casefold() for ours in (*IMAGES.names, VECTOR)} or name.startswith("_")
    return f"metadata_{name}" if taken else name
