"""The store: a directory of Lance tables, one manifest that names their versions, and fitted models."""

from .commit import Commit, put_model
from .manifest import EncoderEntry, Manifest, TableEntry, newest_encoder
from .store import TableStore

__all__ = ["Commit", "EncoderEntry", "Manifest", "TableEntry", "TableStore", "newest_encoder", "put_model"]
