"""What is asked: the DuckDB session, and every view, function and question as a `.sql` file with a header."""

from .catalogue import Entry, catalogue, question
from .session import Session

__all__ = ["Entry", "Session", "catalogue", "question"]
