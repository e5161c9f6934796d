"""The rows of a benchmark: one method on one setting, kept as JSON lines, never run twice."""

from __future__ import annotations

import ast
import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = dict[str, Any]

ROOT = Path(__file__).parents[2]
SHARED = ("benchmarks/planted/*.py", "benchmarks/peers/interface.py", "benchmarks/peers/labels.py")
NOT_MEASURING = {"__main__.py", "rows.py", "tables.py", "options.py", "compare.py", "null.py"}
CODE = {
    "ours": ("benchmarks/peers/ours.py", "engine/fuse.py", "engine/principal.py", "engine/discover/*.py"),
    "audit": (
        "benchmarks/planted/null.py",
        "benchmarks/peers/domino.py",
        "engine/fuse.py",
        "engine/principal.py",
        "engine/discover/*.py",
        "engine/execute/discovering.py",
    ),
}
PEER_CODE = ("benchmarks/peers/preparation.py",)
PEER_MODULES = {"kmeans": "clusters", "hdbscan": "clusters", "sliceline": "lines"}


@lru_cache
def fingerprint(method: str) -> str:
    """A hash of the code behind a row, whatever its layout and comments: when it changes, the row is run again."""
    name = method.split(":", maxsplit=1)[0]
    module = f"benchmarks/peers/{PEER_MODULES.get(name, name)}.py"
    patterns = (*SHARED, *CODE.get(name, (*PEER_CODE, module)))
    left_out = NOT_MEASURING if name != "audit" else NOT_MEASURING - {"null.py"}
    paths = sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.name not in left_out})
    trees = "".join(ast.dump(ast.parse(path.read_bytes())) for path in paths)
    return blake2b(trees.encode(), digest_size=6).hexdigest()


@lru_cache
def surroundings() -> Row:
    """Versions and machine."""
    packages = ("misread", "numpy", "scipy", "scikit-learn", "hdbscan", "polars")
    return {
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def identity(row: Row) -> tuple[str, str, str]:
    return row["key"], row["method"], row["code"]


def read(path: Path) -> list[Row]:
    """The rows of a file; a last line cut short by a kill is passed over."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


class Book:
    """An open file of rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.known = {identity(row): row for row in read(path)}

    def has(self, key: str, method: str) -> bool:
        return (key, method, fingerprint(method)) in self.known

    def add(self, rows: Iterable[Row]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            for row in rows:
                self.known[identity(row)] = row
                file.write(json.dumps(row) + "\n")

    def of(self, keys: Sequence[str], methods: Sequence[str]) -> Iterator[Row]:
        """The rows of some settings and methods, as the code is now."""
        for method in methods:
            for key in keys:
                row = self.known.get((key, method, fingerprint(method)))
                if row is not None:
                    yield row
