"""What is built and sent to others."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest
from house.test_house import FOLDERS, ROOT


@pytest.mark.slow
def test_the_wheel_and_the_source_hold_every_file_of_the_product(tmp_path: Path) -> None:
    """Each file of engine, sql and schemas under its package's name, no other, and nothing is built with a warning."""
    clone = tmp_path / "misread"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    there = {path.relative_to(clone): path for name in FOLDERS for path in (clone / name).rglob("*") if path.is_file()}

    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", clone], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert "absent from" not in built.stdout + built.stderr

    (wheel,), (source,) = (clone / "dist").glob("*.whl"), (clone / "dist").glob("*.tar.gz")
    packaged = {(Path(*FOLDERS[path.parts[0]].split(".")) / Path(*path.parts[1:])).as_posix() for path in there}
    assert {name for name in ZipFile(wheel).namelist() if name.startswith("misread/")} == packaged
    with tarfile.open(source) as files:
        sent = {Path(*Path(name).parts[1:]) for name in files.getnames()}
    assert set(there) <= sent
