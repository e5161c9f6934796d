"""Where files lie that belong to a store and are no part of it: its key, what an ingest rejected."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit


def beside(store: str | os.PathLike[str], ending: str) -> Path:
    """The store's name and an ending, beside a store on disk; in the working directory for one in an object store."""
    text = os.fspath(store)
    if text.startswith("file://"):
        text = unquote(urlsplit(text).path)
    place = Path.cwd() / text.rstrip("/").rpartition("/")[2] if "://" in text else Path(text).expanduser().resolve()
    return place.with_name(f"{place.name}{ending}")
