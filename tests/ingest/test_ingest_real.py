"""The real data sets, from their files."""

from pathlib import Path

import pytest

from misread.ingest import RowCounts, Sources, ingest
from misread.store import TableStore


def _sources(folder: Path) -> Sources:
    reports = folder / "reports.csv"
    return Sources(
        metadata=folder / "metadata.csv",
        reports=reports if reports.exists() else None,
        predictions=folder / "predictions.csv",
    )


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("covid-cxr", {"images": 306, "reports": 214, "predictions": 306}),
        ("nih-cxr", {"images": 1605, "predictions": 23072}),
    ],
)
def test_real_data(name: str, counts: dict[str, int], shared_data: Path, store: TableStore) -> None:
    """Every row and picture of the real data comes in, and a second time changes nothing."""
    result = ingest(store, _sources(shared_data / name))
    assert dict(result.tables) == {table: RowCounts(added=rows) for table, rows in counts.items()}
    assert {table: store.table(table).count() for table in counts} == counts
    images = store.table("images")
    assert images.count("sha256 IS NOT NULL") == counts["images"]
    sample, digest = images.read(["sample_id", "sha256"]).slice(0, 1).to_pylist()[0].values()
    assert next(images.pictures())[0][0] == sample
    assert len(digest) == 64
    again = ingest(store, _sources(shared_data / name))
    assert {table: rows.unchanged for table, rows in again.tables.items()} == counts
    assert store.state == 1


def test_real_columns(shared_data: Path, tmp_path: Path) -> None:
    """Ids stay text, gaps stay gaps, and columns that would clash with ours are renamed with a notice."""
    covid = TableStore.open_or_new(tmp_path / "covid")
    ingest(covid, _sources(shared_data / "covid-cxr"))
    table = covid.table("images")
    assert table.count("patient_id = '331a'") > 0
    assert [str(table.schema.field(c).type) for c in ("patient_id", "age", "view")] == [
        "string",
        "double",
        "string",
    ]
    assert (table.count("age IS NULL"), table.count("sex IS NULL")) == (107, 13)
    nih = TableStore.open_or_new(tmp_path / "nih")
    sources = Sources(metadata=shared_data / "nih-cxr" / "metadata.csv")
    notices = ingest(nih, sources).notices
    table = nih.table("images")
    assert table.count("sample_id = '00000075_000' AND width <> metadata_width AND metadata_width = 2482") == 1
    assert [notice for notice in notices if "metadata_width" in notice]
