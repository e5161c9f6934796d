"""The prompt of `misread sql STORE`: questions over several lines, a private history, names completed."""

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import typer

from misread.schemas.errors import MisreadError
from misread.sql import Session, functions
from misread.sql.interrupts import forget_interruptions, was_interrupted
from misread.store import TableStore

from .messages import note, told
from .output import Format, deliver
from .querying import functions_listed, questions_listed, tell_why_empty, values_given
from .tables import write_lines

FIRST: Final = "misread> "
FURTHER: Final = "    ...> "
HISTORY_LINES: Final = 1000
WORDS: Final = frozenset(
    {
        "AND", "AS", "BETWEEN", "BY", "CASE", "DESCRIBE", "DISTINCT", "ELSE", "END", "EXPLAIN", "FROM", "GROUP",
        "HAVING", "IN", "IS", "JOIN", "LIMIT", "NOT", "NULL", "OR", "ORDER", "SELECT", "SHOW", "TABLES", "THEN",
        "USING", "WHEN", "WHERE", "WITH", "avg", "count", "max", "min", "round", "sum",
    }
)  # fmt: skip
PLAIN: Final = frozenset(("help", "quit", "exit"))
"""Commands that are understood without their dot: no question is one word."""
HELP: Final = (
    "End a question with ;",
    ".tables      the views",
    ".functions   the functions that misread brings",
    ".questions   questions that have a name; .run NAME model=… asks one",
    ".quit        leave (so does Ctrl-D); Ctrl-C stops a question",
)


def converse(session: Session, store: TableStore) -> None:
    """Asks until the end of the input. An error, or Ctrl-C, ends a question and not the conversation."""

    def listed(kind: str) -> None:
        deliver(functions_listed() if kind == "functions" else questions_listed(store), None, None, store.location)

    commands: dict[str, Callable[[str], None]] = {
        ".help": lambda _: write_lines(HELP, sys.stdout),
        ".tables": lambda _: _ask(session, store, "SHOW TABLES"),
        ".functions": lambda _: listed("functions"),
        ".questions": lambda _: listed("questions"),
        ".run": lambda words: _run(session, store, words),
    }
    typer.echo(f"{store.location}, state {store.state}. End a question with ; and leave with .quit (.help)")
    with _history(names(session)):
        while (asked := _asked()) is not None:
            if asked in (".quit", ".exit"):
                return
            _guarded(lambda text=asked: _answer(commands, session, store, text))  # type: ignore[misc]


def names(session: Session) -> list[str]:
    """Everything that may be completed: SQL's common words, views, columns and functions, without repeats."""
    columns = {column for view in session.columns.values() for column in view}
    return sorted({*WORDS, *session.columns, *columns, *functions()})


def _answer(commands: dict[str, Callable[[str], None]], session: Session, store: TableStore, text: str) -> None:
    if not text.startswith("."):
        _ask(session, store, text)
        return
    name, _, rest = text.partition(" ")
    if name not in commands:
        raise MisreadError(f"there is no {name}", f"there is: {', '.join([*commands, '.quit'])}")
    commands[name](rest.strip())


def _run(session: Session, store: TableStore, words: str) -> None:
    """`NAME model=… target=…`, each value with or without the --set of the command."""
    from misread.queries import question_named

    try:
        name, *given = shlex.split(words) or [""]
        values = values_given([word for word in given if word != "--set"])
    except ValueError as error:
        raise MisreadError(f"{words}: {error}", "put a value with blanks into quotes") from None
    except typer.BadParameter as error:
        raise MisreadError(error.message, "write it as in .run NAME model=… target=…") from None
    result = session.query(question_named(store, name, values), values)
    tell_why_empty(store, result, values)
    deliver(result, Format.TABLE, None, store.location)


def _ask(session: Session, store: TableStore, question: str) -> None:
    deliver(session.query(question), Format.TABLE, None, store.location)


def _guarded(work: Callable[[], None]) -> None:
    try:
        work()
    except KeyboardInterrupt:
        note("Interrupted.")
    except Exception as error:  # noqa: BLE001 - each is told, and the next question may be asked
        if was_interrupted():
            note("Interrupted.")
        else:
            told(error)
    finally:
        forget_interruptions()


def _asked() -> str | None:
    """The next question without its semicolon, or a command; None at the end of the input."""
    lines: list[str] = []
    while True:
        try:
            line = input(FURTHER if lines else FIRST)
        except EOFError:
            typer.echo()
            return None
        except KeyboardInterrupt:
            typer.echo()
            forget_interruptions()
            lines = []
            continue
        text = "\n".join([*lines, line]).strip()
        if not lines and text.lower() in PLAIN:
            return f".{text.lower()}"
        if text.endswith(";") or (not lines and text.startswith(".")):
            return text.rstrip("; \n")
        lines = [*lines, line] if text else []


@contextlib.contextmanager
def _history(words: list[str]) -> Iterator[None]:
    """Line editing with completion, where the system has it; the history is for its owner alone."""
    try:
        import readline
    except ImportError:
        yield
        return
    file = history_file()
    readline.set_completer(completer(words))
    readline.set_completer_delims(" \t\n()[],;'\"=<>+-*/|:")
    binding = "bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete"
    readline.parse_and_bind(binding)
    readline.set_history_length(HISTORY_LINES)
    with contextlib.suppress(OSError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
            file.chmod(0o600)
            readline.write_history_file(file)


def history_file() -> Path:
    """Where questions of earlier conversations are kept."""
    state = os.environ.get("XDG_STATE_HOME")
    return Path(state or Path.home() / ".local" / "state") / "misread" / "sql_history"


def completer(words: list[str]) -> Callable[[str, int], str | None]:
    """readline's way to complete: the n-th word that begins as the text does, whatever its case."""

    def complete(text: str, place: int) -> str | None:
        fitting = [word for word in words if word.lower().startswith(text.lower())]
        return fitting[place] if place < len(fitting) else None

    return complete
