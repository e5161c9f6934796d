"""The README is true: its commands run, and its outputs are what they print."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import misread as mr

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DATA = ROOT.parent / "shared" / "data"
REAL = ("covid-cxr", "nih-cxr")
AUDIT_ID = re.compile(r"\b[0-9a-f]{12}\b")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def conversations() -> list[tuple[str, str]]:
    """(command, what it prints) for every command shown in the README, in order."""
    shown = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            shown.append((command, output))
    return shown


def comparable(text: str) -> str:
    """Ids of audits name the versions of what made them; columns are as wide as what they hold."""
    return re.sub(r" +", " ", AUDIT_ID.sub("AUDIT", text)).strip()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("readme")
    if DATA.exists():
        for name in REAL:
            (place / name).symlink_to(DATA / name)
    return place


@pytest.fixture(scope="module")
def printed(folder: Path) -> dict[str, tuple[str, str]]:
    """What every command of the README prints, run in order in one folder: (standard output, standard error)."""
    results = {}
    for command, _ in conversations():
        if any(f"audits/{name.partition('-')[0]}" in command for name in REAL) and not DATA.exists():
            continue
        name, *arguments = shlex.split(command)
        assert name == "misread"
        done = subprocess.run(
            [sys.executable, "-m", "misread.cli", *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        results[command] = (done.stdout, done.stderr)
    return results


@pytest.mark.slow
def test_outputs_shown_are_real(printed: dict[str, tuple[str, str]]) -> None:
    """Every command shown succeeds and prints what is shown (but for audit ids and the width of columns)."""
    for command, output in conversations():
        if command in printed:
            assert comparable(printed[command][0]) == comparable(output), command


def test_ten_questions_of_auditors_are_shown() -> None:
    """The section has ten questions, each with a query of its own over the NIH films."""
    section = README.read_text().partition("## Questions auditors ask")[2].partition("\n## ")[0]
    numbered = re.findall(
        r"^(\d+)\. .+\?\n\n```console\n\$ misread sql audits/nih .+\n(?:.+\n)+```", section, re.MULTILINE
    )
    assert numbered == [str(number) for number in range(1, 11)]


@pytest.mark.slow
def test_the_demo_names_the_planted_shortcut(printed: dict[str, tuple[str, str]]) -> None:
    """Among its slices is the pneumothorax without a drain, missed: most of it, confirmed, and its words say so."""
    lines = printed["misread demo"][0].splitlines()
    missed = next(line for line in lines if "false negative" in line)
    words = next(text for command, (text, _) in printed.items() if "'false negative' ORDER BY rank LIMIT 3" in command)
    assert "no chest drain" in words
    assert re.search(r"\byes\b", missed)
    matched = next(line for line in lines if "pneumothorax without a drain" in line)
    precision, recall = (int(share) for share in re.findall(r"(\d+)%", matched))
    assert precision >= 60
    assert recall >= 60


@pytest.mark.slow
def test_the_demo_run_again_changes_nothing(printed: dict[str, tuple[str, str]], folder: Path) -> None:
    """A second run finds everything there: the same output, and the same manifest to the byte."""
    manifest = folder / "misread-demo" / "manifest.json"
    before = manifest.read_bytes()
    again = subprocess.run(
        [sys.executable, "-m", "misread.cli", "demo"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert again.stdout == printed["misread demo"][0]
    assert manifest.read_bytes() == before


@pytest.mark.slow
def test_the_library_example_runs(printed: dict[str, tuple[str, str]], folder: Path, tmp_path: Path) -> None:
    """The Python shown runs on the demo's store, prints the plan shown, and keeps its audit under the name shown."""
    (code,) = blocks("python")
    (shown,) = blocks("text")
    shutil.copytree(folder / "misread-demo", tmp_path / "misread-demo")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == shown.strip()
    assert mr.open(tmp_path / "misread-demo").audit_id("pa-films")


def test_ci_runs_the_test_line_of_the_readme() -> None:
    """The README has one line that tests and one that demonstrates, and `.ci/run` runs the first as it stands."""
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install ") for line in lines)
    assert lines[0].endswith("misread demo")
    assert lines[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_verb_is_shown_or_named() -> None:
    """No command of the command line is missing from the README."""
    from typer.main import get_command

    from misread.cli.main import app

    text = README.read_text()
    assert all(f"misread {verb}" in text for verb in get_command(app).commands)  # type: ignore[attr-defined]
