"""DuckDB's errors as sentences for people, with the names that do exist."""

import re
import textwrap
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any, Final

from misread.schemas.errors import MisreadError, QueryError, UnknownNameError, unknown_name
from misread.schemas.values import LARGEST_INTEGER

from .catalogue import STORED
from .catalogue import functions as own_functions
from .exhausted import MEMORY_HINT, ran_out_of_memory, ran_out_of_room, too_little_room, too_much_memory
from .streams import unread
from .tree import Tree

_COLUMN: Final = (
    re.compile(r'Values list "(?P<table>.+?)" does not have a column named "(?P<column>.+?)"'),
    re.compile(r'Referenced column "?(?P<column>.+?)"? (?:was )?not found in FROM clause'),
    re.compile(r'Column "(?P<column>.+?)" (?:in \w+ list not found|does not exist on)'),
)
_TABLE: Final = re.compile(r'Referenced table "(?P<table>.+?)" not found')
_FUNCTION: Final = re.compile(r'(?:^|\s)Function with name "?(?P<function>.+?)"? does not exist')
_CALL: Final = re.compile(r'Macro "?(?P<function>\w+)"?\(\) does not support the supplied arguments')
_FUNCTIONS: Final = r"""
SELECT DISTINCT function_name FROM duckdb_functions()
WHERE regexp_full_match(function_name, '[a-z]\w*')
  AND NOT regexp_matches(function_name, '^(icu_)?(collate_|pg_|has_\w+_privilege)')
"""
"""Names that may be meant by a function that there is not."""
_UNASKED: Final = re.compile(r"identifiers of the excess parameters: (.+)")
_MISCOUNTED: Final = re.compile(r"count mismatch for prepared statement\. Expected (\d+), got (\d+)")
_UNTAKEN: Final = re.compile(r"Unable to transform python value of type '<class '(?:\w+\.)*(\w+)'>'")
_TOO_LARGE: Final = re.compile(
    r"value (?P<value>\S+) (?:can't be cast because the value )?is out of range for (?:the destination )?type INT64"
    r"|Python integer too large for 128-bit integer type: (?P<given>-?\d+)"
)
_OF_ARGUMENTS: Final = re.compile(
    "aggregate|window|subquer|star expression|correlated|convert|cannot mix|^k is", re.IGNORECASE
)
"""What may have been said of the arguments of a function of ours, where its own text puts them."""
_KIND: Final = re.compile(r"^[A-Z][A-Za-z ]* Error: ")
_OF_ROWS: Final = ("Conversion Error: ", "Invalid Input Error: ", "Out of Range Error: ")
"""Errors that tell the value that they stumbled over, be it a report."""
_VALUE: Final = re.compile(r"""(?<!\w)(?P<quote>['"])(?P<value>.*)(?P=quote)(?!\w)""", re.DOTALL)
_WHERE: Final = re.compile(r"\n+LINE \d+: [^\n]*\n *\^+\s*\Z")
PREPARING: Final = "PREPARE asked AS "
_INTERNAL: Final = re.compile(rf"\b(?:temp\.main\.)?{STORED}(?=\w)")


def syntax_error(error: Exception) -> QueryError:
    """For a question that is no SQL."""
    message, hint = _told(str(error))
    return QueryError(f"this is not SQL: {message}", hint)


def refusal(error: Exception, tree: Tree, columns: Mapping[str, Collection[str]], connection: Any) -> MisreadError:
    """For a question that DuckDB would not answer on `connection`; `columns` are those of every view."""
    if whole := unread(error) or _exhausted(error):
        return whole
    text = str(error)
    for pattern in _COLUMN:
        if found := pattern.search(text):
            return _unknown_column(found["column"], found.groupdict().get("table"), tree, columns)
    if found := _TABLE.search(text):
        return unknown_name("table", found["table"], tree.tables(), "this question")
    if found := _FUNCTION.search(text):
        return _unknown_function(found["function"], connection)
    if (found := _CALL.search(text)) and found["function"] in own_functions():
        return QueryError(f"{found['function']} cannot be called in this way", f"write {_ways(found['function'])}")
    return _worded(text, tree)


def _worded(text: str, tree: Tree) -> QueryError:
    """An error of DuckDB's that is about no name, in its own words where we have none that are better."""
    message, hint = _told(_without_values(text, tree))
    if "Values were not provided" in message:
        hint = "give each a value: --set NAME=TEXT, or parameters= in Python"
    if found := _UNASKED.search(message):
        message, hint = f"the question has no ${found[1]}", "give values to those alone that it asks for"
    if found := _MISCOUNTED.search(message):
        message = f"values asked for: {found[1]}, given: {found[2]}"
        hint = "give values to those alone that it asks for"
    if found := _UNTAKEN.search(message):
        message = f"a value of type {found[1]} cannot be given to a question"
        hint = "give text, numbers, true or false, dates and times, or lists of such"
    if found := _TOO_LARGE.search(text):
        message = f"{found['value'] or found['given']} is too large or too small for a whole number"
        hint = f"whole numbers are {-LARGEST_INTEGER - 1} to {LARGEST_INTEGER}"
    if "is a Macro Function" in message:
        message = message.replace("is a Macro Function", "is made of several aggregates").partition(". ")[0]
        hint = "it takes no DISTINCT, FILTER, ORDER BY or OVER: choose its rows with WHERE or in a subquery"
    called = sorted(tree.functions() & own_functions().keys())
    if called and not hint and _OF_ARGUMENTS.search(message):
        hint = f"write {' and '.join(map(_ways, called))}; work out aggregates, windows and subqueries before, in WITH"
    return QueryError(message, hint)


def _exhausted(error: Exception) -> QueryError | None:
    if ran_out_of_room(error):
        return too_little_room("the question", MEMORY_HINT)
    return too_much_memory() if ran_out_of_memory(error) else None


def _unknown_column(
    name: str, table: str | None, tree: Tree, columns: Mapping[str, Collection[str]]
) -> UnknownNameError:
    tables = tree.tables()
    if table is not None and table.lower() in tables:
        tables = {table.lower(): tables[table.lower()]}
    own = own_functions()
    over = {own[name].header["over"] for name in tree.table_functions() & own.keys() if "over" in own[name].header}
    places = sorted({place for place in tables.values() if place in columns} | over)
    known = {column for place in places for column in columns[place]}
    if not places or tree.with_names() & set(tables.values()):
        known |= tree.aliases()
    error = unknown_name("column", name, known, ", ".join(places) or "this question")
    if "did you mean" in error.message:
        return error
    return UnknownNameError(error.message, f"{error.hint}\nif {name!r} is text, write it in single quotes")


def _unknown_function(name: str, connection: Any) -> UnknownNameError:
    known = [*own_functions(), *(known_name for (known_name,) in connection.execute(_FUNCTIONS).fetchall())]
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    own = ", ".join(sorted(own_functions()))
    return UnknownNameError(f"no function {name!r}{meant}", f"there is: {own}; and DuckDB's own functions")


def _ways(function: str) -> str:
    """How one of our own functions is written."""
    return own_functions()[function].header["signature"].replace("; ", " or ")


def _without_values(text: str, tree: Tree) -> str:
    """An error without what stands in the rows: errors go into logs and mails. What the question says itself stays."""
    if not text.startswith(_OF_ROWS):
        return text
    where = _WHERE.search(text)
    before = text[: where.start()] if where else text
    known = tree.literals()

    def kept(found: re.Match[str]) -> str:
        quote = found["quote"]
        return found[0] if found["value"] in known else f"{quote}…{quote}"

    return _VALUE.sub(kept, before).partition("\n")[0] + (where[0] if where else "")  # strptime shows the value again


def _told(text: str) -> tuple[str, str]:
    """(what happened in one line, where and what else)."""
    text = _INTERNAL.sub("", text).replace(PREPARING, "")
    first, _, rest = _KIND.sub("", text).partition("\n")
    return first.strip(), re.sub(r"\n{2,}", "\n", textwrap.dedent(rest).strip("\n")).rstrip()
