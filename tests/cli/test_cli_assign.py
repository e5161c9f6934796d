"""`misread assign`."""

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

import misread as mr
from misread.cli.main import app
from misread.cli.moves import moves_for_people
from misread.execute.moving import MOVED
from stores import planted_store


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    place = tmp_path_factory.mktemp("assigned") / "store"
    store = planted_store(place, samples=500)
    return place, store.scan().filter("age < 70").discover(permutations=0, stability=0).describe().sink()


def test_rows_go_out_and_moves_are_told_apart(audited: tuple[Path, str]) -> None:
    """Standard output holds the rows alone; the slices' moves go to standard error."""
    store, audit = audited
    ended = invoke("assign", store, "--audit", audit, "--where", "age >= 70", "--format", "csv")
    assert ended.exit_code == 0
    lines = ended.stdout.splitlines()
    assert lines[0] == "sample_id,model,target,slice_id,score,class_probability,rank"
    assert any(line.endswith(",none,,,") for line in lines)
    assert len({line.split(",")[0] for line in lines[1:]}) == mr.open(store).sql(
        "SELECT count(*) FROM images WHERE age >= 70"
    ).item()  # fmt: skip
    assert "How the slices moved" in ended.stderr
    assert "error_rate_change" in ended.stderr
    head, *rows = (line.split() for line in ended.stderr.splitlines() if line.startswith(("slice_id", f"{audit}-")))
    assert head[:3] == ["slice_id", "model", "target"]
    assert {(row[1], row[2]) for row in rows} == {("m", "Pneumothorax")}


def test_moves_as_a_table_are_for_people(audited: tuple[Path, str]) -> None:
    """Where no other form is asked for: the same table as beside the rows, not 36 columns of raw numbers."""
    store, audit = audited
    beside = invoke("assign", store, "--audit", audit, "--where", "age >= 70").stderr
    told = invoke("assign", store, "--audit", audit, "--where", "age >= 70", "--moved").stdout
    assert told.strip()
    assert told in beside


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((0.123, 0.051, 0.2), "+12.3 (+5.1 to +20.0)"),
        ((0.0012, 0.0002, 0.0021), "+0.12 (+0.02 to +0.21)"),
        ((-0.0003, -0.00091, 0.00004), "-0.030 (-0.091 to +0.004)"),
        ((0.0, 0.0, 0.0), "+0.0 (+0.0 to +0.0)"),
    ],
)
def test_small_changes_keep_their_sign_and_size(change: tuple[float, ...], told: str) -> None:
    """A rare slice whose share or rate rose surely is not told as one that did not move."""
    parts = zip(("", "_low", "_high"), change, strict=True)
    rows = pl.DataFrame([dict.fromkeys(MOVED) | {f"share_change{end}": value for end, value in parts}], MOVED)
    (row,) = moves_for_people(rows.to_arrow()).to_pylist()
    assert row["share_change"] == told


def test_moves_as_the_result_are_numbers(audited: tuple[Path, str]) -> None:
    """--moved gives one row a slice, exact numbers for machines."""
    store, audit = audited
    rows = json.loads(
        invoke("assign", store, "--audit", audit, "--where", "age >= 70", "--moved", "--format", "json").stdout
    )
    found = mr.open(store).sql("SELECT slice_id, share FROM slices ORDER BY slice_id")
    assert [row["slice_id"] for row in rows] == found["slice_id"].to_list()
    assert [row["share_audited"] for row in rows] == found["share"].to_list()
    assert all(row["rows"] == round(row["share"] * row["samples"]) for row in rows)


def test_nothing_new_is_told(audited: tuple[Path, str]) -> None:
    """Without a new sample there is the header, a note and exit status 0."""
    store, audit = audited
    ended = invoke("assign", store, "--audit", audit, "--format", "csv")
    assert (ended.exit_code, ended.stdout) == (0, "sample_id,model,target,slice_id,score,class_probability,rank\n")
    assert "no sample is new" in ended.stderr


def test_a_choice_of_no_sample_is_told(audited: tuple[Path, str]) -> None:
    """A job whose condition is true of none would watch nothing, and find that nothing worsened."""
    store, audit = audited
    for chosen, told in (("age > 999", True), ("age >= 70", False)):
        ended = invoke("assign", store, "--audit", audit, "--where", chosen, "--moved")
        assert ended.exit_code == 0
        assert ("no sample is chosen" in ended.stderr) is told


def test_mistakes_are_told(audited: tuple[Path, str]) -> None:
    """An unknown audit, an unknown column and no audit at all are exit status 1, 1 and 2."""
    store, audit = audited
    unknown = invoke("assign", store, "--audit", audit[:-1] + "x")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert audit in unknown.stderr
    assert invoke("assign", store, "--audit", audit, "--where", "agee > 3").exit_code == 1
    assert invoke("assign", store).exit_code == 2
