"""The demo as a whole, with few films."""

from pathlib import Path

import pytest

from misread.demo.run import run


@pytest.mark.slow
def test_the_demo_run_again_changes_nothing(tmp_path: Path) -> None:
    """A second run finds everything there: the same audit and answer, the same files and manifest to the byte."""
    store = tmp_path / "store"
    first = run(store, films=120, training_films=80)
    before = {path: path.read_bytes() for path in (store / "manifest.json", *first.files.rglob("*.*"))}
    again = run(store, films=120, training_films=80)
    assert again.audit_id == first.audit_id
    assert again.answer.equals(first.answer)
    assert before == {path: path.read_bytes() for path in (store / "manifest.json", *first.files.rglob("*.*"))}
