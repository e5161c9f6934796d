"""What our functions make of arguments that are columns, subqueries, aggregates, windows and constants."""

import re
from collections.abc import Callable, Iterator

import pytest

from misread.schemas.errors import MisreadError
from misread.sql import Session
from misread.sql.catalogue import Entry, functions

GIVEN = {
    "a column": "given.one",
    "a subquery": "(SELECT one FROM given)",
    "a subquery of the row": "(SELECT given.one)",
    "an aggregate": "max(given.one)",
    "a window": "max(given.one) OVER ()",
    "a star": "*",
    "a text": "'text'",
    "nothing": "NULL",
}


def calls(entry: Entry, argument: str) -> Iterator[str]:
    """Every way of calling a function with `argument` in one place and plain numbers in the others it needs."""
    for way in entry.header["signature"].split("; "):
        (inside,) = re.findall(r"\((.*)\)", way)
        names = inside.split(", ") if inside else []
        needed = [name for name in names if ":=" not in name]
        for place in range(len(needed)):
            yield f"{entry.name}({', '.join(argument if at == place else '1' for at in range(len(needed)))})"
        for name in (name.partition(" :=")[0] for name in names if ":=" in name):
            yield f"{entry.name}({', '.join([*('1' for _ in needed), f'{name} := {argument}'])})"


@pytest.mark.parametrize("argument", GIVEN.values(), ids=list(GIVEN))
@pytest.mark.parametrize("name", sorted(functions()))
def test_what_is_given_is_used_or_refused_with_what_to_do(session: Session, name: str, argument: str) -> None:
    """Whatever an argument is, it is worked out, or the error says how the function is called."""
    entry = functions()[name]
    for call in calls(entry, argument):
        asked = f"SELECT told.* FROM given, {call} AS told" if entry.is_table else f"SELECT {call} FROM given"
        hint = None
        try:
            session.query(f"WITH given AS (SELECT 1 AS one) {asked}")
        except MisreadError as refused:
            hint = refused.hint
        assert hint != "", call


@pytest.mark.parametrize("alias", ["asked", "given", "h", "ranked", "s", "sizes", "weights"])
def test_words_and_how_many_reports_may_be_those_of_each_row(opened: Callable[..., Session], alias: str) -> None:
    """Asked for in a join, every row gets what it would get alone, whatever the caller's table is called."""
    texts = ["No effusion.", "Large effusion, left", "Clear lungs", "Plaque; effusion?", "Lungs clear. No plaque"]
    session = opened(reports=[{"sample_id": f"s{place}", "report": text} for place, text in enumerate(texts)])
    wanted = [(words, k) for words in ("effusion", "clear plaque", "tube") for k in (1, 2, 4)]
    listed = ", ".join(str(pair) for pair in wanted)
    joined = session.query(
        f"SELECT {alias}.words, {alias}.k, f.* FROM (VALUES {listed}) AS {alias}(words, k), "
        f"search_reports({alias}.words, k := {alias}.k) AS f ORDER BY ALL"
    ).to_pylist()
    for words, k in wanted:
        alone = session.query(f"FROM search_reports('{words}', k := {k}) ORDER BY ALL").to_pylist()
        assert len(alone) == min(k, {"effusion": 3, "clear plaque": 3, "tube": 0}[words])
        assert [{"words": words, "k": k, **row} for row in alone] == [
            row for row in joined if (row["words"], row["k"]) == (words, k)
        ]


@pytest.mark.parametrize("k", ["0", "-1", "NULL", "'two'"])
def test_no_reports_cannot_be_asked_for(session: Session, k: str) -> None:
    """They are refused, also where no report fits."""
    with pytest.raises(MisreadError) as refused:
        session.query(f"FROM search_reports('xyzzy', k := {k})")
    assert k.strip("'") in refused.value.message


def test_a_constant_score_tells_nothing_apart(session: Session) -> None:
    """A constant may be scored like any column: it is as good as chance."""
    asked = "SELECT auroc(label, {}) AS told FROM (VALUES (0), (1), (1)) AS labels(label)"
    for constant, told in (("0.3", 0.5), ("1", 0.5), ("NULL", None)):
        assert session.query(asked.format(constant)).to_pylist() == [{"told": told}]
