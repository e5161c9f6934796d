"""Small stores, and the command line run in this process or in one of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from misread.schemas.tables import CHECKSUM, CONTRACTS
from misread.store import EncoderEntry, TableStore

Rows = list[dict[str, Any]]
Ended = subprocess.CompletedProcess[str]
SAMPLES = 12


def contract_rows(name: str, rows: Rows) -> pa.Table:
    """Rows of a table by its contract, with further columns as they come."""
    fields = [field for field in CONTRACTS[name].fields if field.name != CHECKSUM]
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in fields}
    further = {key: None for row in rows for key in row if key not in columns}
    made = pa.table(columns, schema=pa.schema(fields))
    for key in further:
        made = made.append_column(key, pa.array([row.get(key) for row in rows]))
    return made


def images() -> Rows:
    views = ("PA", "AP", None)
    return [{"sample_id": f"s{i:02}", "age": 40.0 + i if i % 4 else None, "view": views[i % 3]} for i in range(SAMPLES)]


def predictions() -> Rows:
    return [
        {
            "sample_id": f"s{i:02}",
            "model": "net",
            "target": target,
            "label": i % 2 if i < 10 else None,
            "score": i / 12,
        }
        for i in range(SAMPLES)
        for target in ("effusion", "pneumothorax")
    ]


def audit(name: str, day: int, slices: int) -> dict[str, Any]:
    return {
        "audit_id": name,
        "created_at": datetime(2026, 3, day, tzinfo=UTC),
        "models": ["net"],
        "targets": ["effusion", "pneumothorax"],
        "where": "view = 'PA'",
        "slices": slices,
        "confirmed_slices": slices,
        "notes": ["too few errors to search"] if not slices else ["column url is left out"],
    }


def found_slice(name: str, number: int, **more: object) -> dict[str, Any]:
    plain = {"audit_id": name, "slice_id": f"{name}-{number}", "model": "net", "target": "pneumothorax"}
    counts = {"confirmation_rows": 20, "confirmation_errors": 13, "error_rate": 0.65, "baseline_rate": 0.125}
    interval = {"error_rate_low": 0.433, "error_rate_high": 0.819}
    tests = {
        "lift": 5.2,
        "q_value": 0.00012345,
        "confirmed": True,
        "error_kind": "false negative",
        "true_class": 1,
    }
    return plain | counts | interval | tests | more


@pytest.fixture(scope="session")
def make_store(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a store of {table: rows}."""

    def make(encoders: dict[str, EncoderEntry] | None = None, **tables: Rows) -> Path:
        folder = tmp_path_factory.mktemp("stores") / "store"
        with TableStore.open_or_new(folder).commit("test") as commit:
            for name, rows in tables.items():
                commit.append(name, contract_rows(name, rows))
            for name, entry in (encoders or {}).items():
                commit.set_encoder(name, entry)
        return folder

    return make


@pytest.fixture(scope="session")
def store(make_store: Callable[..., Path]) -> Path:
    """A store with two audits; the older one found two slices, the newer none."""
    return make_store(
        encoders={"hog": EncoderEntry("image", 128, "built-in", 1)},
        images=images(),
        reports=[{"sample_id": "s01", "report": 'A \x1b[31mdrain\x1b[0m [bold]lies[/bold]\nin place, "left"'}],
        predictions=predictions(),
        audits=[audit("older", 1, 2), audit("newer", 2, 0)],
        slices=[
            found_slice("older", 1),
            found_slice("older", 2, error_rate=None, error_rate_low=None, confirmed=False),
        ],
        phrases=[
            {"audit_id": "older", "slice_id": "older-1", "rank": 2, "phrase": "tube", "q_value": 0.5},
            {"audit_id": "older", "slice_id": "older-1", "rank": 1, "phrase": "no drain", "q_value": 0.25},
        ],
    )


@pytest.fixture
def misread(tmp_path: Path) -> Callable[..., Ended]:
    """Runs the command in a process of its own, away from any terminal."""

    def run(*arguments: object, **settings: str) -> Ended:
        command = [sys.executable, "-m", "misread.cli", *map(str, arguments)]
        environment = {**os.environ, "PYTHONWARNINGS": "error", **settings}
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)

    return run
