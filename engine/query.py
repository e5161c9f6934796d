"""Questions of a store in SQL."""

from misread.schemas.tables import CONTRACTS, IMAGES
from misread.sql import Limits, Session

from .ask import backing
from .store import TableStore


def open_session(store: TableStore, limits: Limits | None = None) -> Session:
    """A session over the state of the store that `store` reads. Close it when done."""
    tables = {name: store.table(name).as_dataset() for name in store.tables if name in CONTRACTS}
    return Session(tables, backed=backing(store), limits=limits)


def selected_samples(store: TableStore, where: str) -> set[str]:
    """The samples for which a predicate over the view `images` is true; NULL does not select.

    Raises QueryError unless `where` is one true-or-false expression, and UnknownNameError for columns that
    `images` does not have.
    """
    with open_session(store) as session:
        session.check_predicate(where, IMAGES.name)
        answer = session.query(f"SELECT sample_id FROM {IMAGES.name} WHERE (\n{where}\n)")
        return set(answer["sample_id"].to_pylist())
