import shutil
from pathlib import Path

import pytest
from ingest.ingest_inputs import Inputs

from misread.ingest import ingest
from misread.store import TableStore

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return Inputs(tmp_path / "input")


@pytest.fixture
def store(tmp_path: Path) -> TableStore:
    """A store that its first ingest will make."""
    return TableStore.open_or_new(tmp_path / "store")


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the valid input in it; to be copied, not to be used."""
    folder = tmp_path_factory.mktemp("filled")
    ingest(TableStore.open_or_new(folder / "store"), Inputs(folder / "input").write())
    return folder / "store"


@pytest.fixture
def filled_store(filled: Path, tmp_path: Path) -> TableStore:
    """A store that has the valid input already."""
    shutil.copytree(filled, tmp_path / "store")
    return TableStore.open(tmp_path / "store")


@pytest.fixture
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data is not at {SHARED_DATA}")
    return SHARED_DATA
