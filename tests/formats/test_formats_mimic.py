"""MIMIC-CXR-JPG and MIMIC-CXR, read as PhysioNet lays them out."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from formats.conftest import Take
from formats.films import films
from formats.miniatures import LABELS, labels

from misread.schemas.errors import InputFaultsError
from misread.store import TableStore

Small = Callable[[str], tuple[Path, list[str]]]
Images = Callable[[TableStore], pl.DataFrame]


def test_labels_uncertain_and_missing_stay_apart(take: Take, small: Small, images: Images) -> None:
    """1, 0, -1 and blank of either labeller are positive, negative, uncertain and NULL."""
    root, ids = small("mimic-cxr-jpg")
    store, _ = take("mimic-cxr-jpg", root)
    rows = {row["sample_id"]: row for row in images(store).to_dicts()}
    words = {"1.0": "positive", "0.0": "negative", "-1.0": "uncertain", "": None}
    for film, sample in zip(films(4), ids, strict=True):
        expected = [words[label] for label in labels(film)]
        for labeller in ("chexpert", "negbio"):
            columns = [f"{labeller}_{name.lower().replace(' ', '_')}" for name in LABELS]
            assert [rows[sample][column] for column in columns] == expected
    assert {row["split"] for row in rows.values()} == {"test"}
    assert "StudyDate" not in images(store).columns


def test_free_text_of_the_table_is_stored_only_where_it_is_named(take: Take, small: Small, images: Images) -> None:
    """PerformedProcedureStepDescription is on the basic profile's list: left out and told, kept where it is named."""
    root, _ = small("mimic-cxr-jpg")
    store, result = take("mimic-cxr-jpg", root)
    assert "CHEST (PA AND LAT)" not in repr(images(store).to_dicts())
    assert any("'PerformedProcedureStepDescription' is free text" in notice for notice in result.notices)
    asked = ("PerformedProcedureStepDescription", "Nothing")
    store, result = take("mimic-cxr-jpg", root, identifiers_kept=asked)
    assert images(store)["performed_procedure_step_description"].to_list() == ["CHEST (PA AND LAT)"] * 4
    assert [notice.partition(": ")[2] for notice in result.notices if "to keep" in notice] == [
        "there is no column 'Nothing' to keep"
    ]


def test_reports_come_with_their_sections(take: Take, small: Small) -> None:
    """The whole text is the report, and what stands under each heading is a column."""
    root, _ = small("mimic-cxr-jpg")
    store, _ = take("mimic-cxr-jpg", root)
    rows = pl.DataFrame(store.table("reports").read()).sort("study_id")
    assert rows["findings"][0] == "There is a large mass. The heart is normal."
    assert rows["impression"].to_list() == [f"Film {n}." for n in range(4)]
    assert rows["comparison"][0] == "None."
    assert rows["technique"].null_count() == 4
    assert rows["report"][0].startswith("FINAL REPORT")


def test_reports_and_pictures_without_each_other_are_faults(take: Take, small: Small) -> None:
    """A report of no study, a study without its report and a picture that is gone are told at once; skipping them
    keeps the picture whose report is missing."""
    root, ids = small("mimic-cxr-jpg")
    reports = sorted(root.glob("files/p*/p*/s*.txt"))
    reports[0].unlink()
    stray = reports[1].with_name("s999.txt")
    stray.write_text("FINDINGS: none.")
    sorted(root.rglob("*.jpg"))[3].unlink()
    with pytest.raises(InputFaultsError) as caught:
        take("mimic-cxr-jpg", root)
    told = {fault.file: fault.reason for fault in caught.value.faults}
    assert "no such report" in told[reports[0].relative_to(root).as_posix()]
    assert "no image belongs" in told[stray.relative_to(root).as_posix()]
    assert "no such image" in told["mimic-cxr-2.0.0-metadata.csv.gz"]
    store, result = take("mimic-cxr-jpg", root, skip=True)
    assert result.tables["images"].added == 3
    assert set(pl.DataFrame(store.table("images").read())["sample_id"]) == set(ids[:3])
    assert result.tables["reports"].added == 2
    assert result.rejected is not None
    assert stray.name in (result.rejected / "files.csv").read_text()
