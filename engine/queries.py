"""Questions kept in a store by name, and misread's own, to be asked again."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pyarrow as pa

from misread.schemas.errors import QueryError, command, unknown_name
from misread.schemas.tables import PREDICTIONS, QUERIES
from misread.sql import Limits, catalogue

from .execute import audit_named
from .execute.inputs import metadata_columns, model_targets
from .query import open_session
from .store import TableStore

_NAME = re.compile(r"[A-Za-z][\w-]{0,63}")
_COLUMNS = frozenset(("column_name", "first_column", "second_column"))
"""Values of misread's own questions that name a metadata column."""


def own_questions() -> dict[str, str]:
    """misread's own questions, by name."""
    return {entry.name: entry.text for entry in catalogue() if entry.kind == "questions"}


def kept_questions(store: TableStore) -> dict[str, str]:
    """The questions kept in a store, by name."""
    if not store.has(QUERIES.name):
        return {}
    rows = store.table(QUERIES.name).read(["name", "question"])
    return dict(sorted(zip(rows["name"].to_pylist(), rows["question"].to_pylist(), strict=True)))


def question_named(store: TableStore, name: str, values: Mapping[str, str] | None = None) -> str:
    """The text of a question, kept or misread's own.

    Raises UnknownNameError for neither, and where `values` give a question of misread's own a model, a target, an
    audit or a metadata column that the store does not have: it would be answered by an empty table.
    """
    own = own_questions()
    known = own | kept_questions(store)
    if name not in known:
        raise unknown_name("question", name, known, store.location)
    if name in own:
        _check_values(store, values or {})
    return known[name]


def check_question(store: TableStore, text: str, values: object) -> None:
    """Raises what `question_named` raises for values by name, where `text` is a question of misread's own."""
    if isinstance(values, Mapping) and text in own_questions().values():
        _check_values(store, {name: str(value) for name, value in values.items() if value is not None})


def _check_values(store: TableStore, values: Mapping[str, str]) -> None:
    if {"model", "target"} <= values.keys():
        pairs = model_targets(store) if store.has(PREDICTIONS.name) else []
        _check_known("model", values["model"], {model for model, _ in pairs})
        of_model = {target for model, target in pairs if model == values["model"]}
        _check_known("target", values["target"], of_model, f"the predictions of {values['model']!r}")
    for audit in _listed(values.get("audit_ids", "[]")):
        audit_named(store, audit)
    for name in sorted(values.keys() & _COLUMNS):
        _check_known("metadata column", values[name], ["split", *metadata_columns(store)], store.location)


def _listed(text: str) -> list[str]:
    """The names in a list as SQL reads it, `[a, b]`; a text that is no list is one name, whatever stands in it."""
    inner = text.strip()
    if not (inner.startswith("[") and inner.endswith("]")):
        return [text]
    return [name.strip(" '\"") for name in inner[1:-1].split(",") if name.strip()]


def _check_known(kind: str, name: str, known: Collection[str], place: str = "") -> None:
    if name not in set(known):
        raise unknown_name(kind, name, known, place)


def why_nothing_is_judged(store: TableStore, model: str, target: str) -> str | None:
    """Why no prediction of a model and target counts as right or wrong; None where one does."""
    asked = """
        SELECT count(label) AS labels, count(score) AS scores, count(label + score) AS both, count(error) AS judged,
            count(DISTINCT label) FILTER (score IS NOT NULL) AS kinds
        FROM predictions WHERE model = $model AND target = $target
    """
    with open_session(store) as session:
        (rows,) = session.query(asked, {"model": model, "target": target}).to_pylist()
    if rows["judged"]:
        return None
    start = f"no prediction of {model!r} for {target!r} counts as right or wrong: "
    for what in ("labels", "scores"):
        if not rows[what]:
            return f"{start}none has a {what[:-1]}"
    if not rows["both"]:
        return f"{start}none has both a label and a score"
    given = ["--threshold", "SCORE"] if rows["kinds"] == 1 else []  # one label alone leads to no threshold
    find = command("discover", store.location, "--model", model, "--target", target, *given)
    verb = "give" if given else "find"
    return f"{start}nothing says from which score on it is positive; {verb} a threshold with: {find}"


def not_judged(store: TableStore, model: str | None, target: str | None) -> list[str]:
    """`model, target` of all pairs (of one model or target; None: of every one) of which `why_nothing_is_judged` tells
    why no prediction counts as right or wrong; sorted."""
    asked = """
        SELECT model || ', ' || target AS pair FROM predictions
        WHERE model = coalesce($model, model) AND target = coalesce($target, target)
        GROUP BY model, target HAVING count(error) = 0 ORDER BY model, target
    """
    with open_session(store) as session:
        told: list[str] = session.query(asked, {"model": model, "target": target})["pair"].to_pylist()
    return told


def keep_question(store: TableStore, name: str, question: str, limits: Limits | None = None) -> None:
    """Keeps a question by name, in place of one of that name before; `limits` hold for looking at it.

    Raises QueryError for a name that cannot be one or is misread's own, and what `Session.prepare` raises for a
    question that may not be asked.
    """
    if not _NAME.fullmatch(name):
        raise QueryError(f"{name!r} cannot name a question", "use a letter, then letters, digits, _ and -, 64 at most")
    if name in own_questions():
        raise QueryError(f"{name!r} is one of misread's own questions", "choose another name")
    with open_session(store, limits) as session:
        session.prepare(question)
    row = {"name": name, "question": question, "saved_at": datetime.now(UTC)}
    with store.commit("sql --save") as commit:
        commit.upsert(QUERIES.name, pa.Table.from_pylist([row], schema=QUERIES.without_checksum))
