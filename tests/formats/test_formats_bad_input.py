"""What is wrong with a data set is told as faults, and nothing is read from outside its folder."""

import io
import os
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from formats.conftest import Take
from formats.films import films
from formats.miniatures import table
from PIL import Image
from typer.testing import CliRunner

from misread.cli.main import app
from misread.formats import FORMATS
from misread.formats.sections import sections_of
from misread.formats.xml_files import UnsafeXmlError, parsed
from misread.schemas.errors import Fault, InputFaultsError, MisreadError
from misread.store import TableStore

Small = Callable[[str], tuple[Path, list[str]]]
Images = Callable[[TableStore], pl.DataFrame]


def faults(take: Take, name: str, root: Path) -> tuple[Fault, ...]:
    with pytest.raises(InputFaultsError) as caught:
        take(name, root)
    return caught.value.faults


def test_help_lists_each_format_whole_on_its_own_line() -> None:
    """Every format stands on one line with what it is, however narrow the terminal."""
    lines = CliRunner().invoke(app, ["ingest", "--help"], env={"COLUMNS": "40"}).output.splitlines()
    for known in FORMATS.values():
        assert any(line.split() == [known.name, *known.summary.split()] for line in lines), known.name


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_empty_or_missing_folder_is_a_fault(name: str, tmp_path: Path, take: Take) -> None:
    """A folder without the data set, or none at all, is told, and no store is made."""
    (tmp_path / "empty").mkdir()
    assert faults(take, name, tmp_path / "empty")
    assert "no such folder" in faults(take, name, tmp_path / "nowhere")[0].reason
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_file_in_place_of_the_folder_is_one_fault(name: str, tmp_path: Path, take: Take) -> None:
    """It is told by its name, skipping or not; nothing is made, a key neither."""
    (tmp_path / "list.txt").write_text("of films")
    for skip in (False, True):
        with pytest.raises(InputFaultsError) as caught:
            take(name, tmp_path / "list.txt", skip=skip)
        (fault,) = caught.value.faults
        assert Path(fault.file).name == "list.txt"
        assert ("this is no whole .npz file" if name == "medmnist" else "this is no folder") in fault.reason
    assert [path.name for path in tmp_path.iterdir()] == ["list.txt"]


def test_a_packed_archive_is_to_be_unpacked(tmp_path: Path, take: Take) -> None:
    """A .zip or .tgz in place of a folder is told."""
    (tmp_path / "images.tar.gz").write_bytes(b"\x1f\x8b")
    assert "unpack" in faults(take, "nih-cxr14", tmp_path / "images.tar.gz")[0].reason


def test_links_that_lead_out_are_faults(tmp_path: Path, take: Take, small: Small) -> None:
    """Neither a link to a file outside, nor one to a folder, nor one to nothing, nor a pipe is read."""
    root, _ = small("imagefolder")
    outside = tmp_path / "outside.png"
    outside.write_bytes(films(1)[0].encoded("PNG"))
    (root / "val" / "sick" / "link.png").symlink_to(outside)
    (root / "val" / "sick" / "dangling.png").symlink_to(root / "nothing.png")
    (root / "val" / "well").mkdir(exist_ok=True)
    (root / "val" / "again").symlink_to(root / "test")
    os.mkfifo(root / "val" / "sick" / "pipe.png")
    told = {fault.file: fault.reason for fault in faults(take, "imagefolder", root)}
    assert set(told) == {f"val/{name}" for name in ("sick/link.png", "sick/dangling.png", "again", "sick/pipe.png")}
    assert "leads out" in told["val/sick/link.png"]


def test_paths_in_tables_do_not_lead_out(tmp_path: Path, take: Take, small: Small) -> None:
    """An id or a path that climbs out of the folder is a fault of its row."""
    root, _ = small("mimic-cxr")
    path = root / "cxr-record-list.csv.gz"
    rows = [list(row) for row in pl.read_csv(path, infer_schema=False).iter_rows()]
    (tmp_path / "secret.dcm").write_bytes((root / rows[0][3]).read_bytes())
    rows[0][3] = "../secret.dcm"
    rows[1][3] = "/etc/passwd"
    table(path, [["subject_id", "study_id", "dicom_id", "path"], *rows])
    told = faults(take, "mimic-cxr", root)
    assert [(fault.row, "out of" in fault.reason or "absolute" in fault.reason) for fault in told] == [
        (2, True),
        (3, True),
    ]


def test_names_inside_a_zip_write_nothing(tmp_path: Path, take: Take) -> None:
    """Members named to climb out of a folder are read, if at all, without a name on disk."""
    root = tmp_path / "root"
    root.mkdir()
    buffer = io.BytesIO()
    np.save(buffer, np.zeros((2, 8, 8), np.uint8))
    with zipfile.ZipFile(root / "evil.npz", "w") as packed:
        packed.writestr("../../escaped.npy", buffer.getvalue())
        packed.writestr("train_images.npy", buffer.getvalue())
    before = {path for path in tmp_path.rglob("*") if "store" not in path.parts[-1]}
    _, result = take("medmnist", root)
    assert result.tables["images"].added == 2
    assert not list(tmp_path.rglob("escaped*"))
    assert before <= set(tmp_path.rglob("*"))


def test_pickles_bombs_and_volumes_in_npz_are_faults(tmp_path: Path, take: Take) -> None:
    """No array of objects, none that says it is larger than its file, and none of volumes is read."""
    root = tmp_path / "root"
    root.mkdir()
    np.savez(root / "objects.npz", train_images=np.array([{}], object))
    np.savez(root / "volumes.npz", train_images=np.zeros((2, 8, 8, 8), np.uint8))
    np.savez(root / "labels.npz", train_images=np.zeros((2, 8, 8), np.uint8), train_labels=np.zeros((3, 1), np.uint8))
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**4)})
    with zipfile.ZipFile(root / "bomb.npz", "w") as packed:
        packed.writestr("train_images.npy", buffer.getvalue())
    (root / "text.npz").write_text("no zip")
    told = {fault.file: fault.reason for fault in faults(take, "medmnist", root)}
    expected = {
        "objects": "pickle",
        "volumes": "two dimensions",
        "labels": "labels",
        "bomb": "bytes",
        "text": "whole .npz",
    }
    for name, reason in expected.items():
        assert reason in told[f"{name}.npz"], name


def test_pictures_that_are_none_are_faults(tmp_path: Path, take: Take, small: Small) -> None:
    """Cut off, of another format, text, or too large: told with the row; a JPEG called .png is taken by its content."""
    root, _ = small("imagefolder")
    folder = root / "val" / "sick"
    whole = films(1)[0].encoded("JPEG")
    (folder / "renamed.png").write_bytes(whole)
    (folder / "cut.jpg").write_bytes(whole[:-200])
    (folder / "cut.png").write_bytes(films(1)[0].encoded("PNG")[:-20])
    (folder / "text.png").write_text("not a picture")
    buffer = io.BytesIO()
    Image.new("1", (20000, 20000)).save(buffer, "PNG")
    (folder / "bomb.png").write_bytes(buffer.getvalue())
    told = " ".join(fault.reason for fault in faults(take, "imagefolder", root))
    assert all(name in told for name in ("cut.jpg", "cut.png", "text.png", "bomb.png"))
    assert "renamed" not in told


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>" * 200 + "</a>" * 200,
        "<a><b></a>",
        "<a>&undeclared;</a>",
        "",
    ],
)
def test_unsafe_xml_is_refused(text: str) -> None:
    """No document type, entity or bottomless nesting is read."""
    with pytest.raises(UnsafeXmlError):
        parsed(text)


def test_open_i_reports_and_pictures_without_each_other(take: Take, small: Small) -> None:
    """A picture that no report names, a report whose picture is gone, one without picture, and unsafe XML are told."""
    root, ids = small("open-i")
    (root / "NLMCXR_png" / f"{ids[0]}.png").unlink()
    (root / "NLMCXR_png" / "stray.png").write_bytes(films(1)[0].encoded("PNG"))
    reports = root / "NLMCXR_reports" / "ecgen-radiology"
    (reports / "90.xml").write_text('<eCitation><uId id="CXR90"/></eCitation>')
    (reports / "91.xml").write_text("<!DOCTYPE x><eCitation/>")
    told = {Path(fault.file).name: fault.reason for fault in faults(take, "open-i", root)}
    assert set(told) == {"0.xml", "stray.png", "90.xml", "91.xml"}
    store, result = take("open-i", root, skip=True)
    assert result.tables["images"].added == 3
    assert pl.DataFrame(store.table("reports").read())["indication"].unique().to_list() == ["Positive TB test"]


def test_open_i_pictures_of_one_name_are_told_apart(take: Take, small: Small) -> None:
    """Two pictures of one name, in two folders or of two endings, are a fault that names both; neither is taken."""
    root, ids = small("open-i")
    whole = films(1)[0].encoded("JPEG")
    again, other = root / "again" / f"{ids[0]}.png", root / "NLMCXR_png" / f"{ids[1]}.JPG"
    again.parent.mkdir()
    again.write_bytes(whole)
    other.write_bytes(whole)
    told = {fault.file: fault.reason for fault in faults(take, "open-i", root)}
    assert told == {
        f"NLMCXR_png/{ids[0]}.png": f"again/{ids[0]}.png is an image of the same name, {ids[0]!r}; "
        "leave one in the folder",
        f"NLMCXR_png/{ids[1]}.JPG": f"NLMCXR_png/{ids[1]}.png is an image of the same name, {ids[1]!r}; "
        "leave one in the folder",
    }
    store, _ = take("open-i", root, skip=True)
    assert set(pl.DataFrame(store.table("images").read())["sample_id"]) == set(ids[2:])
    assert store.table("reports").count() == 2


def test_nih_pictures_of_one_name_are_told_apart(take: Take, small: Small) -> None:
    """Two pictures of one name in two folders are a fault that names both; neither is taken, the others are."""
    root, ids = small("nih-cxr14")
    first = next(root.glob(f"images_*/images/{ids[0]}"))
    again = root / "images_012" / "images" / ids[0]
    again.parent.mkdir(exist_ok=True, parents=True)
    again.write_bytes(first.read_bytes())
    name = first.relative_to(root).as_posix()
    reason = f"images_012/images/{ids[0]} is an image of the same name; leave one in the folders"
    assert [(fault.file, fault.reason) for fault in faults(take, "nih-cxr14", root)] == [(name, reason)]
    store, _ = take("nih-cxr14", root, skip=True)
    assert set(pl.DataFrame(store.table("images").read())["sample_id"]) == set(ids[1:])


def test_chexpert_tables_of_faults_alone(take: Take, small: Small) -> None:
    """Where every row of the tables is at fault these faults are told, and nothing else, reports beside them or not."""
    root, _ = small("chexpert")
    for path in (root / "CheXpert-v1.0-small").glob("[tv]*.csv"):
        path.write_text(path.read_text().replace("/patient0", "/person0"))
    told = [fault for fault in faults(take, "chexpert", root) if fault.row is not None or "sample_id" in fault.reason]
    assert [fault.column for fault in told] == ["Path"] * 4


def test_ids_can_be_hashed_in_any_format(tmp_path: Path, take: Take, small: Small, images: Images) -> None:
    """With a key no id and no path is stored, and predictions by the ids of the data set still find their samples."""
    root, ids = small("mimic-cxr-jpg")
    key, predictions = tmp_path / "key", tmp_path / "predictions.csv"
    key.write_text("0123456789abcdef0123456789abcdef")
    header = ["sample_id", "model", "target", "label", "score"]
    table(predictions, [header, *([sample, "m", "T", 1, 0.5] for sample in ids)])
    given = ["--format", "mimic-cxr-jpg", str(root), "--key", str(key), "--predictions", str(predictions)]
    done = CliRunner().invoke(app, ["ingest", str(tmp_path / "store"), *given])
    assert done.exit_code == 0, done.output
    store = TableStore.open(tmp_path / "store")
    assert store.table("predictions").count() == 4
    assert store.table("reports").count() == 4
    told = repr(images(store).to_dicts()) + repr(pl.DataFrame(store.table("reports").read())["study_id"].to_list())
    assert not any(one in told for one in (*ids, "10000032", "50414267"))


def test_a_short_key_is_refused(tmp_path: Path, small: Small) -> None:
    """A key that could be guessed is none."""
    root, _ = small("imagefolder")
    (tmp_path / "key").write_text("short")
    done = CliRunner().invoke(
        app, ["ingest", str(tmp_path / "s"), "--format", "imagefolder", str(root), "--key", str(tmp_path / "key")]
    )
    assert done.exit_code == 1
    assert "at least 16 bytes" in done.output


def test_sections_end_where_the_next_begins() -> None:
    """Headings in any case that are known, and any in capitals, end a section; one that comes twice is joined."""
    found = sections_of("History: cough\nFINDINGS:\nClear.\nWET READ: none\nFindings: No\n mass.\nIMPRESSION:\n")
    assert found["findings"] == "Clear. No mass."
    assert found["indication"] == "cough"
    assert found["impression"] is None


@pytest.mark.parametrize("heading", ["FINDINGS AND IMPRESSION", "Findings/Impression", "FINDINGS & CONCLUSION"])
def test_a_heading_of_two_sections_fills_both(heading: str) -> None:
    """Who asks for findings, and who asks for the impression, gets the text; other headings in capitals name none."""
    found = sections_of(f"HISTORY AND PHYSICAL: seen\n{heading}: No mass.\n")
    assert {name: text for name, text in found.items() if text} == {"findings": "No mass.", "impression": "No mass."}


def test_no_room_to_unpack_is_no_fault_of_the_images(tmp_path: Path, take: Take) -> None:
    """A full TMPDIR ends the command: no image is left out, even with --skip-faulty, for want of room."""
    root = tmp_path / "root"
    root.mkdir()
    np.savez(root / "large.npz", train_images=np.zeros((20, 64, 64), np.uint8))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(MisreadError, match="TMPDIR"):
            take("medmnist", root, skip=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
