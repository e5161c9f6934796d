"""The command that asks a store in SQL: one question, one kept by name, or a prompt."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import pyarrow as pa
import typer

from misread.schemas.errors import command
from misread.sql.limits import MEMORY, SECONDS

from .messages import guarded, note
from .options import (
    FormatOption,
    MemoryOption,
    OutputOption,
    SmallCellsOption,
    StateOption,
    StoreArgument,
    TimeOption,
)
from .output import chosen_format, deliver

if TYPE_CHECKING:
    from misread.store import TableStore

QUESTION = typer.Argument(
    metavar="QUESTION",
    help="One SELECT over samples, slices, images, … (SHOW TABLES). Without one: a prompt, or what is piped in.",
)
FUNCTIONS = typer.Option("--functions", help="List the functions of SQL that misread brings.")
QUESTIONS = typer.Option("--questions", help="List the questions that --run can ask: misread's own and those kept.")
SAVE = typer.Option("--save", metavar="NAME", help="Keep the question in the store by this name, and ask it.")
RUN = typer.Option("--run", metavar="NAME", help="Ask a question by its name.")
SET = typer.Option("--set", metavar="NAME=TEXT", help="Give $NAME in the question a value; may be repeated.")


@guarded
def sql(  # noqa: PLR0913, PLR0917 - each is an option of the command
    store: StoreArgument,
    question: Annotated[str | None, QUESTION] = None,
    form: FormatOption = None,
    output: OutputOption = None,
    save: Annotated[str | None, SAVE] = None,
    run: Annotated[str | None, RUN] = None,
    set_: Annotated[list[str] | None, SET] = None,
    functions: Annotated[bool, FUNCTIONS] = False,
    questions: Annotated[bool, QUESTIONS] = False,
    time_limit: TimeOption = SECONDS,
    memory_limit: MemoryOption = MEMORY,
    allow_small_cells: SmallCellsOption = False,
    state: StateOption = None,
) -> None:
    """Ask a store a question in SQL; no question can change anything."""
    from misread.queries import keep_question, question_named
    from misread.query import open_session
    from misread.sql import Limits
    from misread.store import TableStore

    if sum((question is not None, run is not None, functions, questions)) > 1:
        raise typer.BadParameter("give a QUESTION, --run, --functions or --questions: one of them")
    if save is not None and (question is None or state is not None):
        raise typer.BadParameter("--save needs a QUESTION, and the newest state")
    form = chosen_format(form, output)
    limits = Limits(time_limit or None, memory_limit, allow_small_cells)
    values = values_given(set_ or ())
    opened = TableStore.open(store, state=state)
    if functions or questions:
        deliver(functions_listed() if functions else questions_listed(opened), form, output, opened.location)
        return
    if run is not None:
        question = question_named(opened, run, values)
    if question is None and not sys.stdin.isatty():
        question = sys.stdin.read()
        if not question.strip():
            raise typer.BadParameter("give a QUESTION, or pipe one in; a prompt needs a terminal")
    with open_session(opened, limits) as session:
        if question is None:
            from .prompt import converse

            converse(session, opened)
            return
        if save is not None:
            keep_question(opened, save, question, limits)
            again = (word for name, text in (values or {}).items() for word in ("--set", f"{name}={text}"))
            note(f"Kept as {save}; ask it again with: {command('sql', store, '--run', save, *again)}")
        result = session.query(question, values)
    if run is not None:
        tell_why_empty(opened, result, values)
    deliver(result, form, output, opened.location)


def tell_why_empty(store: "TableStore", result: pa.Table, values: Mapping[str, str] | None) -> None:
    """Says so where a named question has no answer because nothing of its model and target counts as right or wrong."""
    from misread.queries import why_nothing_is_judged

    if values and not result.num_rows and {"model", "target"} <= values.keys():
        reason = why_nothing_is_judged(store, values["model"], values["target"])
        if reason:
            note(reason)


def functions_listed() -> pa.Table:
    """One row a function and way to call it: what it gives, in which units, and where its formula is from."""
    from misread.sql import functions

    rows = [
        {"function": signature, **{key: entry.header[key] for key in ("output", "units", "source")}}
        for _, entry in sorted(functions().items())
        for signature in entry.header["signature"].split("; ")
    ]
    return pa.Table.from_pylist(rows)


def questions_listed(store: "TableStore") -> pa.Table:
    """One row a question that has a name: misread's own with what they need and give, then those kept."""
    from misread.queries import kept_questions
    from misread.sql import catalogue

    own = [entry for entry in catalogue() if entry.kind == "questions"]
    rows = [
        {"question": entry.name, "set": entry.header["inputs"], "gives": entry.header["output"]}
        for entry in sorted(own, key=lambda entry: entry.name)
    ]
    for name, text in kept_questions(store).items():
        rows.append({"question": name, "set": ", ".join(sorted(set(re.findall(r"\$(\w+)", text)))), "gives": text})
    return pa.Table.from_pylist(rows)


def values_given(given: Sequence[str]) -> dict[str, str] | None:
    """What `NAME=TEXT` gives to a question, by name; None for nothing. Raises BadParameter for what is none."""
    for pair in given:
        if not re.match(r"[A-Za-z_]\w*=", pair):
            raise typer.BadParameter(f"--set {pair}: write it as in --set column=sex")
    return dict(pair.split("=", 1) for pair in given) or None
