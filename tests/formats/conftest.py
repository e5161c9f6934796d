from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from formats.miniatures import MINIATURES

from misread.formats import format_sources
from misread.ingest import IngestResult, ingest
from misread.store import TableStore


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked exhaustive run only when they are asked for."""
    if "exhaustive" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("exhaustive")]


Take = Callable[..., tuple[TableStore, IngestResult]]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Ingests a folder in a format into a store of its own."""

    def taken(name: str, root: Path, *, skip: bool = False, **options: object) -> tuple[TableStore, IngestResult]:
        place = tmp_path / "store"
        sources = format_sources(name, root, place, **options)  # type: ignore[arg-type]
        return (store := TableStore.open_or_new(place)), ingest(store, sources, skip_faulty=skip)

    return taken


@pytest.fixture
def small(tmp_path: Path) -> Callable[[str], tuple[Path, list[str]]]:
    """A miniature of a few films, and its ids."""

    def made(name: str, count: int = 4) -> tuple[Path, list[str]]:
        root = tmp_path / name
        root.mkdir()
        return root, MINIATURES[name](root, count)

    return made


@pytest.fixture
def images() -> Callable[[TableStore], pl.DataFrame]:
    def read(store: TableStore) -> pl.DataFrame:
        return pl.DataFrame(store.table("images").read()).sort("sample_id")

    return read
