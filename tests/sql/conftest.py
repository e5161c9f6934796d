"""Sessions over tables in memory, and interruptions."""

import signal
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from audited_rows import Tables, audited_tables

from misread.ask import backing_of_columns
from misread.sql import Session
from stores import dataset

Rows = list[dict[str, Any]]
Opener = Callable[..., Session]


def session_over(tables: Mapping[str, Rows]) -> Session:
    return Session({name: dataset(name, rows) for name, rows in tables.items()}, backed=backing_of_columns())


@pytest.fixture(scope="session")
def open_over() -> Callable[[Mapping[str, Rows]], Session]:
    """Opens a session over {table: rows}; closing it is the caller's."""
    return session_over


@pytest.fixture
def opened() -> Iterator[Opener]:
    """Opens sessions over {table: rows} and closes them afterwards."""
    sessions: list[Session] = []

    def opener(**tables: Rows) -> Session:
        sessions.append(session_over(tables))
        return sessions[-1]

    yield opener
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """One session over a few rows of everything, for tests that only ask."""
    images = [
        {"sample_id": "a", "patient_id": "p", "age": 61.0, "view": "PA"},
        {"sample_id": "b", "patient_id": "p", "age": None, "view": "AP"},
    ]
    slices = [
        {"audit_id": "x", "slice_id": "x-1", "confirmation_rows": 10, "error_rate": 0.5},
        {"audit_id": "x", "slice_id": "x-2", "confirmation_rows": 0, "error_rate": None},
    ]
    told = ((2, "lead", 0.2), (1, "drain", None))
    phrases = [{"slice_id": "x-1", "rank": rank, "phrase": text, "q_value": q} for rank, text, q in told]
    members = [{"slice_id": "x-1", "sample_id": sample} for sample in "ab"]
    with session_over({"images": images, "slices": slices, "phrases": phrases, "memberships": members}) as one:
        yield one


@pytest.fixture(scope="module")
def tables() -> Tables:
    return audited_tables()


@pytest.fixture
def interruptions() -> Iterator[None]:
    """Interruptions are errors, as where Python is begun at a terminal: a shell's jobs beside it ignore them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
