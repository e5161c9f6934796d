"""What is asked: the DuckDB session, and every view, function and question as a `.sql` file with a header."""

from .backed import BACKED_FUNCTIONS, Work
from .catalogue import Entry, catalogue, functions, question
from .limits import Limits
from .session import Session

__all__ = ["BACKED_FUNCTIONS", "Entry", "Limits", "Session", "Work", "catalogue", "functions", "question"]
