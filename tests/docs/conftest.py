"""The README's commands, run once for all tests of the documents."""

import contextlib
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from misread.cli.main import app

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GUIDES = [README, *sorted(path for folder in ("engine", "sql") for path in (ROOT / folder).rglob("README.md"))]
"""What users read."""
DATA = ROOT.parent / "shared" / "data"
REAL = ("covid-cxr", "nih-cxr")


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


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("readme")
    if DATA.exists():
        for name in REAL:
            (place / name).symlink_to(DATA / name)
    return place


class Printed(NamedTuple):
    output: str
    error: str
    seconds: float
    """Processor time of this process."""


@pytest.fixture(scope="session")
def printed(folder: Path) -> dict[str, Printed]:
    """What every command of the README prints, run in order in one folder.

    The demo runs as its users run it; the others in this process, which has imported what each would import anew.
    """
    results = {}
    for command, _ in conversations():
        if any(f"audits/{name.partition('-')[0]}" in command for name in REAL) and not DATA.exists():
            continue
        name, *arguments = shlex.split(command)
        assert name == "misread"
        began = time.process_time()
        output, error = (_alone if arguments == ["demo"] else _here)(arguments, folder)
        results[command] = Printed(output, error, time.process_time() - began)
    return results


def _alone(arguments: list[str], folder: Path) -> tuple[str, str]:
    """In a process of its own."""
    command = [sys.executable, "-m", "misread.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def _here(arguments: list[str], folder: Path) -> tuple[str, str]:
    with contextlib.chdir(folder):
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout, done.stderr
