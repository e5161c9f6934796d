"""The demo as a whole, with few films."""

from pathlib import Path

import pytest

from misread.demo import Archive
from misread.demo import run as demo_run
from misread.demo.run import run
from misread.ingest import Sources, ingest
from misread.schemas.errors import MisreadError
from misread.store import TableStore


def test_the_demo_leaves_a_store_of_others_alone(tmp_path: Path) -> None:
    """Made-up films do not come between real ones, and nothing is drawn for them."""
    (tmp_path / "real.csv").write_text("sample_id\na\n")
    ingest(TableStore.open_or_new(tmp_path / "store"), Sources(metadata=tmp_path / "real.csv"))
    before = (tmp_path / "store" / "manifest.json").read_bytes()
    with pytest.raises(MisreadError, match="not the demo's"):
        run(tmp_path / "store", films=20, training_films=20)
    assert (tmp_path / "store" / "manifest.json").read_bytes() == before
    assert not (tmp_path / "store-files").exists()


@pytest.mark.slow
def test_the_demo_run_again_changes_nothing(tmp_path: Path) -> None:
    """A second run finds everything there: the same audit and answer, the same files and manifest to the byte."""
    store = tmp_path / "store"
    first = run(store, films=80, training_films=40)
    before = {path: path.read_bytes() for path in (store / "manifest.json", *first.files.rglob("*.*"))}
    again = run(store, films=80, training_films=40)
    assert again.audit_id == first.audit_id
    assert again.answer.equals(first.answer)
    assert before == {path: path.read_bytes() for path in (store / "manifest.json", *first.files.rglob("*.*"))}


@pytest.mark.parametrize(("scheme", "folder"), [("file://{place}/my%20", "{place}/my "), ("", "")])
def test_the_demos_files_lie_beside_its_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, folder: str
) -> None:
    """However the store is named; nothing is made of the name's scheme."""

    def drawn(files: Path, **_: object) -> Archive:
        raise FileNotFoundError(files)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo_run, "write_archive", drawn)
    with pytest.raises(FileNotFoundError) as caught:
        run(f"{scheme.format(place=tmp_path)}store")
    assert str(caught.value) == f"{folder.format(place=tmp_path)}store-files"
