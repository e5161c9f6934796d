"""Questions of a store, and samples chosen by a predicate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from misread.library import Store
from misread.query import open_session
from misread.schemas.errors import QueryError, UnknownNameError
from misread.store import TableStore

WAYS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "age > 45": lambda row: row["age"] is not None and row["age"] > 45,
    "NOT age > 45": lambda row: row["age"] is not None and not row["age"] > 45,
    "view = 'PA' OR age < 42": lambda row: row["view"] == "PA" or (row["age"] is not None and row["age"] < 42),
    "view IN ('PA', 'AP') AND age IS NULL": lambda row: row["view"] is not None and row["age"] is None,
    "view <> 'PA'": lambda row: row["view"] not in (None, "PA"),
    "sample_id LIKE 's0%' -- remark": lambda row: row["sample_id"].startswith("s0"),
    "starts_with(sample_id, 's1')": lambda row: row["sample_id"].startswith("s1"),
    "age BETWEEN 41 AND 43.5": lambda row: row["age"] is not None and 41 <= row["age"] <= 43.5,
    "true": lambda row: True,
    "false": lambda row: False,
}


@pytest.mark.parametrize("where", WAYS)
def test_a_predicate_selects_where_it_is_true(store: Path, where: str) -> None:
    """A sample is selected if and only if the predicate is true for it; NULL does not select."""
    opened = Store.open(store)
    with open_session(opened) as session:
        rows = session.query("SELECT * FROM images").to_pylist()
    assert set(opened.scan_table("images").filter(where).collect()["sample_id"]) == {
        row["sample_id"] for row in rows if WAYS[where](row)
    }


def test_what_is_no_predicate_is_refused(store: Path) -> None:
    """A predicate that is not one true-or-false expression over images is an error in words."""
    opened = Store.open(store)
    for where in ("age", "age > 3) OR (true", "count(*) > 1", "age > 1; SELECT 1", "random() > 0.5"):
        with pytest.raises(QueryError):
            opened.scan_table("images").filter(where)
    with pytest.raises(UnknownNameError, match="did you mean 'view'"):
        opened.scan_table("images").filter("veiw = 'PA'")


def test_every_stored_table_can_be_asked(store: Path) -> None:
    """Counting a view over the store is counting the table's rows."""
    opened = Store.open(store)
    with open_session(opened) as session:
        for name in opened.tables:
            asked = f"SELECT count(*) AS n FROM {name}"
            assert session.query(asked).to_pylist() == [{"n": opened.table(name).count()}]


def test_pictures_and_vectors_are_not_in_the_way(make_store: Callable[..., Path]) -> None:
    """A store with pictures answers SELECT * over its images."""
    store = make_store(images=[{"sample_id": "a", "picture": b"bytes", "sha256": "x"}, {"sample_id": "b"}])
    with open_session(TableStore.open(store)) as session:
        assert "picture" not in session.query("SELECT * FROM images").column_names
