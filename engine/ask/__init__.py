"""What SQL asks of Python: each function here backs one of the `.sql` functions."""

from misread.sql import Work
from misread.store import TableStore

from .copies import likely_copies
from .intervals import rate_interval
from .phrases import nearest_phrase
from .profile import more_often
from .subgroups import subgroups
from .vectors import nearest_samples, vector_of


def backing(store: TableStore) -> dict[str, Work]:
    """The work of every backed function over a store; nothing is read before it is called."""
    makers = (subgroups, vector_of, nearest_samples, likely_copies, nearest_phrase)
    return {maker.__name__: maker(store) for maker in makers} | backing_of_columns()


def backing_of_columns() -> dict[str, Work]:
    """The work of those that read nothing but the columns they are given."""
    return {"rate_interval": rate_interval, "more_often": more_often}


__all__ = ["backing", "backing_of_columns"]
