"""A writer killed at any moment leaves a store that opens, and a second run completes it."""

import subprocess
import sys
from pathlib import Path

import pytest
from store import killed

from misread.schemas.tables import CHECKSUM
from misread.store import TableStore
from misread.store.checksums import fingerprint

MOMENTS = 60


def content(store: TableStore) -> dict[str, object]:
    """Everything a state holds, and nothing of how it came about."""
    tables = {name: fingerprint(store.table(name).batches([CHECKSUM])) for name in store.tables}
    models = [store.read_model(entry.model)["a"].tolist() for entry in store.encoders.values() if entry.model]
    pictures = sorted((s, c) for ids, cs in store.table("images").pictures() for s, c in zip(ids, cs, strict=True))
    return {"tables": tables, "encoders": dict(store.encoders), "models": models, "pictures": pictures}


@pytest.mark.slow
def test_a_commit_killed_at_any_step_is_whole_or_not_there(tmp_path: Path) -> None:
    """At every step of two commits, SIGKILL leaves one of the states before or after; a rerun ends the same."""
    killed.fill(str(tmp_path / "whole"))
    states = {n: content(TableStore.open(tmp_path / "whole", state=n)) for n in (1, 2)}
    stores = [tmp_path / f"k{n}" for n in range(MOMENTS)]
    command = [sys.executable, killed.__file__, *map(str, stores)]
    ends = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert 20 <= ends.count("killed") < MOMENTS
    seen = set()
    for store in stores[: len(ends)]:
        left = TableStore.open_or_new(store)
        seen.add(left.state)
        if left.state:
            assert content(left) == states[left.state]
        killed.fill(str(store))
        again = TableStore.open(store)
        assert content(again) == states[2]
        assert content(TableStore.open(store, state=1)) == states[1]
    assert seen == {0, 1, 2}
