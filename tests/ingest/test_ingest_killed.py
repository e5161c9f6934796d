"""An ingest that is killed (SIGKILL) between any two steps."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ingest.ingest_inputs import Inputs, encoded, fingerprints

from misread.ingest import ingest
from misread.schemas.errors import StoreError
from misread.store import TableStore

STEPS = 32


@pytest.mark.slow
@pytest.mark.parametrize("exists", [True, False])
def test_a_killed_ingest_is_never_seen(exists: bool, inputs: Inputs, filled: Path, tmp_path: Path) -> None:
    """Killed at any step, a store opens at its old state (or is none, if there was none), or at the new one if
    the manifest was swapped; a second run completes it."""
    _change_everything(inputs)
    sources = inputs.write()
    stores = [tmp_path / f"store-{n}" for n in range(STEPS)]
    whole = TableStore.open_or_new(tmp_path / "whole")
    if exists:
        for path in (*stores, tmp_path / "whole"):
            shutil.copytree(filled, path)
        whole = TableStore.open(tmp_path / "whole")
    old = fingerprints(whole)
    ingest(whole, sources)
    script = [
        sys.executable,
        str(Path(__file__).with_name("killed.py")),
        str(inputs.folder),
        *map(str, stores),
    ]
    ends = subprocess.run(script, check=True, capture_output=True, text=True).stdout.split()
    killed = ends.index("done")
    assert killed >= (12 if exists else 8)
    unseen = 0
    for path in stores[:killed]:
        try:
            found = fingerprints(TableStore.open(path))
        except StoreError:
            found = {}
        assert found in (old, fingerprints(whole))
        unseen += found == old
        store = TableStore.open_or_new(path)
        ingest(store, sources)
        assert fingerprints(store) == fingerprints(whole)
        assert sum(len(ids) for ids, _ in store.table("images").pictures()) == 4
    assert unseen == killed - 1


def _change_everything(inputs: Inputs) -> None:
    """Rows that are new, changed and wider in every table, so that every kind of writing is met."""
    inputs.tables["metadata"].append(["f", "p5", "s5", "a.jpg", "4.5", "F"])
    inputs.cell("metadata", 5, "image", "")
    inputs.pictures["b.png"] = encoded("PNG", seed=8)
    inputs.cell("reports", 2, "report", "Changed.")
    inputs.tables["reports"].append(["f", "New."])
    inputs.cell("predictions", 2, "score", "0.75")
    inputs.tables["predictions"].append(["f", "m1", "T", "1", "0.5"])
    inputs.embeddings[0]["vector"] = [0.25, 0.75]
    inputs.embeddings.append({"sample_id": "f", "encoder": "clip", "vector": [0.0, 0.0]})
