"""Questions of a store in SQL."""

from misread.schemas.tables import CONTRACTS
from misread.sql import Limits, Session

from .ask import backing
from .store import TableStore


def open_session(store: TableStore, limits: Limits | None = None) -> Session:
    """A session over the state of the store that `store` reads. Close it when done."""
    tables = {name: store.table(name).as_dataset() for name in store.tables if name in CONTRACTS}
    return Session(tables, backed=backing(store), limits=limits)
