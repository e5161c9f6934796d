"""What readers make of the labels, ages and splits of public data sets: as the data sets' documentation has them."""

import re
import shutil
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from formats.conftest import Take
from PIL import Image

from misread.store import TableStore

Small = Callable[[str], tuple[Path, list[str]]]
Images = Callable[[TableStore], pl.DataFrame]


def test_chexpert_labels_and_reports(take: Take, small: Small, images: Images) -> None:
    """Of the paths come patient, study and split; of CheXpert Plus reports, and what it knows of patients."""
    root, ids = small("chexpert")
    store, _ = take("chexpert", root)
    rows = images(store)
    assert set(rows["sample_id"]) == set(ids)
    assert set(rows["split"]) == {"train", "val"}
    assert set(rows["race"]) == {"Asian"}
    assert rows["study_id"].str.contains(r"^patient\d+/study1$").all()
    assert {"positive", "negative", "uncertain", None} == set(rows["atelectasis"])
    reports = pl.DataFrame(store.table("reports").read())
    assert set(reports["indication"]) == {"cough.", "fever."}
    assert reports["findings"].null_count() == 0


def test_chexpert_ages_and_lower_case_labels(take: Take, small: Small, images: Images) -> None:
    """An age that is no number is missing, and a finding is told in words however its column is spelled."""
    root, _ = small("chexpert")
    for path in (root / "CheXpert-v1.0-small").glob("[tv]*.csv"):
        header, first, *others = path.read_text().splitlines()
        first = re.sub(r",\d+,Frontal", ",nan,Frontal", first)
        path.write_text("\n".join([header.replace("Atelectasis", "atelectasis"), first, *others]))
    rows = images(take("chexpert", root)[0])
    assert rows["age"].null_count() == 2
    assert set(rows["atelectasis"]) == {"positive", "negative", "uncertain", None}


def test_chexpert_images_lie_with_their_tables(take: Take, small: Small, images: Images) -> None:
    """Of two copies in one folder, small and full size, tables and images are taken of the same."""
    root, _ = small("chexpert")
    shutil.copytree(root / "CheXpert-v1.0-small", root / "CheXpert-v1.0")
    for path in (root / "CheXpert-v1.0").rglob("*.jpg"):
        Image.new("L", (7, 7)).save(path)
    (root / "CheXpert-v1.0" / "train.csv").unlink()
    assert 7 not in images(take("chexpert", root)[0])["width"].to_list()


def test_nih_findings_and_ages(take: Take, small: Small, images: Images) -> None:
    """Findings are those listed; an age of 411 is missing, and told."""
    root, ids = small("nih-cxr14")
    store, result = take("nih-cxr14", root)
    rows = {row["sample_id"]: row for row in images(store).to_dicts()}
    assert [rows[i]["mass"] for i in ids] == ["negative", "positive", "negative", "negative"]
    assert rows[ids[1]]["pleural_thickening"] == "positive"
    assert [rows[i]["age"] for i in ids] == [30, 31, 32, None]
    assert {row["split"] for row in rows.values()} == {"train", "test"}
    assert any("1 ages above 120" in notice for notice in result.notices)


def test_ages_of_nih_are_whole_years_whatever_their_unit(take: Take, small: Small, images: Images) -> None:
    """As in DICOM, some tables have years, months and days; none of them is a slip of the pen."""
    root, ids = small("nih-cxr14")
    table = root / "Data_Entry_2017.csv"
    written = {",30,": ",001D,", ",31,": ",010M,", ",32,": ",058Y,", ",411,": ",411M,"}
    table.write_text(reduce(lambda text, pair: text.replace(*pair), written.items(), table.read_text()))
    store, result = take("nih-cxr14", root)
    age = dict(images(store).select("sample_id", "age").iter_rows())
    assert [age[one] for one in ids] == [0, 0, 58, 34]
    assert not any("ages" in notice for notice in result.notices)


def test_the_newer_table_of_nih_is_read(take: Take, small: Small, images: Images) -> None:
    """It says Patient Sex where the older one says Patient Gender."""
    root, _ = small("nih-cxr14")
    older = root / "Data_Entry_2017.csv"
    (root / "Data_Entry_2017_v2020.csv").write_text(older.read_text().replace("Patient Gender", "Patient Sex"))
    older.unlink()
    assert set(images(take("nih-cxr14", root)[0])["sex"]) == {"F", "M"}


def test_padchest_labels_and_ages(take: Take, small: Small, images: Images) -> None:
    """Labels come from the list as written, the age from two years; the year of birth is not stored."""
    root, ids = small("padchest")
    store, _ = take("padchest", root)
    rows = {row["sample_id"]: row for row in images(store).to_dicts()}
    assert rows[ids[0]]["labels"] == "mass|pleural effusion"
    assert rows[ids[0]]["pleural_effusion"] == "positive"
    assert [rows[i]["age"] for i in ids] == [30, 31, 32, 33]
    assert not any("birth" in column or column == "born" for column in rows[ids[0]])


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["laminar atelectasis"], {"atelectasis": "positive", "pleural_effusion": "negative", "normal": "negative"}),
        (["hydropneumothorax"], {"pleural_effusion": "positive", "pneumothorax": "positive", "mass": "negative"}),
        (
            ["", " air bronchogram"],
            {"consolidation": "positive", "alveolar_pattern": "positive", "infiltrates": "positive"}
            | {"interstitial_pattern": "negative", "atelectasis": "negative"},
        ),
        (["subcutaneous emphysema"], {"emphysema": "negative"}),
        (["normal", "exclude"], {"normal": "positive", "exclude": "positive", "mass": "negative"}),
        (["unchanged"], {"unchanged": "positive", "exclude": "negative", "normal": None, "cardiomegaly": None}),
        (["exclude", "suboptimal study"], {"suboptimal_study": "positive", "unchanged": "negative", "mass": None}),
        (["unchanged", "pacemaker"], {"unchanged": "positive", "cardiomegaly": "negative"}),
        ([], {"normal": None, "unchanged": None, "mass": None}),
    ],
)
def test_padchest_findings_as_its_trees_have_them(
    take: Take, small: Small, images: Images, labels: list[str], told: dict[str, str | None]
) -> None:
    """Narrower names are of the finding above them; labels that tell of no finding leave findings unknown."""
    root, _ = small("padchest")
    table = root / "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
    table.write_text(re.sub(r"\"\[.*?\]\"|\['normal'\]", f'"{labels}"', table.read_text()))
    for row in images(take("padchest", root)[0]).to_dicts():
        assert {name: row[name] for name in told} == told


def test_vindr_votes(take: Take, small: Small, images: Images) -> None:
    """Where three radiologists agree a finding is positive or negative, where they differ it is uncertain."""
    root, ids = small("vindr-cxr")
    store, _ = take("vindr-cxr", root)
    rows = {row["sample_id"]: row for row in images(store).to_dicts()}
    assert [rows[ids[0]][c] for c in ("aortic_enlargement", "lung_opacity")] == ["uncertain", "negative"]
    assert [rows[ids[2]][c] for c in ("aortic_enlargement", "nodule_mass")] == ["positive", "uncertain"]
    assert rows[ids[3]]["split"] == "test"
    assert all(row["other_diseases"] is not None for row in rows.values())  # "Other disease" in the test set
    assert "other_disease" not in rows[ids[3]]


def test_a_film_of_vindr_that_lacks_a_reading_is_left_out(take: Take, small: Small, images: Images) -> None:
    """Where faulty rows are skipped, two readings that agree are not what all three radiologists saw."""
    root, ids = small("vindr-cxr")
    table = root / "annotations" / "image_labels_train.csv"
    lines = table.read_text().splitlines()
    mine = [place for place, line in enumerate(lines) if line.startswith(f"{ids[2]},")]
    lines[mine[2]] = lines[mine[2]].rpartition(",")[0] + ",x"
    table.write_text("\n".join(lines) + "\n")
    store, result = take("vindr-cxr", root, skip=True)
    assert set(images(store)["sample_id"]) == set(ids) - {ids[2]}
    assert sorted(fault.row for fault in result.faults) == [place + 1 for place in mine]


def test_medmnist_labels(take: Take, small: Small, images: Images) -> None:
    """Labels are numbers, a column each."""
    root, ids = small("medmnist")
    store, _ = take("medmnist", root)
    rows = images(store)
    assert set(rows["sample_id"]) == set(ids)
    assert rows.schema["label_0"] == pl.Int64


def test_an_empty_split_of_medmnist_is_none(tmp_path: Path, take: Take, images: Images) -> None:
    """A file whose splits are partly without images gives the images of the others."""
    root = tmp_path / "root"
    root.mkdir()
    splits = {"train_images": np.zeros((2, 8, 8), np.uint8), "train_labels": np.zeros((2, 1), np.uint8)}
    empty = {"test_images": np.zeros((0, 8, 8), np.uint8), "test_labels": np.zeros((0, 1), np.uint8)}
    np.savez(root / "own.npz", **splits, **empty)
    assert images(take("medmnist", root)[0])["sample_id"].to_list() == ["own/train/000000", "own/train/000001"]
