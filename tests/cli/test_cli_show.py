"""`misread info` and `misread slices`."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from misread.cli.main import app


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_info_counts_what_is_there(store: Path) -> None:
    """Tables, encoders, predictions and audits are those of the store; what few patients have is not counted."""
    contents = json.loads(invoke("info", store, "--format", "json").stdout)
    assert contents["location"] == str(store)
    assert (contents["state"], contents["format_version"]) == (1, 4)
    assert {row["table"]: row["rows"] for row in contents["tables"]} == {
        "audits": 2, "images": 12, "phrases": 2, "predictions": 24, "reports": 1, "slices": 2,
    }  # fmt: skip
    assert contents["encoders"] == [{"encoder": "hog", "modality": "image", "dimension": 128, "source": "built-in"}]
    counted = {"model": "net", "task": None, "predictions": 12, "labelled": None, "positive": None}
    assert contents["predictions"] == [counted | {"target": target} for target in ("effusion", "pneumothorax")]
    assert [(row["audit_id"], row["slices"]) for row in contents["audits"]] == [("newer", 0), ("older", 2)]


def test_info_for_people_says_the_same(store: Path) -> None:
    """The text has a section for each kind of thing."""
    ended = invoke("info", store)
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[0] == f"location:       {store}"
    for word in ("tables:", "encoders:", "predictions:", "audits:", "hog", "pneumothorax", "older"):
        assert word in ended.stdout


def test_info_of_an_empty_store(make_store: Callable[..., Path]) -> None:
    """What is not there yet is called none."""
    told = invoke("info", make_store(images=[])).stdout
    assert "encoders: none" in told
    assert "audits: none" in told


def test_slices_of_an_audit(store: Path) -> None:
    """One row a slice, the confirmed first, rates in percent, the nearest phrase and its q-value; notes apart."""
    ended = invoke("slices", store, "--audit", "older")
    assert ended.stderr == "audit older: column url is left out\n"
    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["slice_id", "older-1", "older-2"]
    assert "65 % (43 % to 82 %)" in lines[1]
    assert lines[1].split()[-4:] == ["no", "drain", "no", "0.25"]
    assert lines[2].split()[-2:] == ["NULL", "NULL"]


def test_slices_for_machines_are_numbers(store: Path) -> None:
    """In CSV and JSON rates are exact numbers, each in a column of its own."""
    rows = json.loads(invoke("slices", store, "--audit", "older", "--format", "json").stdout)
    assert rows[0]["error_rate"] == 0.65
    assert rows[0]["error_rate_high"] == 0.819
    assert rows[0]["q_value"] == 0.00012345


def test_slices_of_few_patients_show_no_numbers(make_store: Callable[..., Path]) -> None:
    """Fewer than eleven patients: the slice is named, its counts and rates are not, unless they are allowed."""
    counts = {"confirmation_rows": 20, "confirmation_errors": 13, "confirmation_patients": 10}
    rates = {"error_rate": 0.65, "error_rate_low": 0.433, "error_rate_high": 0.819, "lift": 5.2}
    found = {"audit_id": "new", "slice_id": "new-1", "model": "m", "target": "t", **counts, **rates}
    store = make_store(audits=[{"audit_id": "new", "slices": 1}], slices=[found])
    told = invoke("slices", store).stdout
    assert "too few patients" in told
    assert not any(number in told for number in ("13 of 20", "65 %", "5.2"))
    (row,) = json.loads(invoke("slices", store, "--format", "json").stdout)
    assert all(row[name] is None for name in ("rows", "errors", *rates))
    assert "13 of 20" in invoke("slices", store, "--allow-small-cells").stdout


def test_an_audit_without_slices_is_explained(store: Path) -> None:
    """The newest audit is the default; without slices it is one line, and still an empty result in CSV."""
    ended = invoke("slices", store)
    assert ended.exit_code == 0
    assert ended.stdout == "Audit newer found no slices: too few errors to search\n"
    machine = invoke("slices", store, "--format", "csv")
    assert machine.stdout.startswith("slice_id,model,")
    assert machine.stdout.count("\n") == 1
    assert "newer" in machine.stderr


def test_all_audits(store: Path) -> None:
    """--all shows every audit's slices; a line apart tells of those without."""
    ended = invoke("slices", store, "--all")
    assert ended.stdout.count("older-") == 2
    assert "newer" in ended.stderr
    assert invoke("slices", store, "--all", "--audit", "older").exit_code == 2


def test_an_unknown_audit_is_told_with_the_nearest(store: Path) -> None:
    """A mistyped audit is exit status 1 and a suggestion."""
    ended = invoke("slices", store, "--audit", "oldr")
    assert ended.exit_code == 1
    assert "did you mean 'older'?" in ended.stderr


def test_a_store_without_audits_says_what_to_do(make_store: Callable[..., Path]) -> None:
    """Before any audit, the next command is named."""
    ended = invoke("slices", make_store(images=[]))
    assert ended.exit_code == 1
    assert "misread discover" in ended.stderr


@pytest.mark.parametrize("command", [["info"], ["slices"], ["sql", "SELECT 1"]])
def test_a_missing_store_is_told(tmp_path: Path, command: list[str]) -> None:
    """Every asking command says that there is no store, and how one is made."""
    ended = invoke(command[0], tmp_path / "none", *command[1:])
    assert ended.exit_code == 1
    assert "misread ingest" in ended.stderr


def test_slices_of_losses_have_columns_of_their_own(make_store: Callable[..., Path]) -> None:
    """Mean losses stand in place of error rates; beside slices of errors all columns are there; small cells hide."""
    loss = {"mean_loss": 2.5, "mean_loss_low": 1.25, "mean_loss_high": 3.75, "baseline_loss": 0.5, "lift": 5.0}
    found = {"slice_id": "new-1", "model": "m", "target": "t", "confirmation_rows": 20, "confirmation_patients": 20}
    high = {"audit_id": "new", "error_kind": "high loss", **found, **loss}
    few = high | {"slice_id": "new-2", "confirmation_patients": 10}
    wrong = found | {"audit_id": "old", "slice_id": "old-1", "error_kind": "false negative", "error_rate": 0.65}
    audits = [{"audit_id": "old", "slices": 1}, {"audit_id": "new", "slices": 2}]
    store = make_store(audits=audits, slices=[high, few, wrong])
    alone = invoke("slices", store, "--audit", "new").stdout.splitlines()
    assert alone[0].split()[3:7] == ["error", "rows", "mean_loss", "baseline_loss"]
    assert re.search(r"  20 +2\.5 \(1\.25 to 3\.75\)  0\.5 ", alone[1])
    assert re.search(r"  too few patients  NULL +NULL ", alone[2])
    both = invoke("slices", store, "--all").stdout.splitlines()
    assert both[0].split()[3:10] == ["error", "wrong", "error_rate", "baseline", "rows", "mean_loss", "baseline_loss"]
    rows = json.loads(invoke("slices", store, "--all", "--format", "json").stdout)
    means = {row["slice_id"]: (row["mean_loss"], row["mean_loss_high"], row["lift"]) for row in rows}
    assert means == {"new-1": (2.5, 3.75, 5.0), "new-2": (None, None, None), "old-1": (None, None, None)}
